"""Worlds that seal for outside judges: authorities, a signer and a stamper, all of one suite."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache, cached_property
from itertools import count

from crypto.engines import default_engine
from crypto.keys import digest_to_sign
from crypto.suites import SUITE_OF_KEY, Suite
from crypto.vaults.software import FreshKey, make_key, open_key
from crypto.x509 import Certificate, CertificateProfile
from seal.formats.pdf import PDF_PADES, raise_newest
from seal.levels import Level
from seal.model import Credential, Mark, SealFormat
from seal.placing import AtPoint, Placement
from seal.ses import make_seseal
from tests.crypto.authority import Holder
from tests.seal.pdf.lasting import YEAR, Desk, LongWorld
from tests.seal.pdf.making import make_picture
from tests.seal.trust.making import AT, DAY

MINUTE = timedelta(minutes=1)
SOMEWHERE = AtPoint.on(-1, x_mm=140, y_mm=150)
MARK = Mark(seal_name="某某区行政审批局", picture=make_picture(60, 30), placement=SOMEWHERE, reason="签发证照")


class Key:
    """A key in memory, of any suite. The n-th keys of all worlds are the same key, as far as they can be."""

    def __init__(self, suite: Suite, number: int) -> None:
        made = _made(SUITE_OF_KEY[suite.key], number)
        self.suite = suite
        self.public_key = made.public_key
        self._sign = open_key(suite, default_engine(), made.pkcs8)

    def sign(self, message: bytes) -> bytes:
        return self._sign(digest_to_sign(self.suite, self.public_key, message))


@cache
def _made(suite: Suite, number: int) -> FreshKey:
    """Make a key once: making RSA takes long."""
    del number
    return make_key(suite, default_engine())


@dataclass
class _Authorities(LongWorld):
    suite: Suite = field(kw_only=True)
    numbers: "count[int]" = field(default_factory=count)

    def holder(
        self,
        called: str,
        profile: CertificateProfile,
        issuer: Holder | None,
        *,
        not_after: datetime = AT + 400 * DAY,
        offers: bool = True,
        key: object = None,
    ) -> Holder:
        own = key or Key(self.suite, next(self.numbers))
        called = f"{called} {self.suite.name}"  # authorities of one name would be taken for one another
        return super().holder(called, profile, issuer, not_after=not_after, offers=offers, key=own)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """A document, and under what it is judged."""

    pdf: bytes = field(repr=False)
    anchors: tuple[Certificate, ...]
    at: datetime = AT + MINUTE
    crls: tuple[bytes, ...] = field(default=(), repr=False)
    """What the judge is brought: nothing where the document says that it has all."""

    def trusting(self, *more: Certificate) -> "Sealed":
        """Have the judge trust others too."""
        return replace(self, anchors=(*self.anchors, *more))


@dataclass(frozen=True)
class World:
    """One who seals, and the authorities behind."""

    suite: Suite
    authorities: LongWorld

    def desk(self, mark: Mark = MARK) -> Desk:
        return Desk(self.authorities, mark)

    @property
    def root(self) -> Certificate:
        return self.authorities.root.certificate

    @property
    def issuer(self) -> Certificate:
        """The authority right above signer and seal maker."""
        return self.authorities.ca.certificate

    @cached_property
    def crls(self) -> tuple[bytes, ...]:
        """What the authorities publish when things are sealed."""
        return tuple(each.raw for each in self.desk().lists)

    def seal(
        self,
        document: bytes,
        *,
        level: Level = Level.B,
        layout: SealFormat = PDF_PADES,
        placement: Placement = SOMEWHERE,
        closes: bool = False,
        shown: bool = True,
        stamped_by: "World | None" = None,
    ) -> bytes:
        """Seal once; formats that need an e-seal get one."""
        desk, holder = self.desk(), self.authorities.signer
        stamping = (stamped_by or self).desk().stamping()
        credential = Credential(
            certificate=holder.certificate,
            chain=(self.authorities.ca.certificate,),
            suite=self.suite,
            seseal=self._seseal() if layout.name == "pdf-ses-v4" else None,
            stamper=stamping if level.stamped else None,
            stamp_room=stamping.room,
        )
        mark = replace(MARK, placement=placement, closes=closes, shown=shown)
        sealed = layout.prepare(document, mark, credential, AT).apply(holder.signer.sign)
        return raise_newest(sealed, level, desk.evidence, stamping) if level.lasting else sealed

    def renew(self, document: bytes, years: float) -> bytes:
        """Renew what lasts, years later, with another stamper."""
        desk = self.desk()
        desk.be_at(years)
        desk.tsa = self.authorities.next_tsa
        return desk.renew(document)

    def _seseal(self) -> bytes:
        maker = self.authorities.maker
        return make_seseal(
            header_vid="XINYIN",
            esid="44030000000001",
            kind=1,
            name=MARK.seal_name,
            certificates=[self.authorities.signer.certificate],
            created=AT - 30 * DAY,
            valid_from=AT - 30 * DAY,
            valid_to=AT + 300 * DAY,
            picture=MARK.picture,
            maker=maker.signer,
            maker_certificate=maker.certificate,
        )


def make_world(suite: Suite) -> World:
    return World(suite, _Authorities(suite=suite))


def asked(pdf: bytes, worlds: Sequence[World], *, years: float = 0, alone: bool = False) -> Sealed:
    """Say under what ``pdf`` is judged; ``alone``: with nothing brought but the roots."""
    crls = () if alone else tuple(each for world in worlds for each in world.crls)
    return Sealed(pdf=pdf, anchors=tuple(world.root for world in worlds), at=AT + years * YEAR + MINUTE, crls=crls)
