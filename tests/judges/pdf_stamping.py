"""Another's signature, and what we add to it: a document time-stamp, or all of B-LTA."""

from datetime import UTC, datetime

from crypto.crl import RevocationList
from crypto.suites import ES256
from kernel.clock import ManualClock
from seal.formats.pdf import raise_all
from seal.formats.pdf.augmenting import with_document_stamp
from seal.levels import Level
from seal.stamping import Stamping
from seal.trust import Facts, Trust
from seal.trust.evidence import TrustEvidence
from tests.crypto.authority import Holder
from tests.judges.pdf_world import MINUTE, Sealed
from tests.judges.pyhanko_signing import Authority
from tests.seal.pdf.lasting import DeskStamper


def stamped_by_us(document: bytes) -> Sealed:
    """Have pyHanko sign at B-B, and stamp the whole."""
    other = Authority(ES256)
    signed = other.sign(document, "B")
    return _asked(other, with_document_stamp(signed, _stamping(other)), (other.crl(),))


def raised_by_us(document: bytes) -> Sealed:
    """Have pyHanko sign at B-T, and bring that to B-LTA."""
    other = Authority(ES256)
    signed = other.sign(document, "T")
    lists = [RevocationList.from_der(other.crl())]
    trust = Trust(anchors=(other.root,), facts=Facts(crls=lists), now=_now().now())
    evidence = TrustEvidence(lambda: trust, _now())
    return _asked(other, raise_all(signed, Level.LTA, evidence, _stamping(other)), ())


def _asked(other: Authority, pdf: bytes, crls: tuple[bytes, ...]) -> Sealed:
    return Sealed(pdf=pdf, anchors=(other.root,), at=_now().now() + MINUTE, crls=crls)


def _now() -> ManualClock:
    # pyHanko signs by the clock on the wall, and takes no stamp of the future for proof.
    return ManualClock(datetime.now(UTC))


def _stamping(other: Authority) -> Stamping:
    stamper = DeskStamper(Holder(other.tsa, other._tsa_key), (), _now())  # type: ignore[arg-type]
    return Stamping(stamper, ES256.digest)
