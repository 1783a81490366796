"""What the rules about one SES_Signature look at."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from crypto.errors import CryptoError
from crypto.suites import SUITES_BY_ANY_OID
from crypto.x509 import Certificate
from seal.model import Finding
from seal.ses.model import SesSeal, SesSignature
from seal.ses.rules.rule import invalid, undecided
from seal.stamps import Stamp
from seal.trust import Trust


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One signature with everything it is judged against."""

    signature: SesSignature
    signer: Certificate | None
    """None if it cannot be read, as with ``maker``."""
    maker: Certificate | None
    digest: bytes
    """Of what the signature should be about."""
    seal_file: bytes | None
    """The seal delivered beside the signature, where there is one."""
    stamp: Stamp
    at: datetime | None
    """The instant of judgement: the one asked for, else the stamped, else the claimed time."""
    trust: Trust

    @property
    def seal(self) -> SesSeal:
        """The seal inside the signature."""
        return self.signature.seal

    @property
    def others(self) -> tuple[Certificate, ...]:
        """The certificates found beside one another: possible issuers."""
        return tuple(certificate for certificate in (self.signer, self.maker) if certificate is not None)


def value_findings(certificate: Certificate, oid: str, message: bytes, value: bytes, code: str) -> Iterator[Finding]:
    """Verify ``value`` over ``message``, by the algorithm ``oid``; ``code`` is what a wrong value is called."""
    suite = SUITES_BY_ANY_OID.get(oid)
    if suite is None:
        yield undecided("ALGORITHM_UNSUPPORTED", oid)
        return
    try:
        key = certificate.public_key
    except CryptoError as error:
        yield undecided("ALGORITHM_UNSUPPORTED", str(error))
        return
    if key.kind is not suite.key:
        yield invalid("ALGORITHM_CERT_MISMATCH", f"{suite.name} under a key of kind {key.kind.value}")
    elif not key.verify(suite, message, value):
        yield invalid(code)
