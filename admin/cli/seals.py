"""`xinyin seal`: the family of sealing and of looking after uses of seals, `xinyin seal FILE` among them."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from typer.core import TyperGroup

from admin import settings as configuration
from admin.build import operator, services
from admin.cli.documents import seal
from admin.cli.terminal import print_table, shown
from admin.cli.usage import approve, ask, ledger, requests, use
from seal.later.model import NEWEST

DOCUMENT = "document"


class FileOrVerb(TyperGroup):
    """A family in which a first word that is none of its verbs begins the arguments of ``document``."""

    default_command = DOCUMENT

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the verb that was left out before the arguments."""
        if args and args[0] not in self.commands and args[0] != "--help":
            args = [DOCUMENT, *args]
        return super().parse_args(ctx, args)


seal_commands = typer.Typer(
    cls=FileOrVerb,
    no_args_is_help=True,
    help="Seal a document (`xinyin seal FILE …`), have uses approved, look at the ledger and at what is not finished.",
)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    seal_commands.command(DOCUMENT)(seal)
    seal_commands.command("unsealed")(unsealed)
    seal_commands.command("unstamped")(unstamped)
    seal_commands.command("retry")(retry)
    seal_commands.command("fetch")(fetch)
    for verb in (ask, requests, approve, use, ledger):
        seal_commands.command(verb.__name__)(verb)
    app.add_typer(seal_commands, name="seal")


def unsealed() -> None:
    """List the sealings that failed or were interrupted, oldest first: what, since when, and why."""
    table = Table("sealing", "seal", "serial", "intended", "case", "attempts", "why")
    with services(configuration.load()) as service:
        after = None
        while page := service.deferred.unsealed.list(operator("seal.use:*"), after=after, limit=200):
            for each in page:
                intent = each.intent
                when = intent.intended_at.isoformat(timespec="seconds")
                why = each.failure or "interrupted"
                table.add_row(
                    intent.id, intent.seal, str(intent.serial), when, intent.case_number, str(each.attempt.number), why
                )
            after = page[-1].intent.id
    print_table(table)


def unstamped() -> None:
    """List the sealings that wait for a time stamp, longest first: nobody stamped when they were made."""
    table = Table("sealing", "seal", "serial", "format", "case", "since", "for")
    caller = operator("seal.use:*")
    with services(configuration.load()) as service:
        after, now = None, service.clock.now()
        while page := service.deferred.unsealed.unstamped(caller, after=after, limit=200):
            for each in page:
                since = each.owed_at.isoformat(timespec="seconds")
                waited = str(timedelta(seconds=max(0, round((now - each.owed_at).total_seconds()))))
                table.add_row(each.sealing, each.seal, str(each.serial), each.format, each.case_number, since, waited)
            after = page[-1].sealing
    print_table(table)


def retry(
    sealing: Annotated[str, typer.Argument(help="The sealing, as `xinyin seal unsealed` names it.")],
    *,
    out: Annotated[Path | None, typer.Option(help="Write the sealed document there, too; must not exist.")] = None,
) -> None:
    """Finish a sealing that failed or was interrupted, with the document that was kept, under its old serial."""
    if out is not None and out.exists():
        raise typer.BadParameter(f"{out} exists already; sealed documents are never written over")
    with services(configuration.load()) as service:
        sealed = service.sealing.retry(sealing, operator("seal.use:*"))
        if out is not None:
            with out.open("xb") as target:
                target.write(sealed.document)
    Console().print(f"[green]✓[/] {sealed.id}  {sealed.format}  {sealed.object_key}", highlight=False, soft_wrap=True)


def fetch(
    sealing: Annotated[str, typer.Argument(help="The sealing, as it was named when it was made.")],
    *,
    out: Annotated[Path, typer.Option(help="Where to write the sealed document; must not exist.")],
    version: Annotated[
        str, typer.Option(help="newest (with the time stamp that followed, if one did), first, or a file's SM3.")
    ] = NEWEST,
) -> None:
    """Write out a sealed document: the newest file there is of it."""
    if out.exists():
        raise typer.BadParameter(f"{out} exists already; sealed documents are never written over")
    with services(configuration.load()) as service:
        document, _ = service.sealing.document(sealing, operator("seal.use:*"), version)
        with out.open("xb") as target:
            target.write(document)
    Console().print(f"[green]✓[/] {shown(out)}", highlight=False, soft_wrap=True)
