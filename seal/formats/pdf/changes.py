"""What changed since a signature: only further signatures, timestamps, validation data and metadata may be added.

The document as signed is walked from its catalog. Every object met there must be the same in the newest revision, but
for the few places where an addition is allowed; what a walk cannot reach cannot be seen by a reader of the page.
Filling in a form counts as a change: a sealed document says what it says.
"""

from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from seal.formats.pdf.form import SIGNATURE, fields, form, signature_fields
from seal.formats.pdf.objects import PdfDict, PdfError, PdfObject, Ref, Stream
from seal.formats.pdf.pages import leaves
from seal.formats.pdf.reader import View

_MAX_OBJECTS = 500_000
# The catalog's entries that say nothing about what a page shows.
_FREE_IN_CATALOG = frozenset({"AcroForm", "DSS", "Extensions", "Metadata", "Perms", "Version"})
_NOT_WALKED = frozenset({"DSS", "Extensions", "Metadata"})
_FREE_IN_FORM = frozenset({"Fields", "SigFlags"})
_DEFAULTS = frozenset({"DA", "DR"})
_FREE_IN_PAGE = frozenset({"Annots"})
_SET_BY_SIGNING = frozenset({"V", "AP", "M", "F", "P", "MK", "Lock", "SV"})


_END = object()


@dataclass(slots=True)
class _Comparison:
    """Two views of one file, and the signatures found in the newer one."""

    old: View
    new: View
    added: AbstractSet[Ref]
    """Signature dictionaries that came after the older view."""
    special: dict[int, Callable[[PdfObject, PdfObject], str | None]] = field(default_factory=dict)

    def run(self) -> Iterator[str]:
        """Say each change that is not allowed."""
        if self.old.root != self.new.root:
            yield "another catalog"
            return
        yield from self._catalog()
        yield from self._form()
        yield from self._pages()
        yield from self._walk()

    # --- places where additions are allowed

    def _catalog(self) -> Iterator[str]:
        yield from _differing(self.old.catalog, self.new.catalog, "the catalog", _FREE_IN_CATALOG)
        self.special[self.old.root.number] = _accept

    def _form(self) -> Iterator[str]:
        before, after = form(self.old), form(self.new)
        if before is None or after is None:
            if before is not None:
                yield "the form is gone"
            yield from self._new_fields([], after)
            return
        # Defaults draw the fields that hold text; where all are signatures they draw nothing.
        unused = all(item.kind == SIGNATURE for item in fields(self.old))
        for key in sorted((before.keys() | after.keys()) - _FREE_IN_FORM):
            if key in _DEFAULTS and (unused or key not in before):
                continue
            if not self._alike(before.get(key), after.get(key)):
                yield f"/{key} of the form"
        held = self.old.catalog.get("AcroForm")
        for place in (held, before.get("Fields")):
            if isinstance(place, Ref):
                self.special[place.number] = _accept
        yield from self._new_fields(self.old.array(before.get("Fields")), after)
        for item in signature_fields(self.old):
            if item.ref is not None and self.old.resolve(item.value) is None:
                self.special[item.ref.number] = self._signed_field

    def _new_fields(self, before: list[PdfObject], after: PdfDict | None) -> Iterator[str]:
        now = self.new.array(after.get("Fields")) if after else []
        added = _added(before, now)
        if added is None:
            yield "fields of the form are gone"
        for item in added or ():
            if not self._is_added_signature(item):
                yield "a form field that is no further signature"

    def _is_added_signature(self, item: PdfObject) -> bool:
        entries = self.new.resolve(item)
        return (
            isinstance(item, Ref)
            and self.old.place(item.number) is None
            and isinstance(entries, dict)
            and entries.get("FT") == SIGNATURE
            and entries.get("V") in self.added
            and "AA" not in entries
            and "A" not in entries
        )

    def _signed_field(self, before: PdfObject, after: PdfObject) -> str | None:
        if not isinstance(before, dict) or not isinstance(after, dict):
            return "a signature field"
        if after.get("V") not in self.added and "V" in after:
            return "a signature field's value"
        return next(_differing(before, after, "a signature field", _SET_BY_SIGNING), None)

    def _pages(self) -> Iterator[str]:
        for page in leaves(self.old):
            after = self.new.load(page.ref)
            self.special[page.ref.number] = _accept
            if not isinstance(after, dict):
                yield "a page is gone"
                continue
            yield from _differing(page.entries, after, "a page", _FREE_IN_PAGE)
            annotations = page.entries.get("Annots")
            if isinstance(annotations, Ref):
                self.special[annotations.number] = _accept
            yield from self._annotations(self.old.array(annotations), self.new.array(after.get("Annots")))

    def _annotations(self, before: list[PdfObject], after: list[PdfObject]) -> Iterator[str]:
        added = _added(before, after)
        if added is None:
            yield "annotations are gone"
        for item in added or ():
            if not self._is_signature_widget(item):
                yield "an annotation that is no further signature"

    def _is_signature_widget(self, item: PdfObject) -> bool:
        if self._is_added_signature(item):
            return True
        entries = self.new.resolve(item)
        parent = entries.get("Parent") if isinstance(entries, dict) else None
        # A widget apart from its field: the field must be a further signature and list it.
        if not isinstance(item, Ref) or self.old.place(item.number) is not None or not isinstance(parent, Ref):
            return False
        above = self.new.resolve(parent)
        return (
            self._is_added_signature(parent) and isinstance(above, dict) and item in self.new.array(above.get("Kids"))
        )

    # --- everything else

    def _walk(self) -> Iterator[str]:
        seen: set[int] = set()
        todo: list[PdfObject] = [value for key, value in self.old.catalog.items() if key not in _NOT_WALKED]
        while todo:
            value = todo.pop()
            if isinstance(value, Ref):
                if value.number in seen:
                    continue
                seen.add(value.number)
                if len(seen) > _MAX_OBJECTS:
                    raise PdfError(f"more than {_MAX_OBJECTS} objects")
                fault = self._changed(value)
                if fault:
                    yield fault
                todo.append(self.old.load(value))
            else:
                todo.extend(_members(value))

    def _changed(self, ref: Ref) -> str | None:
        if self.old.place(ref.number) == self.new.place(ref.number):
            return None
        before, after = self.old.load(ref), self.new.load(ref)
        judge = self.special.get(ref.number)
        if judge is not None:
            return judge(before, after)
        if before == after:
            return None
        return f"object {ref.number} ({_describe(before)})"

    def _alike(self, before: PdfObject, after: PdfObject) -> bool:
        """Tell whether two values say the same, though their objects may have other numbers."""
        todo = [(before, after)]
        seen: set[tuple[Ref, Ref]] = set()
        while todo:
            left, right = todo.pop()
            if isinstance(left, Ref) and isinstance(right, Ref):
                if (left, right) in seen:
                    continue
                seen.add((left, right))
            left, right = self.old.resolve(left), self.new.resolve(right)
            if len(seen) > _MAX_OBJECTS or not _same_shape(left, right):
                return False
            todo.extend(zip(_members(left), _members(right), strict=True))
        return True


def changes(old: View, new: View, added: AbstractSet[Ref]) -> Iterator[str]:
    """Say what ``new`` changes in the document as ``old`` showed it, but for the signatures ``added``."""
    yield from _Comparison(old, new, added).run()


def _accept(_before: PdfObject, _after: PdfObject) -> str | None:
    """Accept an object whose parts were compared one by one."""
    return None


def _added(before: list[PdfObject], after: list[PdfObject]) -> list[PdfObject] | None:
    """Give what ``after`` has beside the items of ``before`` in their order; None if one of these is gone."""
    rest = iter(before)
    wanted = next(rest, _END)
    added = []
    for item in after:
        if item == wanted:
            wanted = next(rest, _END)
        else:
            added.append(item)
    return added if wanted is _END else None


def _differing(before: PdfDict, after: PdfDict, what: str, free: AbstractSet[str]) -> Iterator[str]:
    for key in sorted((before.keys() | after.keys()) - free):
        if before.get(key) != after.get(key):
            yield f"/{key} of {what}"


def _members(value: PdfObject) -> list[PdfObject]:
    if isinstance(value, Stream):
        value = value.entries
    if isinstance(value, dict):
        return [value[key] for key in sorted(value)]
    return value if isinstance(value, list) else []


def _same_shape(left: PdfObject, right: PdfObject) -> bool:
    if isinstance(left, Stream) and isinstance(right, Stream):
        return left.raw == right.raw and left.entries.keys() == right.entries.keys()
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys()
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right)
    return type(left) is type(right) and left == right


def _describe(value: PdfObject) -> str:
    entries = value.entries if isinstance(value, Stream) else value
    if not isinstance(entries, dict):
        return "nothing" if entries is None else type(entries).__name__
    kind = entries.get("Subtype") or entries.get("Type") or entries.get("FT")
    return str(kind) if isinstance(kind, str) else "a dictionary"
