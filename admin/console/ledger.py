"""The usage ledger: who used which seal for what, filtered, page by page, and as a signed export."""

import re
from datetime import MAXYEAR, MINYEAR, date, datetime, time, timedelta
from typing import Any

from starlette.responses import Response, StreamingResponse

from admin.console.front import Visit, with_query
from admin.console.names import Names
from admin.console.papers import HEADERS
from admin.console.words import USE_STATE
from kernel.errors import Forbidden
from seal.usage.export import ZONE
from seal.usage.ledger import LedgerFilter, LedgerFilterRefused, LedgerPage, UsageLedger, UseState

PATH = "/console/ledger"
_PAGE, _COUNTED, _LOOKS = 25, 10_000, 10
_FIELDS = ("seal", "since", "until", "state", "case_number", "document_kind", "document_sm3", "caller")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class LedgerRoom:
    """Shows uses of seals and gives exports of them."""

    def __init__(self, *, ledger: UsageLedger, names: Names) -> None:
        self._ledger = ledger
        self._names = names

    def show(self, visit: Visit) -> Response:
        """List the uses that fit the filter, newest first."""
        asked = {name: visit.get(name) for name in _FIELDS}
        context: dict[str, Any] = {"asked": asked, "narrowed": any(asked.values()), "states": USE_STATE}
        wanted = _filter(visit)
        try:
            page = self._page(wanted, visit)
            counted, whole = self._ledger.count(wanted, visit.principal, most=_COUNTED)
        except Forbidden:
            return visit.page("ledger.html", 403, **context, denied=True)
        return visit.page(
            "ledger.html",
            **context,
            denied=False,
            rows=page.rows,
            counted=counted,
            whole=whole,
            following=with_query(PATH, {**asked, "after": page.next}) if page.next else None,
            first="" if not visit.get("after") else with_query(PATH, asked),
            names=self._names.of(
                {each.caller for each in page.rows} | {each.person for each in page.rows if each.person}
            ),
        )

    def _page(self, wanted: LedgerFilter, visit: Visit) -> LedgerPage:
        """Look on where a page has no rows although there may be some further back, within bounds."""
        page = self._ledger.page(wanted, visit.principal, after=visit.get("after") or None, limit=_PAGE)
        for _ in range(_LOOKS):
            if page.rows or page.next is None:
                break
            page = self._ledger.page(wanted, visit.principal, after=page.next, limit=_PAGE)
        return page

    def export(self, visit: Visit) -> Response:
        """Give an archive of all that fits the filter; that it was made is put on record."""
        pieces = self._ledger.export(_filter(visit), visit.principal)
        name = f"ledger-{visit.now.astimezone(ZONE):%Y%m%d-%H%M}.zip"
        headers = {**HEADERS, "Content-Disposition": f'attachment; filename="{name}"'}
        return StreamingResponse(pieces, media_type="application/zip", headers=headers)


def _filter(visit: Visit) -> LedgerFilter:
    """Read the filter; LedgerFilterRefused for what no use could have. Days are China's."""
    state, until = visit.get("state"), _day(visit.get("until"))
    if state and state not in set(UseState):
        raise LedgerFilterRefused("There is no such state.")
    return LedgerFilter(
        seal=visit.get("seal") or None,
        caller=visit.get("caller") or None,
        since=_day(visit.get("since")),
        until=until + timedelta(days=1) if until else None,
        document_kind=visit.get("document_kind") or None,
        case_number=visit.get("case_number") or None,
        state=UseState(state) if state else None,
        document_sm3=visit.get("document_sm3") or None,
    )


def _day(written: str) -> datetime | None:
    if not written:
        return None
    try:
        day = date.fromisoformat(written) if _DAY.fullmatch(written) else None
    except ValueError:
        day = None
    # The last day has none after it, and the first began elsewhere before there were any.
    if day is None or not MINYEAR < day.year < MAXYEAR:
        raise LedgerFilterRefused("A day is written like 2026-11-30.")
    return datetime.combine(day, time(), ZONE)
