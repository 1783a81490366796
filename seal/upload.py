"""Uploads: the one file of a request, sent as the body itself or as a form's part."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, datetime
from typing import Annotated, Literal, TypeAlias

from fastapi.exceptions import RequestValidationError
from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from starlette.datastructures import UploadFile
from starlette.requests import Request

from seal.errors import DocumentRefused, PlacementRefused
from seal.levels import Level
from seal.model import SealId
from seal.placing import AtPoint, Placement, parse_placement
from seal.placing.text import LONGEST_PLACEMENT
from seal.request import SealRequest

_MOST_FIELDS = 20
_LONGEST_FIELD = 4096
_LONGEST_ADDRESS = 64
_FORM = "multipart/form-data"
FILE_FIELD = "file"


def _written_out(text: object) -> object:
    """Refuse a bare number: a year is not meant as seconds since 1970."""
    if isinstance(text, str) and not text.strip()[4:5] == "-":
        raise ValueError("a date and a time with its zone")
    return text


def _in_every_zone(moment: datetime) -> datetime:
    """Refuse the ends of the calendar: told in another zone they would lie beyond it."""
    if not MINYEAR < moment.year < MAXYEAR:
        raise ValueError("a year between 2 and 9998")
    return moment


Instant: TypeAlias = Annotated[AwareDatetime, BeforeValidator(_written_out), AfterValidator(_in_every_zone)]
"""An instant as callers write it: RFC 3339."""


class SealingOptions(BaseModel):
    """How a document is to be sealed; as query parameters or as fields of the form."""

    model_config = ConfigDict(extra="forbid", str_max_length=500)

    format: str | None = Field(
        None,
        description="pdf-pades-sm2, pdf-pades-p256, pdf-ses-v4 (an e-seal signature), pdf-gm-cms, "
        "ofd-ses-v4, ofd-gbt35275 (a signature without a picture) or "
        "ofd-gmt0099 (a signed list of the package's files, the last step); by default the document's type, with SM2",
    )
    also: str | None = Field(
        None,
        description="pdf-pades-p256: a second signature in a PDF, without a picture, for readers that know no SM2",
    )
    page: int | None = Field(None, description="page, from 1; -1 is the last", ge=-10_000, le=100_000)
    x_mm: float | None = Field(None, description="left edge of the picture, mm from the page's left", ge=0, le=10_000)
    y_mm: float | None = Field(None, description="top edge of the picture, mm from the page's top", ge=0, le=10_000)
    placement: str | None = Field(
        None,
        description="where the picture goes, such as corner:bottom-right;dx=20;dy=25, point;x=120;y=230;pages=1-3, "
        "keyword:盖章处;pick=1, straddle:right or facing; instead of page, x_mm and y_mm",
        max_length=LONGEST_PLACEMENT,
    )
    level: Level | None = Field(
        None,
        description="PAdES level of a PDF signature: b-b, b-t (time-stamped), b-lt (with what it is judged by) or "
        "b-lta (with a time stamp over that too); by default b-t where the service has a time-stamp authority",
    )
    closes: bool = Field(default=False, description="let no later signature into the document")
    reason: str = Field("", description="why the document is sealed; stands in the signature", max_length=500)
    case_number: str | None = Field(None, description="the case this belongs to", max_length=200)
    document_kind: str = Field("", description="what kind of document this is", max_length=200)
    amount: int | None = Field(None, description="what the document is about, in fen", ge=0, le=2**53 - 1)
    use_request: str | None = Field(
        None, description="the use request by which just this was approved, where the seal asks for that", max_length=26
    )

    @property
    def place(self) -> Placement | None:
        """Where the picture goes, if the caller said so; PlacementRefused if that is no placement."""
        point = (self.page, self.x_mm, self.y_mm)
        if self.placement is not None and point != (None, None, None):
            raise PlacementRefused("A place is given by placement or by page, x_mm and y_mm, not by both.")
        if self.placement is not None:
            return parse_placement(self.placement)
        if point == (None, None, None):
            return None
        if self.page is None or self.x_mm is None or self.y_mm is None:
            raise PlacementRefused("page, x_mm and y_mm are given together or not at all.")
        return AtPoint.on(self.page, x_mm=self.x_mm, y_mm=self.y_mm)

    def request(self, document: bytes, seal: str, *, idempotency_key: str | None = None) -> SealRequest:
        """Give what is asked for by these options."""
        return SealRequest(
            document=document,
            seal=SealId(seal),
            format=self.format,
            placement=self.place,
            level=self.level,
            also=self.also,
            closes=self.closes,
            reason=self.reason,
            case_number=self.case_number,
            document_kind=self.document_kind,
            amount=self.amount,
            use_request=self.use_request,
            idempotency_key=idempotency_key,
        )


class VerifyingOptions(BaseModel):
    """How a document is to be judged."""

    model_config = ConfigDict(extra="forbid")

    at: Instant | None = Field(None, description="judge as of this instant, not as of the time of sealing")
    language: Literal["zh", "en"] = Field("zh", description="of the page, where Accept asks for text/html")


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file and the texts that came with it in the form."""

    document: bytes
    name: str | None
    fields: Mapping[str, str]


async def read_upload(request: Request) -> Upload:
    """Read the request's file; how large it may be is the body limit's affair."""
    if not request.headers.get("content-type", "").lower().startswith(_FORM):
        return Upload(document=_some(await request.body()), name=None, fields=request.query_params)
    async with request.form(max_files=1, max_fields=_MOST_FIELDS, max_part_size=_LONGEST_FIELD) as form:
        file = form.get(FILE_FIELD)
        if not isinstance(file, UploadFile):
            raise DocumentRefused(f"The form has no file in its field {FILE_FIELD!r}.")
        texts = {name: value for name, value in form.items() if isinstance(value, str)}
        if twice := sorted(texts.keys() & request.query_params.keys()):
            # Which of the two is meant, nobody can say.
            raise RequestValidationError([{"loc": ("query", name), "type": "given_twice"} for name in twice])
        return Upload(document=_some(await file.read()), name=file.filename, fields={**request.query_params, **texts})


def _some(document: bytes) -> bytes:
    if not document:
        raise DocumentRefused("The request has no file: send it as the body, or in a form's field 'file'.")
    return document


def client_address(request: Request) -> str | None:
    """Give the address a call came from, as far as proxies that are believed tell it."""
    return request.client.host[:_LONGEST_ADDRESS] if request.client else None


async def sealing_upload(request: Request) -> tuple[Upload, SealingOptions]:
    """Read a file to seal, with its options from form or query."""
    upload = await read_upload(request)
    try:
        return upload, SealingOptions.model_validate(dict(upload.fields))
    except ValidationError as error:
        raise RequestValidationError(error.errors()) from error


async def verifying_upload(request: Request) -> tuple[Upload, VerifyingOptions]:
    """Read a file to judge, with its options from form or query."""
    upload = await read_upload(request)
    try:
        return upload, VerifyingOptions.model_validate(dict(upload.fields))
    except ValidationError as error:
        raise RequestValidationError(error.errors()) from error
