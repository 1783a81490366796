"""Orders of batches as they come by HTTP: JSON that names uploads or has rows, a form with files, a table."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from seal.api_models import BINARY, inlined
from seal.batches.model import BatchInvalid
from seal.batches.rows import RowOptions
from seal.batches.service import MOST_ITEMS
from seal.upload import SealingOptions

MAX_LIST = 4 * 1024 * 1024
"""Largest list in JSON; a form of files may be as large as an upload."""
MOST_FILES = 100
_FILES = "files"
_MOST_FIELDS = 30
_LONGEST_FIELD = 4096
_FORM = "multipart/form-data"


class ItemOrder(SealingOptions):
    """One document of a batch: its digest, and how it is to be sealed."""

    sm3: str = Field(description="SM3 of a file uploaded before", pattern="^[0-9a-f]{64}$")


class BatchOrder(BaseModel):
    """What is to be sealed: files by their digests (``items``), or a document for each of ``rows`` of a template."""

    model_config = ConfigDict(extra="forbid")

    seal: str = Field(max_length=14, examples=["44030000000001"])
    items: list[ItemOrder] | None = Field(default=None, min_length=1, max_length=MOST_ITEMS)
    template: RowOptions | None = Field(
        default=None, description="what a document for each of rows is made from, and how they are sealed"
    )
    rows: list[dict[str, str]] | None = Field(
        default=None, min_length=1, max_length=MOST_ITEMS, description="the data of each document, by field"
    )
    stop_on_error: bool = Field(default=False, description="begin nothing more after the first item that fails")

    @model_validator(mode="after")
    def _one_kind(self) -> "BatchOrder":
        if (self.template is None) != (self.rows is None) or (self.items is None) == (self.rows is None):
            raise ValueError("either items, or template and rows")
        return self


class TableOrder(RowOptions):
    """A batch of rows that come as a table: the options stand in the query, the table is the body."""

    seal: str = Field(max_length=14, examples=["44030000000001"])
    stop_on_error: bool = Field(default=False, description="begin nothing more after the first item that fails")


class FormOrder(SealingOptions):
    """How the files that stand in the same form are to be sealed, all alike."""

    seal: str = Field(max_length=14, examples=["44030000000001"])
    stop_on_error: bool = Field(default=False, description="begin nothing more after the first item that fails")


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """Files to be sealed, in their order, and how."""

    order: FormOrder
    documents: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table of rows as it came, and what is to be made of it."""

    order: TableOrder
    octets: bytes


async def batch_order(request: Request) -> BatchOrder | Files:
    """Read an order in either form."""
    kind = request.headers.get("content-type", "").lower()
    try:
        if kind.startswith(_FORM):
            return await _form(request)
        return BatchOrder.model_validate_json(await _limited(request))
    except ValidationError as error:
        raise RequestValidationError(
            [{**row, "loc": ("body", *row["loc"])} for row in error.errors(include_url=False)]
        ) from error


async def _form(request: Request) -> Files:
    async with request.form(max_files=MOST_FILES, max_fields=_MOST_FIELDS, max_part_size=_LONGEST_FIELD) as form:
        texts = {name: value for name, value in form.multi_items() if isinstance(value, str)}
        files = [value for name, value in form.multi_items() if isinstance(value, UploadFile) and name == _FILES]
        if not files or len(files) + len(texts) != len(form.multi_items()):
            raise BatchInvalid(f"The form has its files in fields named {_FILES!r}, one to {MOST_FILES} of them.")
        documents = tuple([await file.read() for file in files])
    return Files(order=FormOrder.model_validate(texts), documents=documents)


async def _limited(request: Request) -> bytes:
    """Read JSON or a table up to its own limit: parsed, it takes twenty times its size."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_LIST:
            detail = f"A list in JSON or CSV may have {MAX_LIST} octets."
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail)
    return bytes(body)


async def table_order(request: Request) -> Table:
    """Read a table with its options."""
    try:
        order = TableOrder.model_validate(dict(request.query_params))
    except ValidationError as error:
        raise RequestValidationError(
            [{**row, "loc": ("query", *row["loc"])} for row in error.errors(include_url=False)]
        ) from error
    return Table(order=order, octets=await _limited(request))


def described_table() -> Mapping[str, Any]:
    """Describe the request that brings a table (OpenAPI)."""
    schema = _schema(TableOrder)
    parameters = [
        {
            "in": "query",
            "name": name,
            "required": name in schema["required"],
            "description": each.get("description", ""),
            "schema": each,
        }
        for name, each in schema["properties"].items()
    ]
    return {"requestBody": {"required": True, "content": {"text/csv": BINARY}}, "parameters": parameters}


def described() -> Mapping[str, Any]:
    """Describe both forms of the request (OpenAPI)."""
    form = _schema(FormOrder)
    form["required"] = [*form["required"], _FILES]
    form["properties"][_FILES] = {
        "type": "array",
        "items": {"type": "string", "format": "binary"},
        "minItems": 1,
        "maxItems": MOST_FILES,
    }
    example = {"seal": "44030000000001", "items": [{"sm3": "66c7f0f4" * 8, "placement": "keyword:盖章处"}]}
    content = {
        "application/json": {"schema": _schema(BatchOrder), "example": example},
        "multipart/form-data": {"schema": form},
    }
    return {"requestBody": {"required": True, "content": content}}


def _schema(model: type[BaseModel]) -> dict[str, Any]:
    whole = model.model_json_schema()
    definitions = whole.pop("$defs", {})
    return dict(inlined(whole, definitions))
