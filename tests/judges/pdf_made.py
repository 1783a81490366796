"""What we seal, for outside judges to look at: a format or level joins by one row."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from crypto.crl import make_crl
from crypto.issuing import make_certificate
from crypto.suites import ES256, SM2_SM3, Suite
from crypto.x509 import ROOT, SIGNER, name
from seal.model import Credential, Mark
from seal.placing import AtPoint
from tests.seal.pdf.making import NOW, P256Key, Sealer, Sm2Key, make_picture


@dataclass(frozen=True, slots=True)
class World:
    """One who seals under a root of its own, and the root's revocation list, DER."""

    sealer: Sealer
    crl: bytes

    def seal(self, document: bytes, x_mm: int = 140) -> bytes:
        """Put one seal of ours on the last page."""
        picture = make_picture(60, 30)
        mark = Mark(seal_name="某某区行政审批局", picture=picture, placement=AtPoint.on(-1, x_mm=x_mm, y_mm=150))
        return self.sealer.seal(document, replace(mark, reason="签发证照"))


def make_world(suite: Suite) -> World:
    root_key, key = (P256Key(), P256Key()) if suite is ES256 else (Sm2Key(), Sm2Key())
    start, end = NOW - timedelta(days=30), NOW + timedelta(days=365)
    root = make_certificate(
        subject=name("测试根", "信印"),
        public_key=root_key.public_key,
        issuer=None,
        issuer_key=root_key,
        serial=1,
        not_before=start,
        not_after=end,
        profile=ROOT,
    )
    certificate = make_certificate(
        subject=name("某某区行政审批局", "某某区行政审批局"),
        public_key=key.public_key,
        issuer=root,
        issuer_key=root_key,
        serial=2,
        not_before=start,
        not_after=end,
        profile=SIGNER,
    )
    crl = make_crl(
        issuer=root,
        issuer_key=root_key,
        number=1,
        this_update=NOW - timedelta(hours=1),
        next_update=NOW + timedelta(days=7),
        revoked=(),
    )
    return World(Sealer(key, Credential(certificate=certificate, chain=(), suite=suite), root), crl.raw)


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """One kind of document we make."""

    what: str
    suite: Suite
    levels: tuple[str, ...]
    """What DSS and pyHanko must find, in the order of signing."""
    make: Callable[[World, bytes], bytes]

    @property
    def sm2(self) -> bool:
        return self.suite is SM2_SM3

    def __str__(self) -> str:
        return f"{self.what}, {self.suite.name}"


def _two(world: World, document: bytes) -> bytes:
    return world.seal(world.seal(document), 20)


MADE = tuple(
    Made(what=what, suite=suite, levels=levels, make=make)
    for suite in (ES256, SM2_SM3)
    for what, levels, make in (
        ("one seal, B-B", ("PAdES-BASELINE-B",), World.seal),
        ("two seals, B-B", ("PAdES-BASELINE-B",) * 2, _two),
    )
)
