"""The HTTP API of letter templates: parse, call one verb, render."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict
from starlette.requests import Request

from kernel.description import problems
from kernel.guard import BearerGuard
from kernel.principal import Principal
from license_store.letters.model import (
    LONGEST_LINE,
    LONGEST_PARAGRAPH,
    LONGEST_VALUE,
    MOST_FIELDS,
    MOST_PARAGRAPHS,
    LetterBody,
    LetterField,
    LetterTemplate,
)
from license_store.letters.service import LetterService
from seal.placing.text import LONGEST_PLACEMENT

_PDF: dict[int | str, dict[str, object]] = {
    200: {"content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}}}
}
_LOOKING = {403: "forbidden", 404: "letter_template_unknown"}
_DEFINING = {
    400: "letter_template_invalid, placement_refused",
    403: "forbidden: the right license.template:<code> is missing",
    409: "letter_template_busy",
}
_LOCATION = {"Location": {"description": "the version", "schema": {"type": "string"}}}
_Version = Annotated[int, Path(ge=1, le=2**31 - 1)]
_EXAMPLE: JsonDict = {
    "title": "示例市数据局准予行政许可决定书",
    "number": "示数许〔2026〕{号}号",
    "addressee": "{申请人}：",
    "paragraphs": ["你单位于{受理日期}提出的{事项}申请，经审查，符合法定条件。", "决定准予行政许可。"],
    "issuer": "示例市数据局",
    "date": "{决定日期}",
    "fields": [
        {"name": "号", "max_length": 10},
        {"name": "申请人", "max_length": 60},
        {"name": "受理日期", "max_length": 20},
        {"name": "事项", "max_length": 60},
        {"name": "决定日期", "max_length": 20},
    ],
}


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FieldShape(_Shape):
    """A place to be filled in; ``max_length`` in characters."""

    name: str = Field(max_length=100, description="letters, digits and _, beginning with a letter, Chinese too")
    max_length: int = Field(default=60, ge=1, le=LONGEST_VALUE)
    required: bool = Field(default=True, description="false: a row may leave it out, and nothing stands there")


class BodyShape(_Shape):
    """What a letter says. ``{name}`` is filled in with the field of this name; ``{{`` and ``}}`` are braces."""

    title: str = Field(max_length=LONGEST_LINE)
    number: str = Field(default="", max_length=LONGEST_LINE, description="发文字号, below the title")
    addressee: str = Field(default="", max_length=LONGEST_LINE, description="主送, before the text")
    paragraphs: tuple[Annotated[str, Field(max_length=LONGEST_PARAGRAPH)], ...] = Field(
        min_length=1, max_length=MOST_PARAGRAPHS
    )
    issuer: str = Field(max_length=LONGEST_LINE, description="署名, below the text, in one line; the seal goes over it")
    date: str = Field(max_length=LONGEST_LINE, description="成文日期, in one line")
    seal: str = Field(
        default="",
        max_length=LONGEST_PLACEMENT,
        description="where the seal goes instead, such as keyword:盖章处;pick=-1 or point;x=120;y=230",
    )
    fields: tuple[FieldShape, ...] = Field(default=(), max_length=MOST_FIELDS)

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    def body(self) -> LetterBody:
        """Give what the service is asked to define."""
        parts = self.model_dump(exclude={"fields"})
        return LetterBody(**parts, fields=tuple(LetterField(**field.model_dump()) for field in self.fields))

    @classmethod
    def of(cls, body: LetterBody) -> "BodyShape":
        """Show what a letter says."""
        fields = tuple(
            FieldShape(name=each.name, max_length=each.max_length, required=each.required) for each in body.fields
        )
        return cls(**body.lines, paragraphs=body.paragraphs, seal=body.seal, fields=fields)


class TemplateShape(_Shape):
    """One version of a template; ``sm3`` names what it says."""

    code: str
    version: int
    sm3: str
    created_at: datetime
    created_by: str
    body: BodyShape

    @classmethod
    def of(cls, template: LetterTemplate) -> "TemplateShape":
        """Show a template."""
        return cls(
            code=template.code,
            version=template.version,
            sm3=template.sm3,
            created_at=template.created_at,
            created_by=template.created_by,
            body=BodyShape.of(template.body),
        )


class TemplatesShape(_Shape):
    """The newest versions of templates by code; ``next`` is the code to ask after, null at the end."""

    templates: tuple[TemplateShape, ...]
    next: str | None


class PreviewShape(_Shape):
    """The data of one letter, by field."""

    row: dict[str, str] = Field(max_length=2 * MOST_FIELDS)


def letter_router(*, letters: LetterService, guard: BearerGuard) -> APIRouter:
    """Make the routes of letter templates; each needs a token that carries the right it names."""
    routes = APIRouter(prefix="/api/licenses/v1/letter-templates", tags=["letters"])
    caller = Annotated[Principal, Depends(guard)]

    @routes.post(
        "/{code}/versions",
        status_code=HTTPStatus.CREATED,
        operation_id="defineLetterTemplate",
        summary="Add a version of a letter template",
        responses={
            **problems(_DEFINING),
            200: {"model": TemplateShape, "headers": _LOCATION},
            201: {"headers": _LOCATION},
        },
    )
    def define(request: Request, code: str, said: BodyShape, principal: caller, response: Response) -> TemplateShape:
        """Add a version of a letter template: right ``license.template:<code>``.

        The code is small letters, digits and hyphens, 50 at most. If the newest version says the same, it is given
        with 200, and nothing is added.
        """
        template, new = letters.define(code, said.body(), principal)
        response.status_code = HTTPStatus.CREATED if new else HTTPStatus.OK
        root = str(request.scope.get("root_path", ""))
        response.headers["Location"] = f"{root}{routes.prefix}/{code}/versions/{template.version}"
        return TemplateShape.of(template)

    @routes.get(
        "", operation_id="listLetterTemplates", summary="List letter templates", responses=problems({403: "forbidden"})
    )
    def newest(
        principal: caller,
        after: Annotated[str, Query(max_length=50)] = "",
        limit: Annotated[int, Query(ge=1, le=100)] = 100,
    ) -> TemplatesShape:
        """List the newest version of each template: right ``license.template:*``, or ``seal.use`` of any seal."""
        found = letters.list(principal, after=after, limit=limit)
        more = found[-1].code if len(found) == limit else None
        return TemplatesShape(templates=tuple(TemplateShape.of(each) for each in found), next=more)

    @routes.get(
        "/{code}",
        operation_id="getLetterTemplate",
        summary="Look at a letter template",
        responses=problems(_LOOKING),
    )
    def find(code: str, principal: caller) -> TemplateShape:
        """Show the newest version: right ``license.template:<code>``, or ``seal.use`` of any seal."""
        return TemplateShape.of(letters.find(code, None, principal))

    @routes.get(
        "/{code}/versions/{version}",
        operation_id="getLetterTemplateVersion",
        summary="Look at one version of a letter template",
        responses=problems(_LOOKING),
    )
    def find_version(code: str, version: _Version, principal: caller) -> TemplateShape:
        """Show one version, by the rights that show the newest."""
        return TemplateShape.of(letters.find(code, version, principal))

    @routes.post(
        "/{code}/versions/{version}/preview",
        operation_id="previewLetter",
        summary="See what a letter will look like",
        response_class=Response,
        responses={**problems({**_LOOKING, 400: "letter_rows_invalid, license_does_not_fit"}), **_PDF},
    )
    def preview(code: str, version: _Version, body: PreviewShape, principal: caller) -> Response:
        """Print the letter of one row, marked as a preview and without a seal; nothing is put on record."""
        document = letters.preview(code, version, body.row, principal)
        return Response(document, media_type="application/pdf", headers={"Cache-Control": "private, no-store"})

    return routes
