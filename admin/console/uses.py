"""Single uses that wait for approval: what would be sealed, by which seal, for whom; and deciding it."""

import json
from http import HTTPStatus
from typing import Any

from starlette.responses import Response

from admin.console.front import FRESH, Visit, see
from admin.console.names import Names
from admin.console.papers import handed_out
from admin.console.words import USE_STANDING, VERDICT, explained
from crypto.errors import CryptoError
from kernel.errors import Forbidden, Refusal
from kernel.problem import problem_of
from seal.affairs.desk import SealDesk, SealFile
from seal.affairs.model import Verdict
from seal.errors import UnknownSeal
from seal.usage.approvals import UseRequest, UseRequestRefused, UseRequestUnknown, UseStanding, require_decider
from seal.usage.requests import UseRequests

PATH = "/console/uses"
_PAGE = 25
_DONE = {Verdict.APPROVE: "allowed", Verdict.REJECT: "refused"}


class UseRooms:
    """Lists use requests, shows one, and takes what an officer decides about it."""

    def __init__(self, *, uses: UseRequests, desk: SealDesk, names: Names) -> None:
        self._uses = uses
        self._desk = desk
        self._names = names

    def queue(self, visit: Visit) -> Response:
        """List the uses that an officer may decide, newest first."""
        page = self._uses.list(visit.principal, after=visit.get("after") or None, limit=_PAGE + 1)
        shown = page[:_PAGE]
        return visit.page(
            "uses.html",
            view="uses",
            uses=[(each, each.standing(visit.now), words_of(each)) for each in shown],
            following=shown[-1].id if len(page) > _PAGE else None,
            names=self._names.of(each.caller for each in shown),
            standing=USE_STANDING,
        )

    def show(self, visit: Visit) -> Response:
        """Show one use request whole."""
        return self._shown(visit, self._uses.find(visit.path["use"], visit.principal))

    def document(self, visit: Visit) -> Response:
        """Hand out the document that is to be sealed."""
        use = visit.path["use"]
        return handed_out(self._uses.document(use, visit.principal), f"use-{use}")

    def decide(self, visit: Visit) -> Response:
        """Take a verdict; what is refused is said on the request's own page."""
        use = self._uses.find(visit.path["use"], visit.principal)
        here = f"{PATH}/{use.id}"
        try:
            verdict = {each.value: each for each in _DONE}.get(visit.get("verdict"))
            if verdict is None:
                raise UseRequestRefused("A verdict is approve or reject.")
            if verdict is Verdict.APPROVE and not visit.fresh:
                return visit.sign_in_again(here)
            shown = visit.get("request_hash")
            self._uses.decide(use.id, verdict, visit.principal, request_hash=shown, note=visit.get("note"))
        except UseRequestUnknown:
            raise
        except (Refusal, CryptoError) as refusal:
            return self._shown(visit, use, refusal)
        return see(f"{here}?done={_DONE[verdict]}")

    def _shown(self, visit: Visit, use: UseRequest, refusal: Refusal | CryptoError | None = None) -> Response:
        standing, problem = use.standing(visit.now), problem_of(refusal, visit.request) if refusal else None
        people = {use.caller, use.person, use.decision.by if use.decision else use.caller}
        return visit.page(
            "use.html",
            problem.status if problem else HTTPStatus.OK,
            use=use,
            asked=words_of(use),
            file=self._file(visit, use),
            stands=standing,
            names=self._names.of(people),
            awaited=standing is UseStanding.WAITING and may_decide(use, visit),
            fresh=visit.fresh,
            fresh_minutes=int(FRESH.total_seconds()) // 60,
            problem=problem,
            words=explained(problem.code) if problem else None,
            standing=USE_STANDING,
            verdicts=VERDICT,
        )

    def _file(self, visit: Visit, use: UseRequest) -> SealFile | None:
        try:
            return self._desk.file(use.seal, visit.principal)
        except UnknownSeal:
            return None


def words_of(use: UseRequest) -> dict[str, Any]:
    """Give what a use was asked with."""
    asked: dict[str, Any] = json.loads(use.asked)
    return {"amount": None, "level": None, **asked}


def may_decide(use: UseRequest, visit: Visit) -> bool:
    """Tell whether this officer is one of those who decide a use."""
    try:
        require_decider(use, Verdict.APPROVE, visit.principal)
    except Forbidden:
        return False
    return True
