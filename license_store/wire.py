"""The shapes of the licence API: what comes in, what goes out, with an example of each."""

from collections.abc import Mapping
from datetime import date, datetime

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from license_store.catalogue import BUSINESS_LICENSE, json_schema
from license_store.issuing import IssueRequest
from license_store.model import (
    DOCUMENT,
    Holder,
    HolderCodeType,
    License,
    LicenseStatus,
    LicenseType,
    StatusChange,
    Validity,
)
from license_store.public import Difference, PublicAnswer, PublicVerdict
from seal.model import SealId, SignatureReport

_HOLDER: JsonDict = {"name": "示例市虚构数据科技有限公司", "code": "91440300MA9999999F", "code_type": "001"}
_FACE: JsonDict = {field.name: field.example for field in BUSINESS_LICENSE.fields}
_ID = "k3v7q2m5x6ynbz4tpa3cwe2rdu"


class _Shape(BaseModel):
    """What all shapes have in common: no unknown members, so that a misspelt one is not ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class HolderShape(_Shape):
    """Whose licence it is; ``code_type`` as in GB/T 36903 annex A."""

    name: str = Field(examples=[_HOLDER["name"]])
    code: str = Field(max_length=40, examples=[_HOLDER["code"]])
    code_type: HolderCodeType = HolderCodeType.ORGANISATION


class IssueShape(_Shape):
    """A licence to be issued. The body that owns ``seal`` is the issuer; without ``valid_to`` it is for good."""

    type: str = Field(max_length=21, description="Type code (21 characters)", examples=[BUSINESS_LICENSE.code])
    holder: HolderShape
    face: Mapping[str, str] = Field(description="Face fields, by the type's JSON Schema", examples=[_FACE])
    valid_from: date = Field(examples=["2019-03-01"])
    valid_to: date | None = None
    seal: str = Field(pattern="^[0-9]{14}$", examples=["44030000000001"])
    seal_format: str | None = Field(default=None, max_length=40, examples=["pdf-pades-sm2"])
    case_number: str = Field(default="", max_length=200, examples=["SL-2026-000123"])

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": BUSINESS_LICENSE.code,
                    "holder": _HOLDER,
                    "face": _FACE,
                    "valid_from": "2019-03-01",
                    "seal": "44030000000001",
                    "case_number": "SL-2026-000123",
                }
            ]
        }
    )

    def request(self, idempotency_key: str) -> IssueRequest:
        """Give what the service is asked."""
        return IssueRequest(
            type_code=self.type,
            holder=Holder(name=self.holder.name, code=self.holder.code, code_type=self.holder.code_type),
            face=self.face,
            validity=Validity(first=self.valid_from, last=self.valid_to),
            seal=SealId(self.seal),
            seal_format=self.seal_format,
            case_number=self.case_number,
            idempotency_key=idempotency_key,
        )


class RevokeShape(_Shape):
    """Grounds for a revocation. ``legal_basis`` is shown to the public, ``reason`` is kept for the file."""

    legal_basis: str = Field(examples=["《示例条例》第十二条第一款"])
    reason: str = Field(examples=["提交虚假材料取得登记，情节严重"])


class ChangeShape(_Shape):
    """One step in a licence's life."""

    status: LicenseStatus
    at: datetime
    legal_basis: str
    reason: str

    @classmethod
    def of(cls, change: StatusChange) -> "ChangeShape":
        """Show a status change."""
        return cls(status=change.status, at=change.at, legal_basis=change.legal_basis, reason=change.reason)


class LicenseShape(_Shape):
    """A licence as its issuer sees it. ``document_sm3`` names the content of the sealed document."""

    id: str = Field(examples=[_ID])
    identifier: str
    number: str
    type: str
    type_version: int
    issuer_code: str
    issuer_name: str
    seal: str
    holder: HolderShape
    face: Mapping[str, str]
    valid_from: date
    valid_to: date | None
    status: LicenseStatus
    issued_at: datetime
    changes: tuple[ChangeShape, ...]
    document_sm3: str
    sealing: str | None
    address: str = Field(description="The address in the QR code")

    @classmethod
    def of(cls, licence: License, *, status: LicenseStatus, address: str) -> "LicenseShape":
        """Show a finished licence."""
        document = licence.file(DOCUMENT)
        holder = licence.holder
        return cls(
            id=licence.public_id,
            identifier=licence.identifier,
            number=licence.number,
            type=licence.type_code,
            type_version=licence.type_version,
            issuer_code=licence.issuer_code,
            issuer_name=licence.issuer_name,
            seal=licence.seal,
            holder=HolderShape(name=holder.name, code=holder.code, code_type=holder.code_type),
            face=dict(licence.face),
            valid_from=licence.validity.first,
            valid_to=licence.validity.last,
            status=status,
            issued_at=licence.issued_at,
            changes=tuple(ChangeShape.of(change) for change in licence.changes),
            document_sm3=document.object_key,
            sealing=document.sealing,
            address=address,
        )


class TypeShape(_Shape):
    """A licence type in one version of its definition; ``face_schema`` is JSON Schema 2020-12."""

    code: str = Field(examples=[BUSINESS_LICENSE.code])
    version: int
    name_zh: str
    name_en: str
    definer_code: str
    definer_name: str
    holder_code_types: tuple[HolderCodeType, ...]
    face_schema: Mapping[str, object]

    @classmethod
    def of(cls, kind: LicenseType) -> "TypeShape":
        """Show a licence type."""
        return cls(
            code=kind.code,
            version=kind.version,
            name_zh=kind.name_zh,
            name_en=kind.name_en,
            definer_code=kind.definer_code,
            definer_name=kind.definer_name,
            holder_code_types=tuple(sorted(kind.holder_code_types)),
            face_schema=json_schema(kind),
        )


class TypesShape(_Shape):
    """All licence types."""

    types: tuple[TypeShape, ...]


class SignatureShape(_Shape):
    """What our verifier found about one signature of the stored document."""

    format: str
    verdict: str
    signer: str | None
    time: datetime | None
    findings: tuple[str, ...]

    @classmethod
    def of(cls, report: SignatureReport) -> "SignatureShape":
        """Show a signature's report, findings as codes."""
        return cls(
            format=report.format,
            verdict=report.verdict.value,
            signer=report.signer,
            time=report.time,
            findings=tuple(finding.code for finding in report.findings),
        )


class VerdictShape(_Shape):
    """The public answer about a licence. ``CANNOT_CHECK`` means neither genuine nor forged."""

    verdict: PublicAnswer
    checked_at: datetime
    id: str
    identifier: str
    number: str
    type: str
    type_name: str
    status: LicenseStatus
    status_since: datetime
    legal_basis: str
    issuer_code: str
    issuer_name: str
    holder_name: str
    holder_code: str
    face: Mapping[str, str]
    valid_from: date
    valid_to: date | None
    issued_at: datetime
    document_sm3: str
    signatures: tuple[SignatureShape, ...]
    differences: tuple[Difference, ...] = Field(description="Where the register departs from the sealed document")

    @classmethod
    def of(cls, view: PublicVerdict, licence: License, kind: LicenseType) -> "VerdictShape":
        """Show the answer about a known licence."""
        last = licence.changes[-1]
        status = licence.status(view.checked_at)
        return cls(
            verdict=view.answer,
            checked_at=view.checked_at,
            id=licence.public_id,
            identifier=licence.identifier,
            number=licence.number,
            type=licence.type_code,
            type_name=kind.name_zh,
            status=status,
            status_since=last.at,
            legal_basis=last.legal_basis,
            issuer_code=licence.issuer_code,
            issuer_name=licence.issuer_name,
            holder_name=licence.holder.name,
            holder_code=licence.holder.code,
            face=dict(licence.face),
            valid_from=licence.validity.first,
            valid_to=licence.validity.last,
            issued_at=licence.issued_at,
            document_sm3=licence.file(DOCUMENT).object_key,
            signatures=tuple(SignatureShape.of(one) for one in view.report.signatures) if view.report else (),
            differences=view.differences,
        )
