"""Writing a document as an OFD package: the same document gives the same octets (GB/T 33190 chapter 7)."""

import posixpath
import re
from collections.abc import Iterable

from lxml import etree

from seal.formats.ofd.archive import write_archive
from seal.formats.ofd.document.model import About, Attachment, Document, Outline, Page, Template
from seal.formats.ofd.document.objects import Pen
from seal.formats.ofd.document.resources import Numbers, Resources
from seal.formats.ofd.document.xml import add, element, length, lengths, serialised

_FOLDER = "Doc_0"
_VERSION = "1.1"
_KIB = 1024


def write_ofd(document: Document) -> bytes:
    """Write an unsealed OFD document.

    Refuses (GlyphMissing) a text that its embedded font cannot write. Raises ValueError for what no document can
    have: no page, a DocID that is none, text that XML cannot carry, a path without begin, an outline to no page, an
    attachment whose name is a path.
    """
    if not re.fullmatch(r"[0-9a-f]{32}", document.about.doc_id):
        raise ValueError("a DocID is 32 lower-case hexadecimal digits")
    if not document.pages:
        raise ValueError("a document has at least one page")
    files = {"OFD.xml": _entry(document.about)}
    files |= {f"{_FOLDER}/{name}": content for name, content in _Writer(document).files().items()}
    return write_archive(files)


def _entry(about: About) -> bytes:
    root = element("OFD", {"DocType": "OFD", "Version": _VERSION})
    body = add(root, "DocBody")
    told = add(body, "DocInfo")
    add(told, "DocID", text=about.doc_id)
    add(told, "Title", text=about.title)
    if about.author:
        add(told, "Author", text=about.author)
    if about.subject:
        add(told, "Subject", text=about.subject)
    add(told, "CreationDate", text=f"{about.created:%Y-%m-%d}")
    add(told, "Creator", text=about.creator)
    if about.custom:
        facts = add(told, "CustomDatas")
        for name, value in about.custom.items():
            add(facts, "CustomData", {"Name": name}, text=value)
    add(body, "DocRoot", text=f"{_FOLDER}/Document.xml")
    return serialised(root)


class _Writer:
    """Writes the files of one document's folder. Numbers are given in the order of writing."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._numbers = Numbers()
        self._resources = Resources.of(document, self._numbers)
        templates = dict.fromkeys(template for page in document.pages for template in page.templates)
        self._templates = {template: self._numbers.new() for template in templates}
        self._pages = [self._numbers.new() for _ in document.pages]

    def files(self) -> dict[str, bytes]:
        """Give the files by their names in the folder, the root first."""
        sheets = {_template_name(index): self._sheet(template) for index, template in enumerate(self._templates)} | {
            _page_name(index): self._sheet(page) for index, page in enumerate(self._document.pages)
        }
        attached = _attachments(self._document.attachments, self._numbers, self._document.about)
        # Last, because it tells the highest number of all.
        root = self._root(attached=bool(attached))
        return {"Document.xml": root} | self._resources.files() | sheets | attached

    def _sheet(self, sheet: Page | Template) -> bytes:
        root = element("Page")
        if isinstance(sheet, Page):
            for template in sheet.templates:
                order = "Foreground" if template.foreground else "Background"
                add(root, "Template", {"TemplateID": str(self._templates[template]), "ZOrder": order})
        add(add(root, "Area"), "PhysicalBox", text=lengths(0, 0, sheet.width_mm, sheet.height_mm))
        layer = add(add(root, "Content"), "Layer", {"ID": str(self._numbers.new()), "Type": "Body"})
        Pen(layer, self._resources).write(sheet.items)
        return serialised(root)

    def _root(self, *, attached: bool) -> bytes:
        root = element("Document")
        common = add(root, "CommonData")
        add(common, "MaxUnitID", text=str(self._numbers.last))
        first = self._document.pages[0]
        add(add(common, "PageArea"), "PhysicalBox", text=lengths(0, 0, first.width_mm, first.height_mm))
        add(common, "PublicRes", text="PublicRes.xml")
        if self._resources.images:
            add(common, "DocumentRes", text="DocumentRes.xml")
        for index, (template, number) in enumerate(self._templates.items()):
            named = {"Name": template.name} if template.name else {}
            order = "Foreground" if template.foreground else "Background"
            where = {"ZOrder": order, "BaseLoc": _template_name(index)}
            add(common, "TemplatePage", {"ID": str(number)} | named | where)
        pages = add(root, "Pages")
        for index, number in enumerate(self._pages):
            add(pages, "Page", {"ID": str(number), "BaseLoc": _page_name(index)})
        if self._document.outlines:
            self._outlines(add(root, "Outlines"), self._document.outlines)
        if attached:
            add(root, "Attachments", text=_ATTACHED)
        return serialised(root)

    def _outlines(self, parent: etree._Element, outlines: Iterable[Outline]) -> None:
        for outline in outlines:
            if outline.page not in range(len(self._pages)):
                raise ValueError(f"the outline {outline.title!r} leads to page {outline.page}, which is not there")
            row = add(parent, "OutlineElem", {"Title": outline.title})
            action = add(add(row, "Actions"), "Action", {"Event": "CLICK"})
            where = {
                "Type": "XYZ",
                "PageID": str(self._pages[outline.page]),
                "Left": "0",
                "Top": length(outline.top_mm),
            }
            add(add(action, "Goto"), "Dest", where | {"Zoom": "0"})
            self._outlines(row, outline.below)


_ATTACHED = "Attachs/Attachments.xml"


def _attachments(attachments: tuple[Attachment, ...], numbers: Numbers, about: About) -> dict[str, bytes]:
    """Give the attached files and their list; none for none (GB/T 33190 chapter 20)."""
    if not attachments:
        return {}
    root = element("Attachments")
    files = {}
    for attachment in attachments:
        if attachment.name in ("", ".", "..") or re.search(r"[/\\\x00-\x1f\x7f]", attachment.name):
            # Readers save it under this name.
            raise ValueError("an attachment's name is a file's name, not a path")
        number = numbers.new()
        extension = posixpath.splitext(attachment.name)[1].lower()
        extension = extension if re.fullmatch(r"\.[a-z0-9]{1,8}", extension) else ""
        stored = f"Attach_{number}{extension}"
        row = {
            "ID": str(number),
            "Name": attachment.name,
            "Format": extension.lstrip(".") or "bin",
            "CreationDate": f"{about.created:%Y-%m-%d}",
            "Size": length(len(attachment.octets) / _KIB),
            "Visible": str(attachment.visible).lower(),
        }
        add(add(root, "Attachment", row), "FileLoc", text=stored)
        files[posixpath.join(posixpath.dirname(_ATTACHED), stored)] = attachment.octets
    return {_ATTACHED: serialised(root)} | files


def _page_name(index: int) -> str:
    return f"Pages/Page_{index}/Content.xml"


def _template_name(index: int) -> str:
    return f"Tpls/Tpl_{index}/Content.xml"
