"""Rows of data for batches: how they are asked for, and what items they become."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import replace

from pydantic import Field

from kernel.errors import Reason, Refusal
from kernel.principal import Principal
from seal.batches.model import BatchInvalid, ItemWish, RowSource
from seal.batches.service import BatchService
from seal.upload import SealingOptions

_UTF8_BOM = b"\xef\xbb\xbf"
_REMEDY = "save it as “CSV UTF-8 (Comma delimited)”, in Chinese “CSV UTF-8（逗号分隔）”"


class BatchTableUnreadable(Refusal):
    """A table of rows cannot be read; the detail names the line and the remedy."""

    reason, code = Reason.BAD_INPUT, "batch_table_unreadable"


class RowOptions(SealingOptions):
    """What documents are made from, and how each is to be sealed."""

    source: str = Field(max_length=50, description="the kind of template", examples=["letters"])
    code: str = Field(max_length=50, description="the template's code", examples=["xk-decision"])
    version: int = Field(ge=1, le=2**31 - 1, description="the template's version: what was tried is what is sealed")
    case_number_from: str | None = Field(
        default=None, max_length=100, description="the field that gives each document's case_number"
    )
    file_name_from: str | None = Field(
        default=None, max_length=100, description="the field that files in results.zip are named by"
    )


def row_items(
    batches: BatchService,
    options: RowOptions,
    rows: Sequence[Mapping[str, str]],
    seal: str,
    principal: Principal,
) -> list[ItemWish]:
    """Give the items that rows become; whether the rows fit is told when the batch is made of them."""
    source = batches.sources.get(options.source)
    if not isinstance(source, RowSource):
        raise BatchInvalid("There is no kind of template of this name.")
    for field in filter(None, (options.case_number_from, options.file_name_from)):
        lacking = next((number for number, row in enumerate(rows, 1) if field not in row), None)
        if lacking is not None:
            raise BatchInvalid(f"Row {lacking} lacks a field that case_number_from or file_name_from names.")
    request = options.request(b"", seal)
    made = source.contents(options.code, options.version, rows, principal, named_by=options.file_name_from)
    return [
        ItemWish(
            content=each.content,
            request=replace(
                request,
                placement=request.placement or each.placement,
                case_number=row[options.case_number_from] if options.case_number_from else request.case_number,
            ),
        )
        for each, row in zip(made, rows, strict=True)
    ]


def read_rows(table: bytes, most: int) -> list[dict[str, str]]:
    """Read rows from CSV (RFC 4180) in UTF-8, with or without a byte order mark; the first line names the fields.

    Lines without any value are left aside. Numbers of rows, here and in refusals, begin with 1 below the names.
    """
    reader = csv.reader(io.StringIO(_decoded(table), newline=""), strict=True)
    rows: list[dict[str, str]] = []
    try:
        names = [name.strip() for name in next(reader, [])]
        _check_names(names)
        for cells in reader:
            if not any(cells):
                continue
            if len(rows) == most:
                raise BatchTableUnreadable(f"The table has more than {most} rows.")
            if len(cells) != len(names):
                raise BatchTableUnreadable(
                    f"Line {reader.line_num} has {len(cells)} cells, and the first line names {len(names)} fields."
                )
            rows.append(dict(zip(names, cells, strict=True)))
    except csv.Error as error:
        why = "a quotation mark is amiss, or a cell is longer than 100,000 characters"
        raise BatchTableUnreadable(f"Line {reader.line_num} is no CSV: {why}.") from error
    if not rows:
        raise BatchTableUnreadable("The table has no rows below the names of its fields.")
    return rows


def _check_names(names: Sequence[str]) -> None:
    if not all(names):
        raise BatchTableUnreadable("The first line names the field of every column; a name is missing.")
    if len(set(names)) != len(names):
        raise BatchTableUnreadable("Two columns bear the same name.")


def _decoded(table: bytes) -> str:
    if table.startswith(b"PK\x03\x04"):
        raise BatchTableUnreadable(f"This is a workbook, not CSV: {_REMEDY}.")
    try:
        return table.removeprefix(_UTF8_BOM).decode("utf-8")
    except UnicodeDecodeError:
        raise BatchTableUnreadable(f"The table is not in UTF-8 but perhaps in GB18030: {_REMEDY}.") from None
