"""The document security store: certificates and facts on revocation in a PDF (ISO 32000-2 12.8.4.3)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from crypto.certificate import Certificate
from crypto.digests import SHA1
from crypto.errors import CryptoError
from seal.formats.pdf.append import Appender
from seal.formats.pdf.filters import Budget, decode
from seal.formats.pdf.objects import Name, PdfArray, PdfDict, PdfError, PdfObject, Ref, Stream
from seal.formats.pdf.reader import Document, View
from seal.trust.evidence import Evidence
from seal.trust.facts import Facts, KeptAnswer, KeptList, kept_answer, kept_list

MAX_REVISIONS = 32
"""Revisions whose stores are read: of more, the last."""
MAX_STREAMS = 256
MAX_OCTETS = 16 * 1024 * 1024
"""Octets of all streams of all stores together."""
MAX_CERTIFICATE = 64 * 1024
_CERTS, _CRLS, _OCSPS = "Certs", "CRLs", "OCSPs"
_KINDS = {_CERTS: "Cert", _CRLS: "CRL", _OCSPS: "OCSP"}
"""An entry of the store, and what it is called in the part about one signature."""


# --- reading ---------------------------------------------------------------------------------------------------


class Store(NamedTuple):
    """What the stores of a document hold; anyone may have put it there, each fact is signed by who may speak it."""

    certificates: tuple[Certificate, ...] = ()
    facts: Facts = Facts()


@dataclass(slots=True)
class _Kept:
    """What one revision brought."""

    certificates: list[Certificate] = field(default_factory=list)
    crls: list[KeptList] = field(default_factory=list)
    answers: list[KeptAnswer] = field(default_factory=list)

    def take(self, kind: str, octets: bytes) -> None:
        """Keep what can be read; what cannot is left out, as if it were not there."""
        try:
            if kind == _CRLS:
                self.crls.append(kept_list(octets))
            elif kind == _OCSPS:
                self.answers.append(kept_answer(octets))
            elif len(octets) <= MAX_CERTIFICATE:
                self.certificates.append(Certificate.from_der(octets))
        except CryptoError:
            return


class Stores:
    """The stores of every revision from ``first`` on: what a later one leaves out again still counts.

    Never raises for what a store holds. The part about single signatures is read for what it lists alone: the times
    it names are nobody's word.
    """

    def __init__(self, document: Document, first: int) -> None:
        self._document = document
        self._first = first
        self._read: list[tuple[int, _Kept]] | None = None
        self._upto: dict[int, Store] = {}

    def upto(self, revision: int) -> Store:
        """Give what stood in the document by ``revision``."""
        if revision not in self._upto:
            kept = [each for index, each in self._kept() if index <= revision]
            facts = Facts(
                crls=(one for each in kept for one in each.crls), answers=(one for each in kept for one in each.answers)
            )
            self._upto[revision] = Store(tuple(one for each in kept for one in each.certificates), facts)
        return self._upto[revision]

    @property
    def all(self) -> Store:
        """Everything."""
        return self.upto(len(self._document.revisions))

    def _kept(self) -> list[tuple[int, _Kept]]:
        if self._read is None:
            reading = _Reading()
            last = len(self._document.revisions)
            indexes = range(self._first, last)
            if len(indexes) > MAX_REVISIONS:
                indexes = range(last - MAX_REVISIONS, last)
            self._read = []
            for index in indexes:
                kept = _Kept()
                for kind, octets in reading.new(self._document.view(index)):
                    kept.take(kind, octets)
                self._read.append((index, kept))
        return self._read


@dataclass(slots=True)
class _Reading:
    seen: set[tuple[int, int, int] | None] = field(default_factory=set)
    budget: Budget = field(default_factory=lambda: Budget(MAX_OCTETS))

    def new(self, view: View) -> Iterator[tuple[str, bytes]]:
        """Give the streams that no earlier revision had, oldest first: later ones cannot crowd them out."""
        try:
            for kind, ref in _listed(view):
                place = view.place(ref.number)
                if place in self.seen or len(self.seen) >= MAX_STREAMS:
                    continue
                self.seen.add(place)
                octets = self._octets(view, ref)
                if octets is not None:
                    yield kind, octets
        except PdfError:
            return

    def _octets(self, view: View, ref: Ref) -> bytes | None:
        try:
            value = view.load(ref)
            return decode(value, self.budget) if isinstance(value, Stream) else None
        except PdfError:
            return None


def _listed(view: View) -> Iterator[tuple[str, Ref]]:
    store = view.resolve(view.catalog.get("DSS"))
    if not isinstance(store, dict):
        return
    for kind in _KINDS:
        yield from _refs(view, kind, store.get(kind))
    about = view.resolve(store.get("VRI"))
    for single in _first(about):
        entries = view.resolve(single)
        if isinstance(entries, dict):
            for kind, name in _KINDS.items():
                yield from _refs(view, kind, entries.get(name))


def _first(value: PdfObject) -> list[PdfObject]:
    """Give the first members of a dictionary."""
    return list(value.values())[:MAX_STREAMS] if isinstance(value, dict) else []


def _refs(view: View, kind: str, value: PdfObject) -> Iterator[tuple[str, Ref]]:
    found = view.resolve(value)
    for each in found[:MAX_STREAMS] if isinstance(found, list) else ():
        if isinstance(each, Ref):
            yield kind, each


# --- writing ---------------------------------------------------------------------------------------------------


def with_evidence(document: bytes, about: Iterable[tuple[bytes, Evidence]]) -> bytes:
    """Append a revision whose store holds the evidence beside what was there; ``about`` begins with the contents.

    Contents are those of the signatures that the evidence is about, padding included.
    """
    pdf = Document(document)
    pdf.check_revisions()
    view = pdf.current
    appender = Appender(view)
    held = view.resolve(view.catalog.get("DSS"))
    writing = _Writing(view, appender, dict(held) if isinstance(held, dict) else {})
    writing.run(tuple(about))
    return document + appender.finish(b"dss %d" % len(document)).tail


@dataclass(slots=True)
class _Writing:
    view: View
    appender: Appender
    store: PdfDict
    known: dict[tuple[str, bytes], Ref] = field(default_factory=dict)

    def run(self, about: tuple[tuple[bytes, Evidence], ...]) -> None:
        lists: dict[str, PdfArray] = {}
        for kind in _KINDS:
            lists[kind] = list(self.view.array(self.store.get(kind), f"/{kind}"))
            for each in lists[kind]:
                stream = self.view.resolve(each)
                if isinstance(each, Ref) and isinstance(stream, Stream):
                    self.known[kind, decode(stream, Budget(MAX_OCTETS))] = each
        singles = self.view.resolve(self.store.get("VRI"))
        told: PdfDict = dict(singles) if isinstance(singles, dict) else {}
        for contents, evidence in about:
            told[signature_key(contents)] = self._single(evidence, lists)
        # An array that is empty is left out: EN 319 142-1 5.4.2.2 has no use for it.
        self.store |= {kind: refs for kind, refs in lists.items() if refs}
        self.store |= {"Type": Name("DSS"), "VRI": told}
        reference = self.view.catalog.get("DSS")
        if isinstance(reference, Ref) and isinstance(self.view.load(reference), dict):
            self.appender.put(reference, self.store)
        else:
            made = self.appender.reserve()
            self.appender.put(made, self.store)
            self.appender.put(self.view.root, {**self.view.catalog, "DSS": made})

    def _single(self, evidence: Evidence, lists: dict[str, PdfArray]) -> PdfDict:
        entries: PdfDict = {"Type": Name("VRI")}
        for kind, octets in (
            (_CERTS, evidence.certificates),
            (_CRLS, evidence.crls),
            (_OCSPS, evidence.answers),
        ):
            refs: PdfArray = [self._stream(kind, each, lists[kind]) for each in octets]
            if refs:
                entries[_KINDS[kind]] = refs
        return entries

    def _stream(self, kind: str, octets: bytes, listed: PdfArray) -> Ref:
        if (kind, octets) not in self.known:
            ref = self.appender.reserve()
            self.appender.put(ref, Stream({}, octets))
            self.known[kind, octets] = ref
            listed.append(ref)
        return self.known[kind, octets]


def signature_key(contents: bytes) -> str:
    """Name a signature as the store does: by SHA-1 of its contents, padding included."""
    return SHA1.digest(contents).hex().upper()
