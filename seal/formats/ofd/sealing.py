"""Sealing OFD packages: GB/T 38540 V4 signatures (GB/T 33190 chapter 18)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from crypto.digests import SM3
from crypto.suites import SM2_SM3
from seal.errors import DocumentRefused
from seal.formats.ofd.package import OfdPackage, PackageError
from seal.formats.ofd.plan import Plan, only_body, open_package, plan_signature
from seal.formats.ofd.prepared import PreparedPackage
from seal.formats.ofd.signature_xml import PlacedStamp, protected_list, signature_xml
from seal.formats.ofd.surface import OfdSurface
from seal.model import Credential, Mark, PreparedDocument, SignMessage
from seal.placing import stamps
from seal.ses import SesSeal, make_ses_signature, make_tbs
from seal.ses.usable import usable_seal


class OfdSes:
    """The ``SealFormat`` of OFD: an SM2 signature in a SESeal V4, any number one after another.

    A mark that closes the document protects the list of signatures too (整体保护): no later one is let in.
    """

    name = "ofd-ses-v4"
    media_type = "application/ofd"

    def prepare(self, document: bytes, mark: Mark, credential: Credential, at: datetime) -> PreparedDocument:
        """Lay ``document`` out for sealing at ``at``.

        Refuses a credential that is not SM2 with a seal that lists it and is valid at ``at``, a package that cannot
        be read or whose signatures forbid later ones, and a place the document does not have.
        """
        # 1. The seal may be used by this certificate now.
        # 2. The package takes one more signature.
        # 3. The picture has its places on the pages.
        # 4. Everything but the signature's own two files is written.
        # 5. All of that is digested into Signature.xml.
        at = at.astimezone(UTC).replace(microsecond=0)
        seal = usable_seal(credential, at)
        try:
            # 2.
            package = open_package(document)
            body = only_body(package)
            plan = plan_signature(package, body)
            # 3.
            surface = OfdSurface(package, body)
            size = mark.picture
            placed = stamps(mark.placement, width=size.width_mm, height=size.height_mm, surface=surface)
            named = [PlacedStamp(page_id=surface.page_id(s.page), box=s.box, clip=s.clip) for s in placed]
            # 4.
            changes = protected_list(package, plan, kind="Seal", stamps=len(placed)) | {plan.seal: seal.raw}
            # 5.
            references = protected_files(package, changes, plan, closes=mark.closes)
        except PackageError as error:
            raise DocumentRefused(f"The OFD document cannot be read: {error}.") from error
        written = signature_xml(
            plan,
            references,
            suite=SM2_SM3,
            at=at,
            stamps=named,
            sealed=True,
        )
        return _PreparedSeal(
            package=package,
            changes={**changes, plan.signature: written},
            value=plan.value,
            seal=seal,
            covers=plan.signature,
            credential=credential,
            at=at,
            document_digest=SM3.digest(written),
        )


def protected_files(
    package: OfdPackage, changes: Mapping[str, bytes], plan: Plan, *, closes: bool
) -> list[tuple[str, bytes]]:
    """Digest every file of the package as it will be; the list of signatures only if no later one shall come."""
    paths = {*package.paths, *changes}
    if not closes:
        paths.discard(plan.signatures)
    return [(path, SM3.digest(changes[path] if path in changes else package.read(path))) for path in sorted(paths)]


@dataclass(kw_only=True)
class _PreparedSeal(PreparedPackage):
    """A package with everything in it but a SES_Signature over its Signature.xml."""

    seal: SesSeal
    covers: str
    """Signature.xml, from the root."""

    def _signed(self, sign: SignMessage) -> bytes:
        tbs = make_tbs(
            seseal=self.seal.raw, at=self.at, data_hash=self.document_digest, property_info=f"/{self.covers}"
        )
        signature = sign(tbs)
        stamper = self.credential.stamper
        return make_ses_signature(
            tbs=tbs,
            certificate=self.credential.certificate,
            signature=signature,
            timestamp=stamper(signature) if stamper else None,
        )


OFD_SES = OfdSes()
