"""Attacks by family: each variant a function that makes something else of a sealed file; its docstring says how."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from seal.formats.pdf.coverage import Covered, covered
from seal.formats.pdf.form import signature_fields
from seal.formats.pdf.objects import PdfArray, PdfDict, Ref
from seal.formats.pdf.reader import Document
from seal.model import Verdict

Forge: TypeAlias = Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """One variant: what it does to a sealed file, and what is to be said of the result."""

    family: str
    variant: str
    mechanism: str
    forge: Forge = field(repr=False)
    expected: Verdict = Verdict.INVALID

    def __str__(self) -> str:
        return f"{self.family}: {self.variant}"


@dataclass(slots=True)
class Family:
    """The variants of one idea, in the order of their writing."""

    name: str
    expected: Verdict = Verdict.INVALID
    variants: list[Attack] = field(default_factory=list)

    def __call__(self, forge: Forge) -> Forge:
        """Add ``forge`` under its own name."""
        name = str(getattr(forge, "__name__", "")).replace("_", " ")
        self.add(name, (forge.__doc__ or "").rstrip("."), forge)
        return forge

    def add(self, variant: str, mechanism: str, forge: Forge) -> None:
        """Add ``forge`` as ``variant``."""
        self.variants.append(
            Attack(family=self.name, variant=variant, mechanism=mechanism, forge=forge, expected=self.expected)
        )

    def __iter__(self) -> Iterator[Attack]:
        return iter(self.variants)


@dataclass(frozen=True, slots=True)
class Seal:
    """What an attacker knows of the newest seal in a file."""

    widget: int
    signature: int
    covered: Covered = field(repr=False)

    @property
    def gap(self) -> tuple[int, int]:
        return self.covered.gap


def seal_of(sealed: bytes, index: int = -1) -> Seal:
    """Find a seal: the newest, or the one with that index."""
    read = Document(sealed)
    fields = sorted(
        (covered(read, read.current, item) for item in signature_fields(read.current) if item.value is not None),
        key=lambda one: one.end,
    )
    one = fields[index]
    assert one.shown_by.ref is not None
    return Seal(one.shown_by.ref.number, one.ref.number, one)


def entries(sealed: bytes, number: int) -> PdfDict:
    """Give dictionary ``number`` as it now is, to be changed at will."""
    return dict(Document(sealed).current.dictionary(Ref(number, 0)))


def listed(sealed: bytes, number: int, key: str) -> PdfArray:
    """Give the array under ``key`` of dictionary ``number``."""
    view = Document(sealed).current
    return list(view.array(view.dictionary(Ref(number, 0)).get(key)))


def overwritten(sealed: bytes, old: bytes, new: bytes, *, start: int = 0) -> bytes:
    """Put ``new`` over the first ``old`` from ``start`` on, blanks after it, so that nothing behind it moves."""
    at = sealed.index(old, start)
    assert len(new) <= len(old), "what is put in must fit"
    return sealed[:at] + new.ljust(len(old)) + sealed[at + len(old) :]
