"""`xinyin renew`: signatures in a PDF are brought to a level, or kept at it beyond their stampers' time."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from admin import settings as configuration
from admin.build import operator, services
from admin.cli.documents import read
from admin.cli.terminal import shown
from seal.levels import Level


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("renew")(renew)


def renew(
    file: Annotated[Path, typer.Argument(help="The signed PDF, whoever signed it; it is not changed.")],
    *,
    out: Annotated[Path | None, typer.Option(help="Where to write the result; FILE-renewed.pdf by default.")] = None,
    level: Annotated[Level, typer.Option(help="The PAdES level that every signature shall reach.")] = Level.LTA,
) -> None:
    """Add evidence and a document time stamp to a signed PDF, so that it can be judged years later.

    Run again before the last time stamp's certificate ends: each run lengthens its life.
    """
    target = out or file.with_name(f"{file.stem}-renewed{file.suffix}")
    if target.exists():
        raise typer.BadParameter(f"{target} exists already; signed documents are never written over")
    if not target.parent.is_dir():
        raise typer.BadParameter(f"{target.parent} is not a folder")
    document = read(file)
    with services(configuration.load()) as service:
        service.verifier.examine(document)
        renewed = service.renewal.renew(document, operator("document.renew:*"), level)
        with target.open("xb") as written:
            written.write(renewed.document)
    reached = ", ".join(one.level for one in renewed.report.signatures if one.level is not None)
    Console().print(f"[green]✓[/] {shown(target)}  {reached}", highlight=False, soft_wrap=True)
