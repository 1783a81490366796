"""What changed since a signature: only further signatures, timestamps, validation data and metadata may be added.

The document as signed is walked from its catalog. Every object met there must be the same in the newest revision, but
for the few places where an addition is allowed; what a walk cannot reach cannot be seen by a reader of the page.
Filling in a form counts as a change: a sealed document says what it says.
"""

from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from seal.formats.pdf.dss_shape import misshapen
from seal.formats.pdf.form import SIGNATURE, fields, form, signature_fields
from seal.formats.pdf.likeness import added, differing, identical, members, same_shape, unsettled
from seal.formats.pdf.objects import Name, PdfDict, PdfError, PdfObject, Ref, Stream
from seal.formats.pdf.pages import leaves
from seal.formats.pdf.reader import View
from seal.formats.pdf.xref import PACKED

_MAX_OBJECTS = 500_000
# The catalog's entries that say nothing about what a page shows.
_FREE_IN_CATALOG = frozenset({"AcroForm", "DSS", "Extensions", "Metadata", "Perms", "Version"})
_NOT_WALKED = frozenset({"AcroForm", "DSS", "Extensions", "Metadata"})
_FREE_IN_FORM = frozenset({"Fields", "SigFlags"})
_DEFAULTS = frozenset({"DA", "DR"})
_FREE_IN_PAGE = frozenset({"Annots"})
_SET_BY_SIGNING = frozenset({"V", "AP", "M", "F", "P", "MK", "Lock", "SV"})
_ACTIONS = frozenset({"A", "AA"})
_WIDGET = Name("Widget")
_HIDDEN = 2


@dataclass(slots=True)
class _Comparison:
    """Two views of one file, and the signatures found in the newer one."""

    old: View
    new: View
    signed: AbstractSet[Ref]
    """Signature dictionaries that came after the older view."""
    stamps: AbstractSet[Ref]
    """Those of them that are timestamps: anyone can have one made, so they may show nothing."""
    start: list[PdfObject] = field(default_factory=list)
    """Where the walk starts."""
    pages: dict[int, list[PdfObject]] = field(default_factory=dict)
    """What to walk in place of a page: the page was compared entry by entry, its array of annotations may grow."""
    unsigned: set[int] = field(default_factory=set)
    """Signature fields that the older view shows unsigned."""

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
        for key in differing(self.old.catalog, self.new.catalog, _FREE_IN_CATALOG):
            yield f"/{key} of the catalog"
        before, after = self.old.catalog.get("DSS"), self.new.catalog.get("DSS")
        fault = None if self._alike(before, after) else misshapen(self.new, after)
        if fault:
            yield f"validation data: {fault}"
        # Neither the catalog nor the form is excused if it is met again further down, in some other part.
        self.start += [value for key, value in self.old.catalog.items() if key not in _NOT_WALKED]

    def _form(self) -> Iterator[str]:
        before, after = form(self.old) or {}, form(self.new) or {}
        if before and not after:
            yield "the form is gone"
            return
        # Defaults draw the fields that hold text; where all are signatures they draw nothing.
        unused = all(item.kind == SIGNATURE for item in fields(self.old))
        for key in sorted((before.keys() | after.keys()) - _FREE_IN_FORM):
            if key in _DEFAULTS and unused:
                continue
            if not self._alike(before.get(key), after.get(key)):
                yield f"/{key} of the form"
        listed = self.old.array(before.get("Fields"))
        free = _FREE_IN_FORM | (_DEFAULTS if unused else frozenset())
        self.start += [*listed, *(value for key, value in before.items() if key not in free)]
        for item in signature_fields(self.old):
            if item.ref is not None and self.old.resolve(item.value) is None:
                self.unsigned.add(item.ref.number)
        new = added(listed, self.new.array(after.get("Fields")))
        if new is None:
            yield "fields of the form are gone"
        for one in new or ():
            if not self._is_added_signature(one):
                yield "a form field that is no further signature"

    def _is_added_signature(self, item: PdfObject) -> bool:
        entries = self.new.resolve(item)
        return (
            isinstance(item, Ref)
            and self.old.place(item.number) is None
            and isinstance(entries, dict)
            and entries.get("FT") == SIGNATURE
            and entries.get("Subtype", _WIDGET) == _WIDGET
            and not _ACTIONS & entries.keys()
            and self._signed_by(entries.get("V"), shown_in=entries)
        )

    def _signed_by(self, value: PdfObject, *, shown_in: PdfDict) -> bool:
        """Tell whether ``value`` is a further signature, and one that may look as the widget ``shown_in`` does."""
        if not isinstance(value, Ref) or value not in self.signed:
            return False
        return value not in self.stamps or self._shows_nothing(shown_in)

    def _shows_nothing(self, widget: PdfDict) -> bool:
        flags = self.new.resolve(widget.get("F"))
        if isinstance(flags, int) and flags & _HIDDEN:
            return True
        sides = [self.new.resolve(side) for side in self.new.array(widget.get("Rect"))]
        return not sides or (len(sides) == 4 and (sides[0] == sides[2] or sides[1] == sides[3]))  # noqa: PLR2004

    def _signed_field(self, before: PdfObject, after: PdfObject) -> str | None:
        """Compare a field that was unsigned: as long as it is, nothing about it may change, least of all its looks."""
        if identical(before, after):
            return None
        if not isinstance(before, dict) or not isinstance(after, dict):
            return "a signature field"
        if not self._signed_by(after.get("V"), shown_in=after):
            return "a signature field that is no further signature"
        return next((f"/{key} of a signature field" for key in differing(before, after, _SET_BY_SIGNING)), None)

    def _pages(self) -> Iterator[str]:
        for page in leaves(self.old):
            after = self.new.load(page.ref)
            if not isinstance(after, dict):
                yield "a page is gone"
                continue
            for key in differing(page.entries, after, _FREE_IN_PAGE):
                yield f"/{key} of a page"
            annotations = self.old.array(page.entries.get("Annots"))
            self.pages[page.ref.number] = [
                *annotations,
                *(value for key, value in page.entries.items() if key not in _FREE_IN_PAGE),
            ]
            yield from self._annotations(annotations, self.new.array(after.get("Annots")))

    def _annotations(self, before: list[PdfObject], after: list[PdfObject]) -> Iterator[str]:
        new = added(before, after)
        if new is None:
            yield "annotations are gone"
        for item in new or ():
            if not self._is_signature_widget(item):
                yield "an annotation that is no further signature"

    def _is_signature_widget(self, item: PdfObject) -> bool:
        entries = self.new.resolve(item)
        if not isinstance(entries, dict) or entries.get("Subtype") != _WIDGET:
            return False
        if self._is_added_signature(item):
            return True
        parent = entries.get("Parent")
        # A widget apart from its field: the field must be a further signature and list it.
        if not isinstance(item, Ref) or self.old.place(item.number) is not None or not isinstance(parent, Ref):
            return False
        above = self.new.resolve(parent)
        return (
            self._is_added_signature(parent)
            and isinstance(above, dict)
            and item in self.new.array(above.get("Kids"))
            and not _ACTIONS & entries.keys()
            and self._signed_by(above.get("V"), shown_in=entries)
        )

    # --- everything else

    def _walk(self) -> Iterator[str]:
        seen: set[Ref] = set()
        todo = self.start
        while todo:
            value = todo.pop()
            if not isinstance(value, Ref):
                todo.extend(self._members(value))
                continue
            if value in seen:
                continue
            seen.add(value)
            if len(seen) > _MAX_OBJECTS:
                raise PdfError(f"more than {_MAX_OBJECTS} objects")
            if value.number in self.pages:
                todo += self.pages[value.number]
            else:
                todo.append(self.old.load(value))
                fault = self._changed(value)
                if fault:
                    yield fault
            entry = self.old.entry(value.number)
            if entry is not None and entry.kind == PACKED:
                # What an object stream's dictionary refers to decides how the objects in it are read.
                todo.append(Ref(entry.where, 0))

    def _members(self, value: PdfObject) -> Iterable[PdfObject]:
        # A signature's reference names the catalog as what it speaks of (12.8.1, /Data): that was compared by entries.
        if isinstance(value, dict) and "TransformMethod" in value and value.get("Data") == self.old.root:
            value = {key: item for key, item in value.items() if key != "Data"}
        return members(value)

    def _changed(self, ref: Ref) -> str | None:
        if self.old.place(ref.number) == self.new.place(ref.number):
            return None
        before, after = self.old.load(ref), self.new.load(ref)
        if ref.number in self.unsigned:
            return self._signed_field(before, after)
        # Null in both, and yet there: of a generation that this reference does not mean, and some readers show it.
        if identical(before, after) and before is not None:
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
            if len(seen) > _MAX_OBJECTS or not same_shape(left, right):
                return False
            todo.extend(unsettled(left, right))
        return True


def changes(old: View, new: View, *, signed: AbstractSet[Ref], stamps: AbstractSet[Ref]) -> Iterator[str]:
    """Say what ``new`` changes in the document as ``old`` showed it, but for the signatures ``signed``.

    ``stamps`` are those of them that are mere timestamps.
    """
    yield from _Comparison(old, new, signed, stamps).run()


def _describe(value: PdfObject) -> str:
    entries = value.entries if isinstance(value, Stream) else value
    if not isinstance(entries, dict):
        return "nothing" if entries is None else type(entries).__name__
    kind = entries.get("Subtype") or entries.get("Type") or entries.get("FT")
    return str(kind) if isinstance(kind, str) else "a dictionary"
