"""The letter service: defining templates, finding them, and showing what a letter will look like."""

from collections.abc import Sequence

import sqlalchemy as sa

from kernel.audit import AuditLog
from kernel.clock import Clock
from kernel.db import Database
from kernel.errors import Forbidden
from kernel.principal import Principal
from license_store.letters import store
from license_store.letters.model import (
    CODE,
    LetterBody,
    LetterTemplate,
    LetterTemplateBusy,
    LetterTemplateInvalid,
    LetterTemplateUnknown,
    Row,
    body_sm3,
    check_body,
    check_rows,
)
from license_store.letters.printing import LetterPrinter
from license_store.model import RenderingFailed

_ATTEMPTS = 5
_WIDE = "国"


class LetterService:
    """Keeps letter templates. Versions are added, never changed; each organisation sees its own."""

    def __init__(self, *, db: Database, audit: AuditLog, clock: Clock, printer: LetterPrinter) -> None:
        self._db = db
        self._audit = audit
        self._clock = clock
        self._printer = printer

    def define(self, code: str, body: LetterBody, principal: Principal) -> tuple[LetterTemplate, bool]:
        """Add a version of a template; needs ``license.template:<code>``. Tell whether it is new.

        What the newest version says already makes no further one. The longest data that its fields take must fit.
        """
        principal.require("license.template", code)
        organisation = _organisation(principal)
        if not CODE.fullmatch(code):
            raise LetterTemplateInvalid("code: small letters, digits and hyphens, 50 at most, no hyphen first")
        check_body(body, self._printer.missing)
        self._fits(body)
        for _ in range(_ATTEMPTS):
            try:
                return self._add(organisation, code, body, principal)
            except sa.exc.IntegrityError:
                continue  # another was faster with this number
        raise LetterTemplateBusy("Others define this template at this moment: look what it says now, and try again.")

    def _fits(self, body: LetterBody) -> None:
        longest = {field.name: _WIDE * field.max_length for field in body.fields}
        try:
            self._printer.pdf(body.filled(longest), at=0)
        except RenderingFailed as error:
            raise LetterTemplateInvalid(
                "With the longest data that its fields take the letter does not fit on ten pages, or issuer or date "
                "not in one line: shorten the text, or max_length."
            ) from error

    def _add(self, organisation: str, code: str, body: LetterBody, principal: Principal) -> tuple[LetterTemplate, bool]:
        said = body_sm3(body.canonical())
        with self._db.begin() as conn:
            newest = store.find(conn, organisation, code)
            if newest is not None and newest.sm3 == said:
                return newest, False
            made = LetterTemplate(
                organisation=organisation,
                code=code,
                version=newest.version + 1 if newest else 1,
                body=body,
                sm3=said,
                created_at=self._clock.now().replace(microsecond=0),
                created_by=principal.subject,
            )
            store.insert(conn, made)
            self._audit.append(
                conn,
                at=self._clock.now(),
                actor=principal.subject,
                action="license.letter.defined",
                target=f"{organisation}/{code}",
                facts={"version": made.version, "sm3": made.sm3},
            )
        return made, True

    def find(self, code: str, version: int | None, principal: Principal) -> LetterTemplate:
        """Give a version of a template of the caller's organisation, without one the newest."""
        _may_look(principal, code)
        with self._db.read() as conn:
            found = store.find(conn, _organisation(principal), code, version)
        if found is None:
            raise LetterTemplateUnknown("There is no such template, or not in this version.")
        return found

    def list(self, principal: Principal, *, after: str = "", limit: int = 100) -> Sequence[LetterTemplate]:
        """List the newest version of each template of the caller's organisation, by code."""
        _may_look(principal, "*")
        with self._db.read() as conn:
            return store.newest(conn, _organisation(principal), after=after, limit=limit)

    def preview(self, code: str, version: int, row: Row, principal: Principal) -> bytes:
        """Print a row's letter without a seal, marked as a preview; nothing is put on record."""
        template = self.find(code, version, principal)
        check_rows(template.body, [row], self._printer.missing)
        return self._printer.letter(template, row, preview=True)


def _may_look(principal: Principal, code: str) -> None:
    if not any(right.startswith("seal.use:") for right in principal.rights):
        principal.require("license.template", code)


def _organisation(principal: Principal) -> str:
    if principal.organisation is None:
        raise Forbidden("Letter templates belong to organisations, and the caller acts for none.")
    return principal.organisation
