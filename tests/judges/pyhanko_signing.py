"""pyHanko as a maker of PAdES up to B-LTA, with SM2 as with P-256: documents of another hand for our judges."""

import io
from datetime import UTC, datetime, timedelta
from itertools import count

from asn1crypto import algos, cms, ocsp
from asn1crypto import x509 as asn1_x509
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import SigSeedSubFilter
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner, Signer
from pyhanko.sign.timestamps import TimeStamper
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.registry import SimpleCertificateStore

from crypto.crl import make_crl
from crypto.issuing import CertificateProfile, make_certificate
from crypto.ocsp import CertId, CertStatus, SingleAnswer
from crypto.ocsp_answer import OcspTemplate
from crypto.suites import ES256, Suite
from crypto.timestamp_build import Imprint, TokenTemplate
from crypto.x509 import OCSP_RESPONDER, ROOT, SIGNER, TSA, Certificate, name
from tests.judges.pyhanko import Sm2Validator, gap_bridged
from tests.seal.pdf.making import P256Key, Sm2Key

Key = P256Key | Sm2Key
LEVELS = ("B", "T", "LT", "LTA")


class Authority:
    """A root with a signer, a time-stamp authority and an OCSP responder that needs no check, all of one suite."""

    def __init__(self, suite: Suite) -> None:
        self.now = datetime.now(UTC).replace(microsecond=0)  # pyHanko signs now, whatever we say
        self._make_key = P256Key if suite is ES256 else Sm2Key
        self._md, self._mechanism = ("sha256", "sha256_ecdsa") if suite is ES256 else ("sm3", "sm3_sm2")
        self._root_key: Key = self._make_key()
        self._serials = count(1)
        self.root = self._certify("Root", self._root_key, ROOT, None)
        self._signer_key, self._tsa_key, self._ocsp_key = self._make_key(), self._make_key(), self._make_key()
        self.signer = self._certify("Signer", self._signer_key, SIGNER, self.root)
        self.tsa = self._certify("Stamps", self._tsa_key, TSA, self.root)
        self.responder = self._certify("Answers", self._ocsp_key, OCSP_RESPONDER, self.root)

    def _certify(self, who: str, key: Key, profile: CertificateProfile, issuer: Certificate | None) -> Certificate:
        return make_certificate(
            subject=name(who, "Another Hand"),
            public_key=key.public_key,
            issuer=issuer,
            issuer_key=self._root_key,
            serial=next(self._serials),
            not_before=self.now - timedelta(days=30),
            not_after=self.now + timedelta(days=365),
            profile=profile,
            ocsp_urls=() if issuer is None or profile is OCSP_RESPONDER else ("http://127.0.0.1:9/",),
        )

    def crl(self) -> bytes:
        """Give the root's list, on which nobody stands."""
        return make_crl(
            issuer=self.root,
            issuer_key=self._root_key,
            number=1,
            this_update=self.now - timedelta(hours=1),
            next_update=self.now + timedelta(days=7),
            revoked=(),
        ).raw

    def answer(self, certificate: Certificate) -> bytes:
        """Give the responder's answer that a certificate is good."""
        said = SingleAnswer(
            cert_id=CertId.of(certificate.serial, self.root),
            status=CertStatus.GOOD,
            this_update=self.now - timedelta(minutes=5),
            next_update=self.now + timedelta(days=1),
        )
        template = OcspTemplate(self.responder, self._ocsp_key, issuer=self.root)
        return template.answer([said], produced_at=self.now - timedelta(minutes=5))

    def context(self) -> ValidationContext:
        """Give what pyHanko needs to gather long-term evidence: answers of the responder, nothing fetched."""
        return ValidationContext(
            trust_roots=[_load(self.root)],
            other_certs=[_load(self.responder)],
            ocsps=[ocsp.OCSPResponse.load(self.answer(each)) for each in (self.signer, self.tsa)],
            signature_validator=Sm2Validator(),
            revocation_mode="require",
            allow_fetching=False,
        )

    def sign(self, pdf: bytes, level: str) -> bytes:
        """Have pyHanko sign at a level."""
        metadata = PdfSignatureMetadata(
            field_name="Another",
            md_algorithm=self._md,
            subfilter=SigSeedSubFilter.PADES,
            validation_context=self.context() if level.startswith("LT") else None,
            embed_validation_info=level.startswith("LT"),
            use_pades_lta=level == "LTA",
        )
        signer = _Signer(self._signer_key, self.signer, self._mechanism)
        stamper = None if level == "B" else _Stamper(TokenTemplate(self.tsa, (), self._tsa_key, policy="1.2.3.4"))
        with gap_bridged():
            made = PdfSigner(metadata, signer=signer, timestamper=stamper).sign_pdf(
                IncrementalPdfFileWriter(io.BytesIO(pdf))
            )
        return bytes(made.getbuffer())


class _Signer(Signer):
    """Signs with one of our keys."""

    def __init__(self, key: Key, certificate: Certificate, mechanism: str) -> None:
        self._key = key
        super().__init__(
            signing_cert=_load(certificate),
            cert_registry=SimpleCertificateStore.from_certs([_load(certificate)]),  # type: ignore[no-untyped-call]
            signature_mechanism=algos.SignedDigestAlgorithm({"algorithm": mechanism}),
            embed_roots=False,
        )

    async def async_sign_raw(self, data: bytes, digest_algorithm: str, dry_run: bool = False) -> bytes:  # noqa: ARG002
        """Sign; for the measuring run give the most octets there can be."""
        return bytes(72) if dry_run else self._key.sign(data)


class _Stamper(TimeStamper):
    """Stamps now."""

    def __init__(self, template: TokenTemplate) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._template = template
        self._serials = count(1)

    async def async_timestamp(self, message_digest: bytes, md_algorithm: str) -> cms.ContentInfo:
        """Stamp a digest."""
        imprint = Imprint.of(algos.DigestAlgorithmId(md_algorithm).dotted, message_digest)
        token = self._template.token(imprint, serial=next(self._serials), at=datetime.now(UTC))
        return cms.ContentInfo.load(token)


def _load(certificate: Certificate) -> asn1_x509.Certificate:
    return asn1_x509.Certificate.load(certificate.raw)
