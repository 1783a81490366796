"""The hands of a sealing: each makes one signature, by its format, its key and whoever stamps its time."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from crypto.digests import SHA256, DigestAlgorithm
from crypto.keys import KeyVault, sign
from seal.errors import SealingRejected
from seal.formats_table import SealingFormat
from seal.later.model import Manner, TrustedTime
from seal.levels import Level
from seal.model import Mark, PreparedDocument, Report, SignatureReport, TimeSource, Verdict
from seal.register import SealCredential
from seal.stamping import Stamping


@dataclass(frozen=True, slots=True, kw_only=True)
class Hand:
    """All that one signature of a sealing takes."""

    format: SealingFormat
    signing: SealCredential
    level: Level | None
    stamping: Stamping | None
    mark: Mark
    at: datetime

    def prepare(self, document: bytes) -> PreparedDocument:
        """Lay ``document`` out for this signature; refuses one that cannot be sealed so."""
        credential = replace(
            self.signing.credential,
            stamper=self.stamping,
            stamp_room=0 if self.stamping is None else self.stamping.room,
        )
        return self.format.layout.prepare(document, self.mark, credential, self.at)

    def apply(self, prepared: PreparedDocument, vault: KeyVault) -> bytes:
        """Sign what was prepared with this hand's key."""
        return prepared.apply(lambda message: sign(vault, self.signing.key, message))

    @property
    def owed(self) -> bool:
        """Whether the signature was made without the time stamp that it should have: it follows."""
        return self.stamping is not None and self.stamping.owed

    def made(self, signature: SignatureReport) -> bool:
        """Tell whether ``signature`` is this hand's, with the time stamp that it got, if it should have one by now."""
        proved = (self.at, TimeSource.CLAIMED)
        if self.stamping is not None and not self.owed:
            proved = (self.stamping.proved or self.at, TimeSource.TIMESTAMP)
        signer = self.signing.credential.certificate.subject_text
        # Seals of several suites have certificates of one subject: the format tells them apart.
        if (signature.signer, signature.format) != (signer, self.format.name):
            return False
        if self.level is not None and not (Level.B if self.owed else self.level).reached_by(signature.level):
            return False
        if self.format.timeless and self.stamping is None:
            return signature.time is None
        return (signature.time, signature.time_source) == proved


@dataclass(frozen=True, slots=True, kw_only=True)
class Achieved:
    """What a sealing came to, of all its signatures the least."""

    level: Level | None
    """None in formats that have no levels."""
    time_source: TimeSource
    owed: tuple[Manner, DigestAlgorithm] | None
    """The time stamp that is to follow, and over a digest by which algorithm."""

    @property
    def trusted_time(self) -> TrustedTime:
        """How the time of the sealing stands."""
        if self.owed is not None:
            return TrustedTime.PENDING
        return TrustedTime.PROVED if self.time_source is TimeSource.TIMESTAMP else TrustedTime.NONE


def achieved(report: Report, hands: Sequence[Hand]) -> Achieved:
    """Read from an accepted report what the hands' signatures amount to."""
    ours = [one for one in report.signatures if any(hand.made(one) for hand in hands)]
    levels = [Level(one.level) for one in ours if one.level is not None]
    proved = all(one.time_source is TimeSource.TIMESTAMP for one in ours)
    return Achieved(
        level=min(levels, key=tuple(Level).index, default=None),
        time_source=TimeSource.TIMESTAMP if proved else TimeSource.CLAIMED,
        owed=_owed(hands),
    )


def _owed(hands: Sequence[Hand]) -> tuple[Manner, DigestAlgorithm] | None:
    owed = [hand for hand in hands if hand.owed]
    if not owed:
        return None
    if owed == [hands[-1]]:
        return Manner.SIGNATURE, hands[-1].format.suite.digest
    # The signature after it covers the one that was left without: only a stamp over both can follow, by a digest that
    # the readers of either know.
    return Manner.DOCUMENT, SHA256


def check_accepted(report: Report, hands: Sequence[Hand]) -> None:
    """Refuse what our own verifier does not accept: SealingRejected, with the codes of what it found."""
    ours = [[one for one in report.signatures if hand.made(one)] for hand in hands]
    held = all(ours) and all(one.verdict is Verdict.VALID for made in ours for one in made)
    if report.verdict is not Verdict.INVALID and held:
        return
    found = [*report.findings, *(finding for one in report.signatures for finding in one.findings)]
    # A time stamp that proves nothing is a note elsewhere; here it is why.
    notes = {"TIMESTAMP_UNTRUSTED"}
    codes = {finding.code for finding in found if finding.verdict is not Verdict.VALID or finding.code in notes}
    raise SealingRejected(
        f"Our own verifier finds the result {report.verdict.value}: it is not handed out."
        f" Findings: {', '.join(sorted(codes)) or 'our signature is not in it'}."
    )
