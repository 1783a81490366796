"""`xinyin docking`: what the national seal platform was told, and is yet to be told."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from admin import settings as configuration
from admin.build import operator, services
from admin.cli.terminal import shown
from crypto.vaults.files import write_once
from seal.docking.store import Progress, State

commands = typer.Typer(no_args_is_help=True, help="Reports to the national seal platform.")
_RIGHT = "seal.docking:*"
_MARKS = {State.REPORTED: "[green]✓[/]", State.REFUSED: "[red]✗[/]"}


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(commands, name="docking")


@commands.command("status")
def status(
    *,
    seal: Annotated[str | None, typer.Option(help="One seal's reports only.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object for machines.")] = False,
) -> None:
    """List what the platform is to be told and how far it came; nothing is sent."""
    with services(configuration.load()) as service:
        service.docking.derive()
        found = service.docking.status(operator(_RIGHT), seal=seal)
    if as_json:
        rows = [{**asdict(each), "docking": asdict(each.docking)} for each in found]
        typer.echo(json.dumps({"reports": rows}, ensure_ascii=False, indent=2, default=str))
        return
    for each in found:
        _say(each.state, _told(each))
    if not found:
        Console().print("nothing is to be reported")


@commands.command("send")
def send(
    *,
    refused: Annotated[bool, typer.Option("--refused", help="Also what the platform refused before.")] = False,
) -> None:
    """Send what is due; exit code 1 if something of it did not come about. Run it every few minutes."""
    with services(configuration.load()) as service:
        sent = service.docking.report_pending(operator(_RIGHT), refused_too=refused)
    for each in sent:
        _say(each.state, f"{each.docking.seal} {each.docking.event}: {each.state} ({each.code})")
    if not sent:
        Console().print("nothing is due now")
    raise typer.Exit(1 if any(each.state is not State.REPORTED for each in sent) else 0)


@commands.command("ask")
def ask(seal: Annotated[str, typer.Argument(help="The seal's number.")]) -> None:
    """Ask how the platform has a seal."""
    with services(configuration.load()) as service:
        found = service.register.find(seal)
        standing = service.docking.platform().seal_status(found.id, found.name)
    Console().print(f"{seal}: {'not known there' if standing is None else standing.name.lower()}", highlight=False)


@commands.command("refresh-secret")
def refresh_secret(
    out: Annotated[Path, typer.Option(help="A new file for the secret, readable for its owner alone.")],
) -> None:
    """Have the client's secret at the platform changed. Put the new one into the docking file at once."""
    if out.exists() or not out.parent.is_dir():
        raise typer.BadParameter(f"{out} exists already, or its folder does not")
    with services(configuration.load()) as service:
        write_once(out, service.docking.platform().refresh_secret().encode())
    Console().print(f"[green]✓[/] {shown(out)}", highlight=False, soft_wrap=True)


def _told(each: Progress) -> str:
    docking, answer = each.docking, each.answer
    said = "" if answer is None else f" ({answer.code}, {answer.at.isoformat(timespec='seconds')})"
    return f"{docking.seal} {docking.number} {docking.event}: {each.state}{said}, {each.attempts} attempts"


def _say(state: State, text: str) -> None:
    Console().print(f"{_MARKS.get(state, '[yellow]·[/]')} {shown(text)}", highlight=False, soft_wrap=True)
