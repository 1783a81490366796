"""`xinyin client appkey`: what a client's gateway signs its requests with."""

import json
from datetime import timedelta
from typing import Annotated

import typer
from rich.console import Console

from admin import settings as configuration
from admin.build import services
from admin.cli.terminal import shown
from idp.appkeys import LIFETIME, LONGEST, Listed
from idp.model import AppKeyId, ClientId

commands = typer.Typer(no_args_is_help=True, help="App keys: for gateways that sign requests (HMAC-SM3).")

ClientArgument = Annotated[str, typer.Argument(metavar="CLIENT", help="The client's identifier.")]


@commands.command("add")
def add(
    client: ClientArgument,
    *,
    label: Annotated[str, typer.Option(help="What it is for, in your own words.")] = "gateway",
    days: Annotated[int, typer.Option(help="How long it lives.", min=1, max=LONGEST.days)] = LIFETIME.days,
) -> None:
    """Make an app key; its secret is shown once. A client has two at most."""
    with services(configuration.load()) as service:
        made = service.app_keys.add(ClientId(client), label=label, lifetime=timedelta(days=days))
    console = Console()
    console.print(f"app_key    {made.key.id}", highlight=False)
    console.print(f"app_secret {made.secret}", highlight=False, soft_wrap=True)
    console.print(f"expires_at {made.key.expires_at.isoformat(timespec='seconds')}", highlight=False)


@commands.command("list")
def show(
    client: ClientArgument,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object for machines.")] = False,
) -> None:
    """List a client's app keys, ended ones too, and which signed something within the last minutes."""
    with services(configuration.load()) as service:
        found = service.app_keys.list(ClientId(client))
    if as_json:
        typer.echo(json.dumps({"app_keys": [_row(each) for each in found]}, ensure_ascii=False, indent=2))
        return
    for each in found:
        mark = "[green]✓[/]" if each.alive else "[dim]·[/]"
        used = ", in use" if each.in_use else ""
        text = f"{each.key.id} {each.key.label}: {_state(each)}{used}"
        Console().print(f"{mark} {shown(text)}", highlight=False, soft_wrap=True)
    if not found:
        Console().print("the client never had an app key")


@commands.command("end")
def end(app_key: Annotated[str, typer.Argument(metavar="APP_KEY", help="Its id, ak_….")]) -> None:
    """End an app key now: nothing signed with it is believed any more."""
    with services(configuration.load()) as service:
        service.app_keys.end(AppKeyId(app_key))
    Console().print(f"[green]✓[/] {shown(app_key)}", highlight=False)


def _state(each: Listed) -> str:
    if each.key.ended_at:
        return f"ended {each.key.ended_at.isoformat(timespec='seconds')}"
    return f"{'expires' if each.alive else 'expired'} {each.key.expires_at.isoformat(timespec='seconds')}"


def _row(each: Listed) -> dict[str, object]:
    key = each.key
    return {
        "app_key": key.id,
        "label": key.label,
        "created_at": key.created_at.isoformat(),
        "expires_at": key.expires_at.isoformat(),
        "ended_at": key.ended_at.isoformat() if key.ended_at else None,
        "alive": each.alive,
        "in_use": each.in_use,
    }
