"""The XML of the documents we make: one namespace, lengths to the micrometre."""

from collections.abc import Mapping
from math import isfinite

from lxml import etree

NAMESPACE = "http://www.ofdspec.org/2016"
_NS = f"{{{NAMESPACE}}}"


def length(number: float) -> str:
    """Write a length in mm to the micrometre. Raises ValueError for what is no length."""
    if not isfinite(number):
        raise ValueError(f"{number} is no length")
    written = f"{number:.3f}".rstrip("0").rstrip(".")
    return written if written not in ("-0", "") else "0"


def lengths(*numbers: float) -> str:
    """Write several lengths."""
    return " ".join(length(number) for number in numbers)


def element(name: str, attributes: Mapping[str, str] | None = None) -> etree._Element:
    """Make the root of a file."""
    return etree.Element(_NS + name, dict(attributes or {}), nsmap={"ofd": NAMESPACE})


def add(
    parent: etree._Element, name: str, attributes: Mapping[str, str] | None = None, text: str | None = None
) -> etree._Element:
    """Add a member to an element. Raises ValueError for text that XML cannot carry."""
    made = etree.SubElement(parent, _NS + name, dict(attributes or {}))
    made.text = text
    return made


def serialised(root: etree._Element) -> bytes:
    """Give a file's octets."""
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")
