"""What a document's pages draw with: fonts, colours, pen settings, pictures, units (GB/T 33190 7.9)."""

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass

from lxml import etree

from seal.formats.ofd.package import OfdPackage, PackageError, child, child_text, children, local_name

_MOST = 20_000
_GROUPS = {"Fonts", "ColorSpaces", "DrawParams", "MultiMedias", "CompositeGraphicUnits"}


@dataclass(frozen=True, slots=True)
class Resource:
    """An entry of a resource file, and where that lies."""

    element: etree._Element
    file: str
    folder: str
    """The file's BaseLoc: what its entries' files are relative to."""


class Resources:
    """The entries of the resource files named so far, by kind and id."""

    def __init__(self, package: OfdPackage) -> None:
        self._package = package
        self._found: dict[tuple[str, str], Resource] = {}
        self._read: set[str] = set()

    def load(self, holder: etree._Element, within: str) -> Iterator[str]:
        """Read the resource files that ``holder`` names; give a sentence for each that cannot be read."""
        for name in ("PublicRes", "DocumentRes", "PageRes"):
            for row in children(holder, name):
                location = "".join(str(part) for part in row.itertext()).strip()
                path = self._package.locate(location, within)
                if path is None:
                    yield f"resource file {location} is missing"
                elif path not in self._read:
                    self._read.add(path)
                    try:
                        self._load(path)
                    except PackageError as error:
                        yield str(error)

    def _load(self, path: str) -> None:
        root = self._package.xml(path)
        folder = root.get("BaseLoc", "")
        for group in root:
            rows = group if local_name(group) in _GROUPS else (group,)
            for row in rows:
                if len(self._found) < _MOST and row.get("ID"):
                    self._found[local_name(row), row.get("ID", "")] = Resource(row, path, folder)

    def find(self, kind: str, number: str | None) -> Resource | None:
        """Give the entry of a kind (the name of its element) with this id."""
        return self._found.get((kind, number or ""))

    def file(self, resource: Resource, name: str) -> bytes | None:
        """Give the file that a resource names in its element ``name``; None if there is none to be read."""
        location = child_text(resource.element, name)
        path = None
        if location:
            inside = posixpath.join(resource.folder, location.replace("\\", "/").lstrip("/"))
            path = self._package.locate(inside, resource.file) or self._package.locate(location, resource.file)
        return self._package.read(path) if path else None


def unit_content(resource: Resource) -> etree._Element | None:
    """Give the content of a composite unit."""
    return child(resource.element, "Content")
