"""The formats of sealed digests: what a caller puts into the document that was prepared elsewhere.

PAdES binds the digest of a PDF's byte range as messageDigest (ETSI EN 319 142-1, ISO 32000-2 12.8.3), an e-seal
signature as dataHash (GB/T 38540-2020 7), GB/T 35275 as messageDigest; none of them needs the document itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from crypto.digests import SM3, DigestAlgorithm
from crypto.suites import ES256, SM2_SM3
from seal.digests.judging import bound_digest, verify_digest_seal
from seal.digests.order import DigestOrder, DigestRefused, is_order, read_order
from seal.digests.store import note
from seal.errors import SealingRejected
from seal.formats.pdf.contents import Contents, ContentsKind, PadesKind
from seal.formats.pdf.contents_gm import GmCmsKind
from seal.formats.pdf.contents_ses import stamp_room
from seal.formats_table import DocumentType, SealingFormat
from seal.model import Credential, Mark, PreparedDocument, SignMessage
from seal.ses import SesSeal, make_ses_signature, make_tbs
from seal.ses.usable import usable_seal

RIGHT = "seal.use_digest"
"""A right of its own: whoever may have documents sealed that we see may not thereby have sealed what we do not."""
_LONGEST_VALUE = 72


class DigestLayout:
    """The ``SealFormat`` of digests under one kind of signature."""

    media_type = "application/octet-stream"

    def __init__(self, name: str, kind: ContentsKind | None) -> None:
        """``kind`` None: an e-seal signature, in which the order says what is protected."""
        self.name = name
        self._kind = kind

    def prepare(self, document: bytes, mark: Mark, credential: Credential, at: datetime) -> PreparedDocument:
        """Look the order over; refuses a digest of another algorithm, and room that may not be enough."""
        order = read_order(document)
        if mark.closes:
            raise DigestRefused("Whether a document is closed stands in the document: it cannot be asked for here.")
        contents = self._contents(order, credential, at.astimezone(UTC).replace(microsecond=0))
        if order.by is not contents.digest:
            raise DigestRefused(f"{self.name} signs {contents.digest.name} digests; this is one of {order.algorithm}.")
        if order.room is not None and order.room < contents.room:
            raise DigestRefused(
                f"The signature may take {contents.room} octets, and {order.room} were laid aside:"
                " lay out the document anew, and send the digest that it then has."
            )
        return _Prepared(order.value, contents)

    def _contents(self, order: DigestOrder, credential: Credential, at: datetime) -> Contents:
        if self._kind is not None:
            if order.protects is not None:
                raise DigestRefused(f"{self.name} does not say what is protected: leave it out.")
            return self._kind.contents(credential, at)
        if order.protects is None:
            raise DigestRefused("An e-seal signature says what is protected: name it.")
        return _Ses(usable_seal(credential, at), credential, at, order.protects)


@dataclass(frozen=True, slots=True)
class _Ses:
    """A SES_Signature V4 over a digest."""

    _seal: SesSeal = field(repr=False)
    _credential: Credential = field(repr=False)
    _at: datetime
    _protects: str

    @property
    def room(self) -> int:
        stamp = bytes(stamp_room(self._credential)) or None
        return len(self._signature(self._tbs(bytes(SM3.size)), bytes(_LONGEST_VALUE), stamp))

    @property
    def digest(self) -> DigestAlgorithm:
        return SM3

    def make(self, digest: bytes, sign: SignMessage) -> bytes:
        tbs = self._tbs(digest)
        signature = sign(tbs)
        stamper = self._credential.stamper
        return self._signature(tbs, signature, stamper(signature) if stamper else None)

    def _tbs(self, digest: bytes) -> bytes:
        return make_tbs(seseal=self._seal.raw, at=self._at, data_hash=digest, property_info=self._protects)

    def _signature(self, tbs: bytes, signature: bytes, stamp: bytes | None) -> bytes:
        certificate = self._credential.certificate
        return make_ses_signature(tbs=tbs, certificate=certificate, signature=signature, timestamp=stamp)


@dataclass(slots=True)
class _Prepared:
    document_digest: bytes
    _contents: Contents = field(repr=False)
    _used: bool = False

    @property
    def pages(self) -> None:
        """Nobody here has seen the document."""

    def apply(self, sign: SignMessage) -> bytes:
        """Sign, once only; SealingRejected unless the result binds this very digest."""
        if self._used:
            raise RuntimeError("a prepared digest is signed once")
        self._used = True
        made = self._contents.make(self.document_digest, sign)
        # Our verifier judges the result by the digest in it, for it has no document: that it is ours is seen here.
        if bound_digest(made) != self.document_digest:
            raise SealingRejected("The signature does not bind the digest that was to be sealed.")
        return made


DIGEST = DocumentType(
    name="digest",
    media_type=DigestLayout.media_type,
    looks_like=is_order,
    judge=verify_digest_seal,
    right=RIGHT,
    note=note,
)
DIGEST_FORMATS: Mapping[str, SealingFormat] = {
    row.name: row
    for row in (
        SealingFormat(
            name="digest-pades-sm2",
            document=DIGEST,
            layout=DigestLayout("digest-pades-sm2", PadesKind()),
            suite=SM2_SM3,
            pictured=False,
            stamped=True,
            timeless=True,
        ),
        SealingFormat(
            name="digest-pades-p256",
            document=DIGEST,
            layout=DigestLayout("digest-pades-p256", PadesKind()),
            suite=ES256,
            pictured=False,
            stamped=True,
            timeless=True,
        ),
        SealingFormat(
            name="digest-ses-v4",
            document=DIGEST,
            layout=DigestLayout("digest-ses-v4", None),
            suite=SM2_SM3,
            pictured=False,
            stamped=True,
        ),
        SealingFormat(
            name="digest-gbt35275",
            document=DIGEST,
            layout=DigestLayout("digest-gbt35275", GmCmsKind()),
            suite=SM2_SM3,
            pictured=False,
            stamped=True,
        ),
    )
}
