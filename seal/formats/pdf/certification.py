"""Judging certification: one signature at most certifies, the first, and the catalog names it (12.8.2.2, 12.8.6)."""

from collections.abc import Iterator, Sequence

from seal.formats.pdf.coverage import Covered
from seal.formats.pdf.findings import Code
from seal.formats.pdf.form import forbids_more
from seal.formats.pdf.objects import Name, PdfDict, PdfObject, Ref
from seal.formats.pdf.reader import View
from seal.model import Finding


def closes(view: View, one: Covered) -> bool:
    """Tell whether ``one`` permits no change: as certification, or by the lock of its field."""
    held = view.resolve(one.shown_by.locked)
    return forbids_more(view, one.entries) or (isinstance(held, dict) and view.resolve(held.get("P")) == 1)


def judge_certification(view: View, held: Sequence[Covered]) -> Iterator[Finding]:
    """Say what is wrong with who certifies; ``held`` are the signatures in the order of what they cover."""
    certifying = [one for one in held if _certifies(view, one.entries)]
    for one in certifying:
        if one is not held[0]:
            yield Code.CERTIFICATION_NOT_FIRST.found(f"field {one.shown_by.name!r}")
    named = certified_by(view)
    if named is not None and named not in {one.ref for one in certifying}:
        yield Code.CERTIFICATION_UNCLEAR.found("/Perms names something that certifies nothing")
    elif named is None and certifying:
        yield Code.CERTIFICATION_UNCLEAR.found("a signature certifies that /Perms does not name")


def certified_by(view: View) -> PdfObject:
    """Give what the catalog names as the certifying signature, not followed; None if it names none."""
    permissions = view.resolve(view.catalog.get("Perms"))
    named = permissions.get("DocMDP") if isinstance(permissions, dict) else None
    return named if isinstance(named, Ref) or named is None else Name("no reference")


def _certifies(view: View, signature: PdfDict) -> bool:
    for item in view.array(signature.get("Reference"), "/Reference"):
        reference = view.resolve(item)
        if isinstance(reference, dict) and view.resolve(reference.get("TransformMethod")) == Name("DocMDP"):
            return True
    return False
