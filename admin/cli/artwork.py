"""`xinyin artwork`: seal pictures on the command line."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from admin.cli.terminal import print_table
from seal.artwork import DPI, KINDS, RED, RESOLUTIONS, Centre, Design, Kind, Lettering, lay_out, png, svg
from seal.fonts import seal_font

_COMMAND = typer.Typer(help="Draw the pictures that seals are made with; they seal nothing by themselves.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(_COMMAND, name="artwork", no_args_is_help=True)


@_COMMAND.command("kinds")
def kinds() -> None:
    """List the kinds of seals with their sizes and what they show."""
    table = Table(box=None, pad_edge=False)
    for heading in ("kind", "mm", "shape", "middle"):
        table.add_column(heading, no_wrap=True)
    table.add_column("what it is")
    for name, kind in KINDS.items():
        middle = "" if kind.centre is Centre.NONE else kind.centre.value
        table.add_row(name, _size(kind), kind.shape.value, middle, f"{kind.title} {kind.english}")
    print_table(table)


def _size(kind: Kind) -> str:
    width, height = kind.size_mm
    size = str(width) if width == height else f"{width}x{height}"
    return size if kind.widths_mm is None else f"{size} ({kind.widths_mm[0]}-{kind.widths_mm[-1]})"


@_COMMAND.command("draw")
def draw(  # noqa: PLR0913 - one option each
    *,
    kind: Annotated[str, typer.Option(help="What seal it is, such as company or department; see `artwork kinds`.")],
    name: Annotated[str, typer.Option(help="The owner's name: 4 to 30 characters on an arc, 2 to 4 in a name seal.")],
    out: Annotated[Path, typer.Option(help="A file that does not exist yet, ending in .svg or .png.")],
    line: Annotated[
        str | None,
        typer.Option(
            help="The line below the middle, such as 合同专用章; in a square or name seal what follows the name, "
            "such as 印. The kind's own by default, '' for none."
        ),
    ] = None,
    number: Annotated[str, typer.Option(help="What tells seals of one kind apart, such as '(2)'.")] = "",
    code: Annotated[
        str,
        typer.Option(help="The registered number on the lower arc; in an invoice seal the taxpayer's, in the middle."),
    ] = "",
    centre: Annotated[Centre | None, typer.Option(help="The middle, if not the kind's own.")] = None,
    width: Annotated[int | None, typer.Option(help="Width in mm, if not the kind's own.")] = None,
    colour: Annotated[str, typer.Option(help="Colour of the ink, #rrggbb.")] = RED,
    dpi: Annotated[int, typer.Option(help=f"Dots an inch of a PNG, {RESOLUTIONS[0]} to {RESOLUTIONS[-1]}.")] = DPI,
) -> None:
    """Draw a seal's picture from its words, true to the millimetre, on a transparent ground.

    For example:  xinyin artwork draw --kind company --name 深圳某某科技有限公司 --out seal.png

    A character that the font lacks is refused by name; nothing is drawn in its place. Where the state emblem
    belongs a neutral mark stands.
    """
    suffix = out.suffix.lower()
    if suffix not in {".svg", ".png"}:
        raise typer.BadParameter("--out takes a file that ends in .svg or .png")
    design = Design(
        kind=kind, name=name, line=line, number=number, code=code, centre=centre, width_mm=width, colour=colour
    )
    font = seal_font()
    artwork = lay_out(design, Lettering(font))
    octets = svg(artwork) if suffix == ".svg" else png(artwork, dpi=dpi)
    with out.open("xb") as target:
        target.write(octets)
    told = f"{artwork.width_mm} x {artwork.height_mm} mm  {len(octets):,} octets  {font.family}"
    Console().print(f"[green]✓[/] {escape(str(out))}  {told}", highlight=False, soft_wrap=True)
