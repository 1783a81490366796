"""A world that lasts: signers, stampers and facts over the years, and documents sealed and renewed in it."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from itertools import count

from crypto.crl import RevocationList
from crypto.digests import DigestAlgorithm
from crypto.ocsp_answer import parse_answer
from crypto.revoked import Revoked
from crypto.suites import ES256, SM2_SM3, Suite
from crypto.timestamp_build import Imprint, TokenTemplate
from crypto.x509 import SUB_CA, TSA, CertificateProfile
from kernel.clock import ManualClock
from seal.formats.pdf import PDF_PADES, raise_all, raise_newest, verify_pdf
from seal.levels import Level
from seal.model import Credential, Mark, Report
from seal.pki.tsa_client import Stamped
from seal.stamping import Stamping
from seal.trust import Facts, Trust
from seal.trust.evidence import TrustEvidence
from tests.crypto.authority import Holder
from tests.seal.pdf.making import P256Key, Sm2Key
from tests.seal.trust.making import AT, DAY, HOUR, World

YEAR = timedelta(days=365)
POLICY = "1.2.156.10197.99.1"


class LongWorld(World):
    """Its authorities last twenty years; keys are of one suite."""

    suite: Suite = ES256

    def holder(
        self,
        called: str,
        profile: CertificateProfile,
        issuer: Holder | None,
        *,
        not_after: datetime = AT + 400 * DAY,
        offers: bool = True,
        key: P256Key | None = None,
    ) -> Holder:
        own = key or (P256Key() if self.suite is ES256 else Sm2Key())
        until = AT + 20 * YEAR if profile is SUB_CA or issuer is None else not_after
        return super().holder(called, profile, issuer, not_after=until, offers=offers, key=own)  # type: ignore[arg-type]

    @cached_property
    def tsa(self) -> Holder:
        """Stamps for three years."""
        return self.holder("时间戳", TSA, self.ca, not_after=AT + 3 * YEAR)

    @cached_property
    def next_tsa(self) -> Holder:
        """Stamps for ten years."""
        return self.holder("后来的时间戳", TSA, self.ca, not_after=AT + 10 * YEAR)

    @cached_property
    def stranger(self) -> Holder:
        """A stamper of nobody's making."""
        return self.holder("别处的时间戳", TSA, self.impostor, not_after=AT + 10 * YEAR)


class Sm2World(LongWorld):
    """The same, with SM2 keys."""

    suite = SM2_SM3


@dataclass
class DeskStamper:
    """A ``Stamper`` right here."""

    holder: Holder
    chain: tuple[Holder, ...]
    clock: ManualClock
    padding: int = 0
    asked: int = 0
    serials: "count[int]" = field(default_factory=lambda: count(1))

    def stamp(self, digest: DigestAlgorithm, value: bytes) -> Stamped:
        self.asked += 1
        chain = [each.certificate for each in self.chain] * (1 + self.padding)
        template = TokenTemplate(self.holder.certificate, chain, self.holder.signer, policy=POLICY)
        at = self.clock.now()
        token = template.token(Imprint.of(digest.oid, value), serial=next(self.serials), at=at)
        return Stamped(token=token, time=at, by="desk")


@dataclass
class Desk:
    """Where documents are sealed, renewed and judged, at a time that can be moved."""

    world: LongWorld
    mark: Mark
    clock: ManualClock = field(default_factory=lambda: ManualClock(AT))
    revoked: list[Revoked] = field(default_factory=list)
    tsa: Holder | None = None
    given: DeskStamper | None = None
    silent: bool = False
    """The authorities publish nothing."""

    def __post_init__(self) -> None:
        self.evidence = TrustEvidence(lambda: self.trust, self.clock)

    @property
    def stamper(self) -> DeskStamper:
        return self.given or DeskStamper(self.tsa or self.world.tsa, (self.world.ca,), self.clock)

    @property
    def lists(self) -> tuple[RevocationList, ...]:
        """What the authorities publish now."""
        if self.silent:
            return ()
        since = self.clock.now() - HOUR
        return (self.world.listed(*self.revoked, since=since), self.world.listed(issuer=self.world.root, since=since))

    @property
    def trust(self) -> Trust:
        """What a verifier has who asked today, and kept nothing of other days."""
        return Trust(
            anchors=(self.world.root.certificate,),
            intermediates=(self.world.ca.certificate,),
            facts=Facts(crls=self.lists),
            now=self.clock.now(),
        )

    def knowing_only(self, holder: Holder) -> Trust:
        """Give the trust of a verifier who asked today about ``holder`` and nobody else."""
        said = parse_answer(self.world.answered(holder, since=self.clock.now() - HOUR))
        return replace(self.trust, facts=Facts(crls=self.lists[1:], answers=(said,)))

    def stamping(self, stamper: DeskStamper | None = None) -> Stamping:
        return Stamping(stamper or self.stamper, self.world.suite.digest)

    def seal(self, document: bytes, level: Level) -> bytes:
        holder = self.world.signer
        stamping = self.stamping()
        credential = Credential(
            certificate=holder.certificate,
            chain=(self.world.ca.certificate,),
            suite=self.world.suite,
            stamper=stamping if level.stamped else None,
            stamp_room=stamping.room,
        )
        prepared = PDF_PADES.prepare(document, self.mark, credential, self.clock.now())
        sealed = prepared.apply(holder.signer.sign)
        return raise_newest(sealed, level, self.evidence, stamping) if level.lasting else sealed

    def renew(self, document: bytes, level: Level = Level.LTA) -> bytes:
        return raise_all(document, level, self.evidence, self.stamping())

    def judge(
        self, document: bytes, at: datetime | None = None, *, facts: Iterable[RevocationList] | None = None
    ) -> Report:
        trust = self.trust
        if facts is not None:
            trust = replace(trust, facts=Facts(crls=facts))
        return verify_pdf(document, trust, at)

    def be_at(self, years: float) -> None:
        """Let it be years after the sealing."""
        self.clock.advance(AT + years * YEAR - self.clock.now())

    def ask_later(self, document: bytes, years: float) -> Report:
        """Judge as of years from the sealing, with what can be known then."""
        self.be_at(years)
        return self.judge(document, self.clock.now())
