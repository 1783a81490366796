"""Seals on a page: the picture inside each signature, where its StampAnnot says (GB/T 33190 18.2.3)."""

from collections.abc import Iterator
from dataclasses import dataclass

from crypto.errors import CryptoError
from seal.formats.ofd.package import OfdPackage, PackageError
from seal.formats.ofd.preview import pictures
from seal.formats.ofd.preview.canvas import Canvas
from seal.formats.ofd.preview.scene import Scene
from seal.formats.ofd.preview.values import Box, box, num
from seal.formats.ofd.structure import Body, Page, SignatureFile, read_signature, read_signature_list
from seal.ses import SesPicture, parse_ses_signature, parse_seseal


@dataclass(frozen=True, slots=True)
class Stamped:
    """A seal's picture, the box it fills in mm of the page, and the part of the box that is seen."""

    picture: SesPicture
    where: Box
    clip: Box | None


def stamps(package: OfdPackage, body: Body, page: Page, canvas: Canvas) -> Iterator[Stamped]:
    """Find the seals on a page, in the order of the signatures. Nothing here tells whether they are valid."""
    if body.signatures is None:
        return
    try:
        rows = read_signature_list(package, body.signatures)
    except PackageError as error:
        canvas.note(str(error))
        return
    for row in rows:
        path = package.locate(row.location, body.signatures)
        try:
            file = read_signature(package, path) if path is not None else None
        except PackageError as error:
            canvas.note(str(error))
            continue
        if file is not None:
            yield from _on_page(package, file, page, canvas)


def _on_page(package: OfdPackage, file: SignatureFile, page: Page, canvas: Canvas) -> Iterator[Stamped]:
    here = [stamp for stamp in file.stamps if stamp.page == page.id]
    if not here:
        return
    picture = _picture(package, file)
    if picture is None:
        canvas.note(f"the seal's picture of {file.path} cannot be read")
        return
    for stamp in here:
        canvas.spend("objects")
        where = box(stamp.boundary)
        if where is not None:
            yield Stamped(picture, where, box(stamp.clip))


def _picture(package: OfdPackage, file: SignatureFile) -> SesPicture | None:
    """Give the picture that was signed with; failing that, the one of the seal's own file."""
    value = package.locate(file.value_location, file.path) if file.value_location else None
    seal = package.locate(file.seal_location, file.path) if file.seal_location else None
    try:
        if value is not None:
            return parse_ses_signature(package.read(value)).seal.picture
    except (CryptoError, PackageError):
        pass
    try:
        return parse_seseal(package.read(seal)).picture if seal is not None else None
    except (CryptoError, PackageError):
        return None


def drawn(picture: SesPicture, canvas: Canvas) -> str:
    """Give a seal's picture, one unit wide and high; nothing, and a note, if it cannot be shown."""
    if picture.kind.lower() == "svg":
        canvas.note("seal pictures in SVG are not shown")
        return ""
    name = pictures.define(pictures.data_uri(picture.octets, canvas), canvas)
    return f'<use xlink:href="#{name}"/>' if name is not None else ""


def placed(picture: str, stamp: Stamped, scene: Scene) -> str:
    """Fit a picture of one unit into the stamp's box, and show the part that the clip leaves."""
    left, top, width, height = stamp.where
    shown = f'<g transform="scale({num(width)} {num(height)})">{picture}</g>'
    clip = scene.rectangle(*(stamp.clip or (0.0, 0.0, width, height)))
    # Ink on paper: what is written under a seal stays to be read, also where the picture has no transparency.
    ink = 'style="mix-blend-mode:multiply"'
    return f'<g transform="translate({num(left)} {num(top)})" {ink}><g clip-path="url(#{clip})">{shown}</g></g>'
