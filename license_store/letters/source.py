"""Letters as a source of batches: each row of data becomes one document."""

import json
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from kernel.db import Database
from kernel.principal import Principal
from license_store.letters import store
from license_store.letters.model import LetterTemplate, LetterTemplateUnknown, Row, check_rows
from license_store.letters.printing import LetterPrinter
from license_store.letters.service import LetterService
from seal.batches.model import RowContent

SOURCE = "letters"
"""How batches name this source."""
_MOST_KEPT = 64


class LetterSource:
    """Makes the documents of a batch's rows (RowSource).

    An item's content is canonical JSON: organisation, template, version, row. Versions never change and no clock is
    asked, so the same content gives the same octets, whoever prints it and when.
    """

    def __init__(self, *, db: Database, letters: LetterService, printer: LetterPrinter) -> None:
        self._db = db
        self._letters = letters
        self._printer = printer
        self._kept: dict[tuple[str, str, int], LetterTemplate] = {}
        self._lock = threading.Lock()

    def contents(
        self, template: str, version: int, rows: Sequence[Row], principal: Principal, *, named_by: str | None = None
    ) -> Sequence[RowContent]:
        """Give each row's content and the place of its seal; ``check`` tells whether the rows fit."""
        found = self._letters.find(template, version, principal)
        head = {"organisation": found.organisation, "template": found.code, "version": found.version}
        if named_by is not None:
            head["named_by"] = named_by
        return [
            RowContent(
                content=json.dumps(
                    {**head, "row": dict(row)}, ensure_ascii=False, sort_keys=True, separators=(",", ":")
                ),
                placement=found.body.placement(row),
            )
            for row in rows
        ]

    def check(self, contents: Sequence[str], principal: Principal) -> None:
        """Refuse rows that do not fit, and templates of others (ItemSource)."""
        rows: dict[tuple[str, str, int], list[Row]] = {}
        for content in contents:
            which, row = _read(content)
            rows.setdefault(which, []).append(row)
        for (organisation, code, version), those in rows.items():
            template = self._letters.find(code, version, principal)
            if template.organisation != organisation:
                raise LetterTemplateUnknown("There is no such template, or not in this version.")
            check_rows(template.body, those, self._printer.missing)

    def document(self, content: str) -> bytes:
        """Print the letter of one row (ItemSource)."""
        which, row = _read(content)
        return self._printer.letter(self._template(which), row)

    def file_name(self, content: str) -> str | None:
        """Give the value that the file is to be named by, if the caller chose a field for that (RowSource)."""
        parts = json.loads(content)
        return None if "named_by" not in parts else parts["row"].get(parts["named_by"])

    def _template(self, which: tuple[str, str, int]) -> LetterTemplate:
        with self._lock:
            kept = self._kept.get(which)
        if kept is not None:
            return kept
        with self._db.read() as conn:
            found = store.find(conn, *which)
        if found is None:
            raise LetterTemplateUnknown("There is no such template, or not in this version.")
        with self._lock:
            if len(self._kept) >= _MOST_KEPT:
                self._kept.clear()
            self._kept[which] = found
        return found


def _read(content: str) -> tuple[tuple[str, str, int], Row]:
    try:
        parts: Mapping[str, Any] = json.loads(content)
        which = (str(parts["organisation"]), str(parts["template"]), int(parts["version"]))
        row = {str(name): str(value) for name, value in parts["row"].items()}
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise LetterTemplateUnknown("This is not the content of a letter.") from error
    return which, row
