"""Closing a document: nothing but time stamps and validation data may follow (ISO 32000-2 12.8.2.2, 12.7.5.5).

The first signature certifies the document with no changes permitted. Only the first may: a later one locks, by the
lock of its field, what the readers that know certification honour in the same way.
"""

from seal.formats.pdf.append import Appender
from seal.formats.pdf.form import signature_fields
from seal.formats.pdf.objects import PdfDict, Ref
from seal.formats.pdf.reader import View
from seal.model import Mark

_CERTIFIES = b"/Reference[<</Type/SigRef/TransformMethod/DocMDP/TransformParams<</Type/TransformParams/P 1/V/1.2>>>>]"
# /P among the parameters of FieldMDP is what Acrobat writes where a field's lock has it.
_LOCKS = (
    b"/Reference[<</Type/SigRef/TransformMethod/FieldMDP"
    b"/TransformParams<</Type/TransformParams/Action/All/P 1/V/1.2>>/Data %d %d R>>]"
)
_LOCK = b"/Lock<</Type/SigFieldLock/Action/All/P 1>>"


def close(view: View, appender: Appender, mark: Mark, signature: Ref) -> bytes:
    """Give what the dictionary of ``signature`` says if ``mark`` closes; the catalog names the one that certifies."""
    if not mark.closes:
        return b""
    if _bears_signature(view):
        return _LOCKS % view.root
    held = view.resolve(view.catalog.get("Perms"))
    permissions: PdfDict = {**(held if isinstance(held, dict) else {}), "DocMDP": signature}
    appender.extend(view.root, view.catalog, {"Perms": permissions})
    return _CERTIFIES


def lock(view: View, mark: Mark) -> bytes:
    """Give what the field says if ``mark`` closes a document that is signed already."""
    return _LOCK if mark.closes and _bears_signature(view) else b""


def _bears_signature(view: View) -> bool:
    return any(view.resolve(item.value) is not None for item in signature_fields(view))
