"""The hands of a sealing: each makes one signature, by its format, its key and whoever stamps its time."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from crypto.keys import KeyVault, sign
from seal.errors import SealingRejected
from seal.formats_table import SealingFormat
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

    def made(self, signature: SignatureReport) -> bool:
        """Tell whether ``signature`` is this hand's, with the time stamp that it got, if it should have one."""
        proved = (self.at, TimeSource.CLAIMED)
        if self.stamping is not None:
            proved = (self.stamping.proved or self.at, TimeSource.TIMESTAMP)
        signer = self.signing.credential.certificate.subject_text
        # Seals of several suites have certificates of one subject: the format tells them apart.
        if (signature.signer, signature.format) != (signer, self.format.name):
            return False
        if self.level is not None and not self.level.reached_by(signature.level):
            return False
        if self.format.timeless and self.stamping is None:
            return signature.time is None
        return (signature.time, signature.time_source) == proved


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
