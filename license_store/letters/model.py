"""Letter templates: the text of a letter with places to be filled in, and what fits into them."""

import json
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import islice

from crypto.digests import sm3
from kernel.errors import Reason, Refusal
from seal.placing import AtKeyword, Placement, parse_placement, placement_text

Row = Mapping[str, str]
"""The data of one letter: what goes into each field, by the field's name."""

CODE = re.compile(r"[a-z0-9][a-z0-9-]{0,49}", re.ASCII)
"""How a template is called within its organisation."""
MOST_FIELDS, MOST_PARAGRAPHS = 40, 60
LONGEST_VALUE, LONGEST_LINE, LONGEST_PARAGRAPH = 500, 200, 2000
MOST_BAD_ROWS, _MOST_PROBLEMS = 20, 100
"""Rows with problems that one refusal tells of, and problems."""
_NAME = re.compile(r"[A-Za-z\u4e00-\u9fff][A-Za-z0-9_\u4e00-\u9fff]{0,39}")
_PART = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_SEAL_BELOW_MM = 3.0
"""GB/T 9704-2012 7.3.5.1: issuer and date stand a little below the middle of the seal, not above it."""


class LetterTemplateUnknown(Refusal):
    """No such template, or none of the caller's organisation."""

    reason, code = Reason.NOT_FOUND, "letter_template_unknown"


class LetterTemplateInvalid(Refusal):
    """What was sent makes no template; the detail names every part that is wrong."""

    reason, code = Reason.BAD_INPUT, "letter_template_invalid"


class LetterTemplateBusy(Refusal):
    """Others defined versions of the same template at the same moment."""

    reason, code = Reason.CONFLICT, "letter_template_busy"


@dataclass(frozen=True, slots=True, kw_only=True)
class RowProblem:
    """What is wrong with one field of one row, counted from 1; never holds the value."""

    row: int
    field: str
    problem: str


class LetterRowsInvalid(Refusal):
    """Rows do not fit their template; ``problems`` tells of all that is wrong in the first bad rows."""

    reason, code = Reason.BAD_INPUT, "letter_rows_invalid"

    def __init__(self, problems: Sequence[RowProblem]) -> None:
        told = problems[:_MOST_PROBLEMS]
        more = f"; and {len(problems) - len(told)} more" if len(problems) > len(told) else ""
        super().__init__("; ".join(f"row {each.row}, {each.field}: {each.problem}" for each in told) + more)
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterField:
    """A place to be filled in; ``max_length`` in characters. One that is not required may be empty or left out."""

    name: str
    max_length: int = 60
    required: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterBody:
    """All that a template says. ``{name}`` in a text is filled in; ``{{`` and ``}}`` stand for themselves.

    ``issuer`` and ``date`` stand below the text, each in one line. ``seal`` is a placement as text; empty: over the
    issuer's name where it stands last.
    """

    title: str
    paragraphs: tuple[str, ...]
    issuer: str
    date: str
    fields: tuple[LetterField, ...] = ()
    number: str = ""
    addressee: str = ""
    seal: str = ""

    @property
    def lines(self) -> dict[str, str]:
        """The texts that are one line or a few, by name."""
        return {name: getattr(self, name) for name in ("title", "number", "addressee", "issuer", "date")}

    @property
    def texts(self) -> dict[str, str]:
        """Every text that may have places to be filled in, by where it stands."""
        return {**self.lines, **{f"paragraphs.{at}": text for at, text in enumerate(self.paragraphs, 1)}}

    def filled(self, row: Row) -> "LetterBody":
        """Fill in a row; what it does not say is empty."""
        return LetterBody(
            title=_filled(self.title, row),
            number=_filled(self.number, row),
            addressee=_filled(self.addressee, row),
            paragraphs=tuple(_filled(text, row) for text in self.paragraphs),
            issuer=_filled(self.issuer, row),
            date=_filled(self.date, row),
            seal=self.seal,
        )

    def placement(self, row: Row) -> Placement:
        """Tell where the seal goes in the letter of this row."""
        if self.seal:
            return parse_placement(self.seal)
        return AtKeyword(text=_filled(self.issuer, row), pick=-1, dy_mm=_SEAL_BELOW_MM)

    def canonical(self) -> str:
        """Write the template down; the same template always gives the same text."""
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True, separators=(",", ":"))

    @classmethod
    def read(cls, text: str) -> "LetterBody":
        """Give the template that ``canonical`` wrote down."""
        parts = json.loads(text)
        fields = tuple(LetterField(**field) for field in parts.pop("fields"))
        return cls(**{**parts, "paragraphs": tuple(parts["paragraphs"]), "fields": fields})


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterTemplate:
    """One version of an organisation's template; it never changes."""

    organisation: str
    code: str
    version: int
    body: LetterBody
    sm3: str
    """Of the canonical body, hexadecimal."""
    created_at: datetime
    created_by: str


Missing = Callable[[str], str]
"""Gives those characters of a text that cannot be shown."""


def body_sm3(canonical: str) -> str:
    """Name what a template says."""
    return sm3(canonical.encode()).hex()


def check_body(body: LetterBody, missing: Missing) -> None:
    """Refuse what makes no template; LetterTemplateInvalid names every part that is wrong."""
    problems = [f"{where}: {problem}" for where, problem in _body_problems(body, missing)]
    if problems:
        raise LetterTemplateInvalid("; ".join(problems[:_MOST_PROBLEMS]))
    if body.seal:
        # Written down anew it may be too long to be read again.
        parse_placement(placement_text(parse_placement(body.seal)))


def _body_problems(body: LetterBody, missing: Missing) -> Iterator[tuple[str, str]]:
    yield from _field_problems(body.fields)
    if not 0 < len(body.paragraphs) <= MOST_PARAGRAPHS:
        yield "paragraphs", f"1 to {MOST_PARAGRAPHS}"
    names = {field.name for field in body.fields}
    used: set[str] = set()
    for where, text in body.texts.items():
        longest = LONGEST_PARAGRAPH if where.startswith("paragraphs.") else LONGEST_LINE
        needed = where not in ("number", "addressee")
        if problem := _problem(text, longest, required=needed, missing=missing):
            yield where, problem
        if any(part.group() in "{}" for part in _PART.finditer(text)):
            yield where, "a brace alone: write {{ or }} for itself"
        placed = set(_places(text))
        used |= placed
        if unknown := sorted(placed - names):
            yield where, f"there is no field {', '.join(_called(name) for name in unknown)}"
    if unused := sorted(names - used):
        yield "fields", f"{', '.join(_called(name) for name in unused)} stands nowhere in the text"
    # The seal is placed by it.
    if not _filled(body.issuer, {field.name: "" if not field.required else "." for field in body.fields}).strip():
        yield "issuer", "may be empty, for all its fields may: make one required"


def _field_problems(fields: Sequence[LetterField]) -> Iterator[tuple[str, str]]:
    if len(fields) > MOST_FIELDS:
        yield "fields", f"{MOST_FIELDS} at most"
    names = [field.name for field in fields]
    for at, field in enumerate(fields, 1):
        if not _NAME.fullmatch(field.name):
            yield f"fields.{at}", "a name is letters, digits and _, beginning with a letter, 40 at most"
        elif names.index(field.name) != at - 1:
            yield f"fields.{at}", "this name is there twice"
        if not 0 < field.max_length <= LONGEST_VALUE:
            yield f"fields.{at}", f"max_length is 1 to {LONGEST_VALUE}"


def check_rows(body: LetterBody, rows: Sequence[Row], missing: Missing) -> None:
    """Refuse rows that do not fit; LetterRowsInvalid names row and field of all that is wrong in the first bad ones."""
    unshown = frozenset(missing("".join({letter for row in rows for value in row.values() for letter in value})))

    def absent(text: str) -> str:
        return "".join(dict.fromkeys(letter for letter in text if letter in unshown)) if unshown else ""

    bad = (found for number, row in enumerate(rows, 1) if (found := _row_problems(body, number, row, absent)))
    if problems := [problem for found in islice(bad, MOST_BAD_ROWS) for problem in found]:
        raise LetterRowsInvalid(problems)


def _row_problems(body: LetterBody, number: int, row: Row, missing: Missing) -> list[RowProblem]:
    found = [
        RowProblem(row=number, field=field.name, problem=problem)
        for field in body.fields
        if (problem := _problem(row.get(field.name, ""), field.max_length, required=field.required, missing=missing))
    ]
    unknown = row.keys() - {field.name for field in body.fields}
    return found + [
        RowProblem(row=number, field=_called(name), problem="no field of this template") for name in sorted(unknown)
    ]


def _problem(text: str, longest: int, *, required: bool, missing: Missing) -> str | None:
    if required and not text.strip():
        return "missing"
    if len(text) > longest:
        return f"longer than {longest} characters"
    # Beyond ASCII's printable ones every character is looked up.
    if not (text.isascii() and text.isprintable()):
        for letter in text:
            if unicodedata.category(letter) in _UNPRINTABLE:
                return f"has an unprintable character (U+{ord(letter):04X})"
    if absent := missing(text):
        return "has characters that the font cannot show: " + ", ".join(f"U+{ord(each):04X}" for each in absent[:10])
    return None


def _places(text: str) -> list[str]:
    return [part.group(1) for part in _PART.finditer(text) if part.group(1) is not None]


def _filled(text: str, row: Row) -> str:
    def one(part: re.Match[str]) -> str:
        name = part.group(1)
        return part.group()[0] if name is None else row.get(name, "")

    return _PART.sub(one, text)


def _called(name: str) -> str:
    """Name a field; what cannot be the name of one may be anything, and is not repeated."""
    return name if _NAME.fullmatch(name) else "?"
