"""`xinyin preview`: what a page of a PDF or OFD document looks like, as a picture."""

from pathlib import Path
from typing import Annotated, cast

import typer
from rich.console import Console

from admin.cli.terminal import shown
from seal.formats.ofd.preview import DPI, Form, Preview, Previewer
from seal.formats.ofd.preview.service import MAX_DOCUMENT
from seal.formats.pdf.preview import PdfPreviewer
from seal.formats.pdf.reader import looks_like_pdf

_FORMS = {".png": "png", ".svg": "svg"}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("preview")(preview)


def preview(
    file: Annotated[Path, typer.Argument(help="The PDF or OFD document; it is not changed.", metavar="FILE")],
    *,
    page: Annotated[int, typer.Option(help="Which page, from 1; -1 is the last.")] = 1,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Where to write the picture, .png or (OFD) .svg; must not exist. By default FILE-pPAGE.png here."
        ),
    ] = None,
    dpi: Annotated[
        int, typer.Option(help="Dots an inch of a PNG; 96 for screens, 300 for paper.", min=10, max=600)
    ] = DPI,
) -> None:
    """Draw a page of a PDF or OFD document, seals and all, into a PNG or (OFD) SVG.

    Look at a document before it is sealed, or after, without a reader:

        xinyin preview decision.ofd --page -1 --out last.png

    Fonts that an OFD does not bring are replaced: these are listed.

    What of an OFD cannot be drawn is left out: that is listed too.

    Seals are shown as the file has them. Whether they are valid, [bold]xinyin verify[/] tells.
    """
    form = _FORMS.get(out.suffix.lower()) if out is not None else "png"
    if form is None:
        raise typer.BadParameter("--out takes a name that ends in .png or .svg")
    if out is not None and out.exists():
        raise typer.BadParameter(f"{out} exists already; give another name with --out")
    with file.open("rb") as source:
        document = source.read(MAX_DOCUMENT + 1)
    previewer = PdfPreviewer() if looks_like_pdf(document) else Previewer()
    try:
        drawn = previewer.preview(document, page=page, form=cast("Form", form), dpi=dpi)
    finally:
        previewer.close()
    target = out or Path(f"{file.stem}-p{drawn.page}.png")
    try:
        with target.open("xb") as made:
            made.write(drawn.picture)
    except FileExistsError:
        raise typer.BadParameter(f"{target} exists already; give another name with --out") from None
    _tell(target, drawn)


def _tell(target: Path, drawn: Preview) -> None:
    console = Console()
    size = f"{drawn.width_mm:g} x {drawn.height_mm:g} mm"
    sharp = f", {drawn.dpi} dpi" if drawn.form == "png" else ""
    lines = [f"[green]✓[/] {shown(target)}  page {drawn.page} of {drawn.pages}, {size}{sharp}"]
    lines += [f"  [yellow]font[/] {shown(name)}: not embedded, shown in {used}" for name, used in drawn.substituted]
    lines += [f"  [yellow]note[/] {shown(note)}" for note in drawn.notes]
    for line in lines:
        console.print(line, highlight=False, soft_wrap=True)
