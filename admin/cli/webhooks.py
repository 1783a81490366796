"""`xinyin webhook`: who is told of what happens, and what came of telling them."""

import json
from dataclasses import asdict
from datetime import datetime
from typing import Annotated

import typer
from rich.console import Console

from admin import settings as configuration
from admin.build import Service, services
from admin.cli.terminal import shown
from kernel.outbox import Event
from kernel.principal import Principal, PrincipalKind
from seal.webhooks.model import Attempt, EventType

commands = typer.Typer(no_args_is_help=True, help="Webhooks of clients, managed by the operator in their place.")

ClientArgument = Annotated[str, typer.Argument(metavar="CLIENT", help="The client's identifier.")]
WebhookArgument = Annotated[str, typer.Argument(metavar="WEBHOOK", help="The endpoint's id, as `list` shows it.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object for machines.")]
_MOST_LISTED = 200


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(commands, name="webhook")


@commands.command("add")
def add(
    client: ClientArgument,
    url: Annotated[str, typer.Argument(help="Where to tell it: https:// at port 443, or a host in the settings.")],
    *,
    event: Annotated[list[EventType] | None, typer.Option(help="Repeat for more; all if left out.")] = None,
) -> None:
    """Register an address; its secret is shown once."""
    with services(configuration.load()) as service:
        endpoint, secret = service.deferred.webhooks.register(url, event or (), _for(service, client))
    console = Console()
    console.print(f"webhook {endpoint.id}", highlight=False)
    console.print(f"secret  {secret}", highlight=False, soft_wrap=True)


@commands.command("list")
def show(client: ClientArgument, *, as_json: AsJson = False) -> None:
    """List a client's addresses."""
    with services(configuration.load()) as service:
        found = service.deferred.webhooks.list(_for(service, client))
    if as_json:
        rows = [{**asdict(each), "events": sorted(each.events)} for each in found]
        typer.echo(json.dumps({"webhooks": rows}, ensure_ascii=False, indent=2, default=str))
        return
    for each in found:
        text = f"{each.id} {each.url}: {' '.join(sorted(each.events))}"
        Console().print(shown(text), highlight=False, soft_wrap=True)
    if not found:
        Console().print("the client has no webhooks")


@commands.command("end")
def end(client: ClientArgument, webhook: WebhookArgument) -> None:
    """Tell an address nothing any more."""
    with services(configuration.load()) as service:
        service.deferred.webhooks.end(webhook, _for(service, client))
    Console().print(f"[green]✓[/] {shown(webhook)}", highlight=False)


@commands.command("deliveries")
def deliveries(
    client: ClientArgument,
    webhook: WebhookArgument,
    *,
    before: Annotated[str | None, typer.Option(help="An event: list what came before it.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=_MOST_LISTED)] = 20,
    as_json: AsJson = False,
) -> None:
    """List what an address was told, newest first, with every try; exit code 1 if the newest was not heard."""
    with services(configuration.load()) as service:
        found = service.deferred.webhooks.deliveries(webhook, _for(service, client), before=before, limit=limit)
    if as_json:
        rows = [{**asdict(event), "tries": [asdict(each) for each in tries]} for event, tries in found]
        typer.echo(json.dumps({"deliveries": rows}, ensure_ascii=False, indent=2, default=str))
    else:
        for event, tries in found:
            _say(event, tries)
        if not found:
            Console().print("nothing was told yet")
    raise typer.Exit(1 if found and not _heard(found[0][1]) else 0)


@commands.command("replay")
def replay(
    client: ClientArgument,
    webhook: WebhookArgument,
    *,
    event: Annotated[str | None, typer.Option(help="One event's id.")] = None,
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%dT%H:%M:%S%z"], help="All since then: 2026-11-20T08:00:00Z.")
    ] = None,
) -> None:
    """Tell an address again: one event, or all since a moment; with neither, all since it was registered."""
    if event is not None and since is not None:
        raise typer.BadParameter("--event or --since, not both")
    with services(configuration.load()) as service:
        due = service.deferred.webhooks.replay(webhook, _for(service, client), since=since, event=event)
    Console().print(f"[green]✓[/] {due} are due now that were not; a worker tells them", highlight=False)


def _for(service: Service, client: str) -> Principal:
    """Give the operator in a client's place: what is asked concerns the client, and is on record as the operator's."""
    found = service.registry.client(client)
    return Principal(
        subject=found.id,
        kind=PrincipalKind.OPERATOR,
        rights=frozenset({"webhook.manage:*"}),
        organisation=found.organisation,
    )


def _heard(tries: tuple[Attempt, ...]) -> bool:
    return any(each.heard for each in tries)


def _say(event: Event, tries: tuple[Attempt, ...]) -> None:
    mark = "[green]✓[/]" if _heard(tries) else "[red]✗[/]"
    last = tries[-1]
    came = f"HTTP {last.status}" if last.status is not None else f"no answer ({last.fault})"
    text = f"{event.id} {event.type} {event.at.isoformat(timespec='seconds')}: {came}, {len(tries)} tries"
    Console().print(f"{mark} {shown(text)}", highlight=False, soft_wrap=True)
