"""Sealing PDF at each PAdES level with a stamper in this process: the middle, and how far the slowest is from it."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Protocol

from benchmarks.row import Contender, Row, Spread, cpu_microseconds
from crypto.crl import make_crl
from crypto.digests import DigestAlgorithm
from crypto.keys import Signer
from crypto.timestamp_build import Imprint, TokenTemplate
from crypto.x509 import ROOT, SIGNER, TSA, Certificate, CertificateProfile, make_certificate, name
from kernel.clock import ManualClock
from seal.formats.pdf import PDF_PADES, raise_newest, verify_pdf
from seal.levels import Level
from seal.model import Credential, Mark
from seal.pki.tsa_client import Stamped
from seal.stamping import Stamping
from seal.trust import Facts, Trust
from seal.trust.evidence import TrustEvidence

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
ROUNDS, TIMES = 30, 10
STEADY = 5
"""The slowest of a hundred may take this many times the middle."""
_SIGNATURES = {Level.B: 1, Level.T: 2, Level.LT: 2, Level.LTA: 3}


class Sealer(Protocol):
    """Whose key and mark are measured."""

    @property
    def key(self) -> Signer:
        """The key; others of its kind are made like it."""

    @property
    def mark(self) -> Mark:
        """The picture, and where it goes."""


def rows(document: bytes, sealers: Iterable[Sealer]) -> list[Row]:
    """Measure."""
    return [row for sealer in sealers for row in _rows(document, _Desk(sealer))]


class _Desk:
    """A ``Stamper`` and sealer in one, with its root and the root's list."""

    def __init__(self, sealer: Sealer) -> None:
        self.suite = sealer.key.suite
        self._key, self._mark = sealer.key, sealer.mark
        self._serials = count(1)
        self._root_key, tsa_key = type(sealer.key)(), type(sealer.key)()
        self._root = self._certificate("Benchmark root", self._root_key, ROOT)
        self._certified = self._certificate("Seal", self._key, SIGNER)
        tsa = self._certificate("Time stamps", tsa_key, TSA)
        self._tokens = TokenTemplate(tsa, (), tsa_key, policy="1.2.156.10197.99.1")
        issued = make_crl(
            issuer=self._root,
            issuer_key=self._root_key,
            number=1,
            this_update=NOW - timedelta(hours=1),
            next_update=NOW + timedelta(days=7),
            revoked=(),
        )
        self.trust = Trust(anchors=(self._root,), facts=Facts(crls=(issued,)), now=NOW)
        self._evidence = TrustEvidence(lambda: self.trust, ManualClock(NOW))
        self._stamping = Stamping(self, self.suite.digest)

    def _certificate(self, called: str, key: Signer, profile: CertificateProfile) -> Certificate:
        return make_certificate(
            subject=name(called),
            public_key=key.public_key,
            issuer=None if profile is ROOT else self._root,
            issuer_key=self._root_key,
            serial=next(self._serials),
            not_before=NOW - timedelta(days=30),
            not_after=NOW + timedelta(days=365),
            profile=profile,
        )

    def stamp(self, digest: DigestAlgorithm, value: bytes) -> Stamped:
        """Stamp, here and now."""
        token = self._tokens.token(Imprint.of(digest.oid, value), serial=next(self._serials), at=NOW)
        return Stamped(token=token, time=NOW, by="here")

    def seal(self, document: bytes, level: Level) -> bytes:
        """Seal as the service does."""
        stamping = self._stamping if level.stamped else None
        credential = Credential(
            certificate=self._certified,
            chain=(),
            suite=self.suite,
            stamper=stamping,
            stamp_room=self._stamping.room,
        )
        sealed = PDF_PADES.prepare(document, self._mark, credential, NOW).apply(self._key.sign)
        return raise_newest(sealed, level, self._evidence, self._stamping) if level.lasting else sealed

    def floor(self, document: bytes, signatures: int) -> None:
        """Do what cannot be done without: a digest, and so many signatures."""
        digest = self.suite.digest.digest(document)
        for _ in range(signatures):
            self._key.sign(digest)


def _rows(document: bytes, desk: _Desk) -> Iterator[Row]:
    for level in Level:
        sealed = desk.seal(document, level)
        (first, *_) = verify_pdf(sealed, desk.trust).signatures
        assert first.level == level
        signatures = _SIGNATURES[level]
        contenders: Sequence[Contender] = (
            Contender(run=lambda level=level: desk.seal(document, level), times=TIMES),  # type: ignore[misc]
            Contender(run=lambda sealed=sealed, n=signatures: desk.floor(sealed, n), times=TIMES),  # type: ignore[misc]
            Contender(run=lambda sealed=sealed: verify_pdf(sealed, desk.trust), times=TIMES),  # type: ignore[misc]
        )
        sealing, floor, judging = cpu_microseconds(contenders, rounds=ROUNDS)
        called = f"{desk.suite.name} {level}"
        unit = "µs CPU"
        yield Row(work=f"seal {called}", unit=unit, ours=sealing, peer=f"digest + {signatures} raw", theirs=floor)
        for what, spread in (("seal", sealing), ("verify", judging)):
            slowest = spread.p50 if spread.p99 is None else spread.p99
            yield Row(
                work=f"{what} {called}: the slowest of a hundred",
                unit=unit,
                ours=Spread(p50=slowest, p99=None),
                peer=f"{STEADY} times the middle",
                theirs=Spread(p50=STEADY * spread.p50, p99=None),
                reach=1.0,
            )
