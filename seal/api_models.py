"""What the API answers and refuses, in the words of its description (OpenAPI)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeAlias

from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from kernel.description import problems
from seal.later.model import TrustedTime
from seal.model import SealStatus
from seal.reporting import ETSI_MEDIA_TYPE
from seal.upload import FILE_FIELD

FILE_TYPES = ("application/pdf", "application/ofd", "application/octet-stream")
BINARY = {"schema": {"type": "string", "format": "binary"}}
FILES = dict.fromkeys(FILE_TYPES[:2], BINARY)
SEALED = dict.fromkeys(FILE_TYPES, BINARY)
"""What a sealing gives: a file, or, for a digest, the signature alone."""

_TRUSTED_TIME = (
    "proved: by a time stamp; pending: nobody stamped yet, and it follows; none: the time is only claimed; "
    "null: not completed, or completed by an older version"
)
_STAMPED = "SM3 of the file with the time stamp that came later; null as long as there is none"

Responses: TypeAlias = dict[int | str, dict[str, Any]]


class SealingAnswer(BaseModel):
    """A finished sealing."""

    id: str = Field(examples=["k3vq5rj2c4m7ydpt6xwznbhgea"])
    serial: int = Field(description="counts the sealings of this seal, without gaps in intent", examples=[17])
    seal: str = Field(examples=["44030000000001"])
    format: str = Field(examples=["pdf-pades-sm2"])
    sealed_at: datetime
    file_sm3: str = Field(description="SM3 of the sealed file, hexadecimal")
    size: int = Field(description="octets of the sealed file")
    media_type: str = Field(examples=["application/pdf"])
    document_url: str = Field(
        description="where the sealed file is fetched, the newest there is",
        examples=["/api/seals/v1/sealings/…/document"],
    )
    level: str | None = Field(description="PAdES level; null in formats that have none", examples=["b-t"])
    trusted_time: TrustedTime | None = Field(description=_TRUSTED_TIME, examples=["proved"])
    stamped_sm3: str | None = Field(description=_STAMPED)
    report: dict[str, Any] = Field(description="what our own verifier says of it; see /api/verify/v1/files")


class SealingState(BaseModel):
    """How far a sealing came."""

    id: str
    serial: int
    seal: str
    format: str
    state: str = Field(description="completed, running, failed or interrupted", examples=["completed"])
    intended_at: datetime
    case_number: str | None
    reason: str
    document_kind: str
    document_sm3: str = Field(description="SM3 of the document that was sent")
    file_sm3: str | None
    sealed_at: datetime | None
    failure: str | None = Field(description="code of the last attempt's failure")
    document_url: str | None
    level: str | None = Field(description="PAdES level of the newest file; null in formats that have none")
    trusted_time: TrustedTime | None = Field(description=_TRUSTED_TIME)
    owed_at: datetime | None = Field(description="since when a time stamp is waited for")
    proved_at: datetime | None = Field(description="what the time stamp proves that came later")
    stamped_sm3: str | None = Field(description=_STAMPED)
    stamp_refusal: str | None = Field(description="codes of what spoke against a time stamp that was to follow")


class SealStatusAnswer(BaseModel):
    """A seal's registered status at an instant (国办发〔2025〕33号: asked for the moment of sealing)."""

    seal: str = Field(examples=["44030000000001"])
    name: str = Field(examples=["某某市政务服务数据管理局审批专用章"])
    owner: str = Field(examples=["11440300MB2C92173P"])
    owner_name: str = Field(examples=["某某市政务服务数据管理局"])
    at: datetime
    status: SealStatus | None = Field(description="null: not made yet at that instant")
    usable: bool = Field(description="active, and within its validity, at that instant")
    valid_from: datetime
    valid_to: datetime


_BEARER = "token_missing, token_refused"
KEPT_PROBLEM = "objects_unavailable, object_corrupt"
"""Where what was kept is asked for (503)."""
_UPLOAD = {
    400: "document_refused",
    413: "body_too_large, document_too_large",
    415: "document_unsupported: neither PDF nor OFD, or not of this format",
    422: "request_invalid; errors names the fields",
    429: "verifier_busy",
}
SEALING_PROBLEMS = {
    **_UPLOAD,
    400: "document_refused, document_unreadable, document_encrypted, document_signature_invalid, placement_refused, "
    "level_refused",
    401: _BEARER,
    403: "forbidden: the right seal.use:<seal> is missing. use_approval_needed; grant_missing, grant_format_refused, "
    "grant_kind_refused, grant_amount_refused, grant_used_up: the seal's use policy",
    404: "seal_unknown, use_request_unknown",
    409: "seal_not_usable, seal_expired, further_sealing_forbidden, sealing_in_progress, grant_time_refused, "
    "use_request_not_approved, use_request_mismatch, use_request_used",
    422: "request_invalid; errors names the fields. idempotency_mismatch",
    429: "verifier_busy, search_busy, grant_quota_reached",
    503: "sealing_rejected_by_verifier, signing_unavailable, timestamp_unavailable, evidence_missing, room_too_small",
}
LOOKING_PROBLEMS = {401: _BEARER, 404: "sealing_unknown", 409: "sealing_in_progress"}
FETCHING_PROBLEMS = {**LOOKING_PROBLEMS, 422: "request_invalid", 503: KEPT_PROBLEM}
LISTING_PROBLEMS = {401: _BEARER, 422: "request_invalid"}
RETRYING_PROBLEMS = {
    401: _BEARER,
    403: "forbidden: the right seal.use:<seal> is missing. grant_missing: the grant it was begun under has ended",
    404: "sealing_unknown",
    409: "sealing_in_progress, sealing_not_retryable, seal_not_usable, seal_expired, use_policy_changed",
    503: "sealing_rejected_by_verifier, signing_unavailable, timestamp_unavailable, evidence_missing, room_too_small",
}
STATUS_PROBLEMS = {404: "seal_unknown", 422: "request_invalid"}
VERIFYING_PROBLEMS = _UPLOAD


def responses(rows: Mapping[int, str], success: Responses | None = None) -> Responses:
    """Describe answers: ``success`` as it is, and refusals by HTTP status with the codes that come with it."""
    return {**(success or {}), **problems(rows)}


REPLAYED = {"Idempotency-Replayed": {"description": "true: an earlier answer", "schema": {"type": "string"}}}
LINK = {"Link": {"description": "rel=next: the page after this, if there is one", "schema": {"type": "string"}}}


def located(what: str) -> dict[str, Any]:
    """Describe the Location header of an answer, which names ``what`` came of the request."""
    return {"Location": {"description": what, "schema": {"type": "string"}}}


def next_page(request: Request, response: Response, **cursor: str) -> None:
    """Name the page after this one in the Link header (RFC 8288), where the answer is a bare list."""
    url = request.url.include_query_params(**cursor)
    response.headers["Link"] = f'<{url.path}?{url.query}>; rel="next"'


def upload_body(options: type[BaseModel]) -> dict[str, Any]:
    """Describe a request that brings a file: as its body with ``options`` in the query, or in a form with both."""
    described = options.model_json_schema()
    fields = inlined(described["properties"], described.get("$defs", {}))
    form = {
        "type": "object",
        "required": [FILE_FIELD],
        "properties": {FILE_FIELD: {"type": "string", "format": "binary"}, **fields},
    }
    content = {"multipart/form-data": {"schema": form}, "application/pdf": BINARY, "application/ofd": BINARY}
    parameters = [
        {"in": "query", "name": name, "required": False, "description": schema.get("description", ""), "schema": schema}
        for name, schema in fields.items()
    ]
    return {"requestBody": {"required": True, "content": content}, "parameters": parameters}


def inlined(schema: Any, definitions: Mapping[str, Any]) -> Any:
    """Give a schema with what it refers to in place: the API's description has no room for ``$defs``."""
    if isinstance(schema, list):
        return [inlined(each, definitions) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return inlined(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    return {key: inlined(value, definitions) for key, value in schema.items()}


REPORT_EXAMPLE = {
    "file": "decision.ofd",
    "verdict": "valid",
    "signatures": [
        {
            "format": "ofd-ses-v4",
            "verdict": "valid",
            "signer": "CN=44030000000001,O=某某市政务服务数据管理局,C=CN",
            "seal": {
                "id": "44030000000001",
                "name": "某某市政务服务数据管理局审批专用章",
                "kind": 1,
                "valid_from": "2026-11-22T08:00:00+00:00",
                "valid_to": "2029-11-21T08:00:00+00:00",
            },
            "time": "2026-11-22T08:00:00+00:00",
            "time_source": "claimed",
            "findings": [
                {
                    "code": "REVOCATION_NOT_OFFERED",
                    "verdict": "valid",
                    "detail": "CN=44030000000001,O=某某市政务服务数据管理局,C=CN",
                    "zh": "证书没有提供吊销查询",
                    "en": "The certificate offers no way to ask for its revocation",
                }
            ],
        }
    ],
    "findings": [],
}
REPORTS: dict[str, Any] = {
    "application/json": {"example": REPORT_EXAMPLE, "schema": {"type": "object"}},
    "text/html": {"schema": {"type": "string", "description": "a page that stands alone: no script, nothing fetched"}},
    ETSI_MEDIA_TYPE: {"schema": {"type": "object", "description": "see seal/reporting/validation-report.schema.json"}},
}
"""The forms of an answer about a file."""
