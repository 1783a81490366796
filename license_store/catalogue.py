"""The catalogue: which licence types there are, and whether data fit one of them."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from datetime import date

from license_store import organisation
from license_store.model import (
    FaceData,
    FaceField,
    FieldKind,
    FieldProblem,
    Holder,
    HolderCodeType,
    LicenseDataInvalid,
    LicenseType,
    UnknownLicenseType,
)

_UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories that no licence prints; Cf holds the marks that turn text around."""
_BLANKS = frozenset(" \u3000")
"""The blanks that may stand within a text: others look the same and are not."""
_INVISIBLE = frozenset("\u115f\u1160\u3164\uffa0")
"""Letters by their category, with a glyph, and nothing to be seen: the Hangul fillers."""
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_HOLDER_NAME = FaceField(name="holder.name", zh="名称", en="Name", max_length=60)

BUSINESS_LICENSE = LicenseType(
    code="11440300999999999D001",
    version=1,
    name_zh="营业执照（示例）",
    name_en="Business licence (specimen)",
    definer_code="11440300999999999D",
    definer_name="示例市市场监督管理局",
    holder_code_types=frozenset({HolderCodeType.ORGANISATION}),
    fields=(
        FaceField(name="kind", zh="类型", en="Type", max_length=40, example="有限责任公司（自然人投资或控股）"),
        FaceField(
            name="legal_representative", zh="法定代表人", en="Legal representative", max_length=30, example="欧阳示例"
        ),
        FaceField(name="capital", zh="注册资本", en="Registered capital", max_length=40, example="壹佰万元整"),
        FaceField(name="established", zh="成立日期", en="Established", kind=FieldKind.DATE, example="2019-03-01"),
        FaceField(
            name="address", zh="住所", en="Address", max_length=80, example="示例市南山区虚构大道1号信印大厦8层801室"
        ),
        FaceField(
            name="scope",
            zh="经营范围",
            en="Scope of business",
            max_length=500,
            example="软件开发；信息系统集成服务；信息技术咨询服务；数据处理和存储支持服务；计算机软硬件及辅助设备零售；"
            "货物进出口；技术进出口。（依法须经批准的项目，经相关部门批准后方可开展经营活动）",
        ),
    ),
    template="business_license.typ",
    seal_centre_mm=(230, 158),
)

TYPES: tuple[LicenseType, ...] = (BUSINESS_LICENSE,)


class Catalogue:
    """The licence types of one installation. The newest version of a type is the one that is issued."""

    def __init__(self, types: Iterable[LicenseType] = TYPES) -> None:
        self._types = {(row.code, row.version): row for row in types}

    def types(self) -> tuple[LicenseType, ...]:
        """Give every version of every type, oldest version first."""
        return tuple(self._types[key] for key in sorted(self._types))

    def current(self, code: str) -> LicenseType:
        """Give the newest version of a type, or refuse with UnknownLicenseType."""
        versions = [row for row in self.types() if row.code == code]
        if not versions:
            raise UnknownLicenseType("There is no licence type with this code; GET /api/licenses/v1/types lists them.")
        return versions[-1]

    def version(self, code: str, version: int) -> LicenseType:
        """Give the version a licence was issued under."""
        return self._types[code, version]


def validate(kind: LicenseType, holder: Holder, data: Mapping[str, str]) -> FaceData:
    """Check holder and face data against the type; refuse with every problem at once (LicenseDataInvalid)."""
    known = {field.name for field in kind.fields}
    problems = [
        *_holder_problems(kind, holder),
        *(problem for field in kind.fields for problem in _problems(field, data.get(field.name, ""))),
        *(FieldProblem(field=name, problem="this type has no such field") for name in sorted(data.keys() - known)),
    ]
    if problems:
        raise LicenseDataInvalid(tuple(problems))
    return FaceData({field.name: data[field.name] for field in kind.fields if data.get(field.name)})


def check_texts(*rows: tuple[str, str, int], required: bool = True) -> None:
    """Check texts that no type has a field for; each row is name, value and most characters (LicenseDataInvalid)."""
    fields = (
        (FaceField(name=name, zh="", en="", required=required, max_length=most), text) for name, text, most in rows
    )
    problems = tuple(problem for field, text in fields for problem in _problems(field, text))
    if problems:
        raise LicenseDataInvalid(problems)


def json_schema(kind: LicenseType) -> dict[str, object]:
    """Describe the face data of a type as JSON Schema 2020-12."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "additionalProperties": False,
        "required": [field.name for field in kind.fields if field.required],
        "properties": {field.name: _property(field) for field in kind.fields},
    }


def _property(field: FaceField) -> dict[str, object]:
    described: dict[str, object] = {"type": "string", "title": field.zh, "description": field.en}
    described["maxLength"] = field.max_length
    if field.kind is FieldKind.DATE:
        described["format"] = "date"
    if field.pattern is not None:
        described["pattern"] = f"^(?:{field.pattern})$"
    if field.example:
        described["examples"] = [field.example]
    return described


def _holder_problems(kind: LicenseType, holder: Holder) -> Iterator[FieldProblem]:
    yield from _problems(_HOLDER_NAME, holder.name)
    if holder.code_type not in kind.holder_code_types:
        allowed = ", ".join(sorted(kind.holder_code_types))
        yield FieldProblem(field="holder.code_type", problem=f"this type is for holders with a code of type {allowed}")
    elif holder.code_type is HolderCodeType.ORGANISATION:
        yield from _organisation_problems("holder.code", holder.code)


def _problems(field: FaceField, value: str) -> Iterator[FieldProblem]:
    """Give what is wrong with one value: one problem at most, the first that a person would mend."""
    if not value:
        if field.required:
            yield FieldProblem(field=field.name, problem="this field is required")
        return
    if len(value) > field.max_length:
        yield FieldProblem(field=field.name, problem=f"at most {field.max_length} characters")
    elif value != value.strip():
        yield FieldProblem(field=field.name, problem="no blanks at either end")
    elif not all(map(_can_be_seen, value)):
        yield FieldProblem(field=field.name, problem="holds a character that cannot be printed")
    elif field.pattern is not None and not re.fullmatch(field.pattern, value):
        yield FieldProblem(field=field.name, problem="has not the form this field must have")
    else:
        yield from _KINDS[field.kind](field.name, value)


def _can_be_seen(character: str) -> bool:
    category = unicodedata.category(character)
    if category == "Zs":
        return character in _BLANKS
    return category not in _UNPRINTABLE and character not in _INVISIBLE


def _text_problems(_name: str, _value: str) -> Iterator[FieldProblem]:
    yield from ()


def _date_problems(name: str, value: str) -> Iterator[FieldProblem]:
    if not _is_day(value):
        yield FieldProblem(field=name, problem="must be a day that exists, written YYYY-MM-DD")


def _is_day(value: str) -> bool:
    if not _DAY.fullmatch(value):  # fromisoformat takes other forms as well
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


def _organisation_problems(name: str, value: str) -> Iterator[FieldProblem]:
    try:
        organisation.parse(value)
    except organisation.NotAnOrganisationCode as error:
        yield FieldProblem(field=name, problem=str(error))


_KINDS = {
    FieldKind.TEXT: _text_problems,
    FieldKind.DATE: _date_problems,
    FieldKind.ORGANISATION_CODE: _organisation_problems,
}
