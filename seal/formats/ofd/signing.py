"""Signing OFD packages without a picture: GB/T 35275 messages over Signature.xml (GB/T 33190 18, Type Sign)."""

from dataclasses import dataclass
from datetime import UTC, datetime

from crypto.cms import CmsTemplate
from crypto.digests import SM3
from crypto.suites import SM2_SM3
from seal.errors import DocumentRefused
from seal.formats.gbt35275 import signed_message, signing_template
from seal.formats.ofd.package import PackageError
from seal.formats.ofd.plan import only_body, open_package, plan_signature
from seal.formats.ofd.prepared import PreparedPackage
from seal.formats.ofd.sealing import protected_files
from seal.formats.ofd.signature_xml import protected_list, signature_xml
from seal.model import Credential, Mark, PreparedDocument, SignMessage


class OfdSign:
    """The ``SealFormat`` of a plain signature: no picture and no seal in it; of a mark only ``closes`` counts.

    The message leaves the content out and signs attributes (contentType, signingTime, messageDigest), which is the
    shape that readers in the field take; a time stamp stands beside them, unsigned.
    """

    name = "ofd-gbt35275"
    media_type = "application/ofd"

    def prepare(self, document: bytes, mark: Mark, credential: Credential, at: datetime) -> PreparedDocument:
        """Lay ``document`` out for signing at ``at``.

        Refuses a certificate that is not SM2 or not valid at ``at``, and a package that cannot be read or whose
        signatures forbid later ones.
        """
        at = at.astimezone(UTC).replace(microsecond=0)
        template = signing_template(credential, at)
        try:
            package = open_package(document)
            plan = plan_signature(package, only_body(package))
            changes = protected_list(package, plan, kind="Sign", stamps=0)
            references = protected_files(package, changes, plan, closes=mark.closes)
        except PackageError as error:
            raise DocumentRefused(f"The OFD document cannot be read: {error}.") from error
        written = signature_xml(plan, references, suite=SM2_SM3, at=at, sealed=False)
        return PreparedMessage(
            package=package,
            changes={**changes, plan.signature: written},
            value=plan.value,
            template=template,
            credential=credential,
            at=at,
            document_digest=SM3.digest(written),
        )


@dataclass(kw_only=True)
class PreparedMessage(PreparedPackage):
    """A package with everything in it but a GB/T 35275 message over one of its files."""

    template: CmsTemplate

    def _signed(self, sign: SignMessage) -> bytes:
        return signed_message(self.template, self.document_digest, credential=self.credential, at=self.at, sign=sign)


OFD_SIGN = OfdSign()
