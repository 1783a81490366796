"""Signature fields: the interactive form's tree, walked within limits (ISO 32000-2 12.7)."""

from collections.abc import Iterator
from dataclasses import dataclass

from seal.formats.pdf.objects import Name, PdfDict, PdfError, PdfObject, Ref
from seal.formats.pdf.reader import Document, View

_MAX_FIELDS = 20_000
_MAX_DEPTH = 32
_MAX_LOOKED_UP = 1_000_000
SIGNATURE = Name("Sig")


@dataclass(frozen=True, slots=True)
class Field:
    """A terminal or inner field as the tree shows it, with what it inherits."""

    ref: Ref | None
    entries: PdfDict
    name: str
    """Fully qualified name; not necessarily unique."""
    kind: PdfObject
    value: PdfObject
    """/V as it stands, not followed."""
    locked: PdfObject = None
    repeats: bool = False
    """Nameless, and its value but the one it inherits: a mere widget of the field above."""


def form(view: View) -> PdfDict | None:
    """Give the interactive form dictionary, if there is one."""
    found = view.resolve(view.catalog.get("AcroForm"))
    if found is None:
        return None
    if not isinstance(found, dict):
        raise PdfError("/AcroForm is not a dictionary")
    return found


def fields(view: View) -> Iterator[Field]:
    """Give every field of the form; a loop in the tree is refused."""
    entries = form(view)
    if entries is None:
        return
    seen: set[Ref] = set()
    todo: list[tuple[PdfObject, Field | None, int]] = [
        (item, None, 0) for item in reversed(view.array(entries.get("Fields"), "/Fields"))
    ]
    count = 0
    while todo:
        item, parent, depth = todo.pop()
        count += 1
        if isinstance(item, Ref):
            if item in seen:
                raise PdfError("a form field is met twice")
            seen.add(item)
        if depth > _MAX_DEPTH or count > _MAX_FIELDS:
            raise PdfError("the form has too many fields")
        field = _field(view, item, parent)
        if field is None:
            continue
        yield field
        kids = view.array(field.entries.get("Kids"), "a field's /Kids")
        todo.extend((kid, field, depth + 1) for kid in reversed(kids))


def _field(view: View, item: PdfObject, parent: Field | None) -> Field | None:
    entries = view.resolve(item)
    if entries is None:
        return None
    if not isinstance(entries, dict):
        raise PdfError("a form field is not a dictionary")
    partial = view.resolve(entries.get("T"))
    name = parent.name if parent else ""
    if isinstance(partial, bytes):
        name = f"{name}.{text_of(partial)}" if name else text_of(partial)
    return Field(
        ref=item if isinstance(item, Ref) else None,
        entries=entries,
        name=name,
        kind=view.resolve(entries["FT"]) if "FT" in entries else parent.kind if parent else None,
        value=entries.get("V", parent.value if parent else None),
        locked=entries.get("Lock"),
        repeats=parent is not None and "T" not in entries and entries.get("V", parent.value) == parent.value,
    )


def text_of(value: bytes) -> str:
    """Read a text string (ISO 32000-2 7.9.2.2)."""
    if value.startswith(b"\xfe\xff"):
        return value[2:].decode("utf-16-be", "replace")
    return value.decode("latin-1")


def signature_fields(view: View) -> tuple[Field, ...]:
    """Give the signature fields, those not yet signed too; the nameless widgets of a field are no fields."""
    return tuple(filter(is_signature_field, fields(view)))


class TooManyFields(PdfError):
    """The fields of all revisions together are too many to be looked at."""


def earlier_signature_fields(document: Document) -> Iterator[tuple[int, View, Field]]:
    """Give the signature fields of every revision but the newest, each with the revision's index and view."""
    looked_up = 0
    for index in range(len(document.revisions) - 1):
        before = document.view(index)
        shown = tuple(fields(before))
        # Each field is looked for in every section that the revision builds on.
        looked_up += len(shown) * len(before.sections)
        if looked_up > _MAX_LOOKED_UP:
            raise TooManyFields("too many fields in too many revisions")
        yield from ((index, before, item) for item in shown if is_signature_field(item))


def is_signature_field(item: Field) -> bool:
    """Tell whether ``item`` is a signature field, and not a nameless widget of one."""
    return (
        item.kind == SIGNATURE
        and bool({"T", "V"} & item.entries.keys() or "Parent" not in item.entries)
        and not (item.repeats and isinstance(item.value, Ref))
    )


def forbids_more(view: View, signature: PdfDict) -> bool:
    """Tell whether ``signature`` certifies the document with no changes permitted (12.8.2.2, P = 1)."""
    for item in view.array(signature.get("Reference"), "/Reference"):
        reference = view.resolve(item)
        if not isinstance(reference, dict) or view.resolve(reference.get("TransformMethod")) != Name("DocMDP"):
            continue
        parameters = view.resolve(reference.get("TransformParams"))
        if isinstance(parameters, dict) and view.resolve(parameters.get("P")) == 1:
            return True
    return False
