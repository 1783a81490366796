"""The queue: affairs that wait for a second person, one affair with exactly what it would do, and deciding it."""

from http import HTTPStatus

from starlette.responses import Response

from admin.console.front import FRESH, Visit, see
from admin.console.names import Names
from admin.console.papers import handed_out
from admin.console.telling import told
from admin.console.words import ACTION, EFFECT, PAPER, SEAL_STATUS, STANDING, VERDICT, explained
from crypto.errors import CryptoError
from kernel.errors import Refusal
from kernel.problem import problem_of
from seal.affairs.checks import awaits
from seal.affairs.desk import SealDesk, SealFile
from seal.affairs.model import Affair, AffairRefused, Standing, UnknownAffair, Verdict, names_of
from seal.affairs.service import AffairService
from seal.errors import UnknownSeal

PATH = "/console/affairs"
_PAGE = 25
_OPEN = frozenset({Standing.REVIEWING, Standing.APPROVING})
_NEEDS_FRESH = frozenset({Verdict.APPROVE})
"""Verdicts that have consequences nobody takes back."""
_DONE = {
    Verdict.REVIEW: "reviewed",
    Verdict.APPROVE: "carried",
    Verdict.REJECT: "rejected",
    Verdict.WITHDRAW: "withdrawn",
}


class AffairRooms:
    """Lists affairs, shows one, and takes what an officer decides about it."""

    def __init__(self, *, affairs: AffairService, desk: SealDesk, names: Names) -> None:
        self._affairs = affairs
        self._desk = desk
        self._names = names

    def queue(self, visit: Visit) -> Response:
        """List what waits for the officer, or all that concerns them."""
        view = "all" if visit.get("view") == "all" else "waiting"
        page = self._affairs.list(
            visit.principal, waiting=view == "waiting", after=visit.get("after") or None, limit=_PAGE + 1
        )
        shown = page[:_PAGE]
        return visit.page(
            "affairs.html",
            view=view,
            affairs=[(each, each.standing(visit.now)) for each in shown],
            following=shown[-1].id if len(page) > _PAGE else None,
            names=self._names.of(each.proposed_by for each in shown),
            mine=names_of(visit.principal),
            action=ACTION,
            standing=STANDING,
        )

    def show(self, visit: Visit) -> Response:
        """Show one affair whole."""
        return self._shown(visit, self._affairs.find(visit.path["affair"], visit.principal))

    def decide(self, visit: Visit) -> Response:
        """Take a verdict; what is refused is said on the affair's own page."""
        affair = self._affairs.find(visit.path["affair"], visit.principal)
        here = f"{PATH}/{affair.id}"
        try:
            verdict = _verdict(visit.get("verdict"))
            if verdict in _NEEDS_FRESH and not visit.fresh:
                return visit.sign_in_again(here)
            self._affairs.decide(
                affair.id, verdict, visit.principal, payload_sm3=visit.get("payload_sm3"), note=visit.get("note")
            )
        except UnknownAffair:
            raise
        except (Refusal, CryptoError) as refusal:
            return self._shown(visit, affair, refusal)
        return see(f"{here}?done={_DONE[verdict]}")

    def paper(self, visit: Visit) -> Response:
        """Hand out a paper, or the artwork, that the affair names."""
        affair, key = visit.path["affair"], visit.path["key"]
        return handed_out(self._affairs.paper(affair, key, visit.principal), f"paper-{key[:12]}")

    def _shown(self, visit: Visit, affair: Affair, refusal: Refusal | CryptoError | None = None) -> Response:
        standing, who = affair.standing(visit.now), visit.principal
        file = self._file(visit, affair)
        problem = problem_of(refusal, visit.request) if refusal else None
        return visit.page(
            "affair.html",
            problem.status if problem else HTTPStatus.OK,
            affair=affair,
            standing=standing,
            file=file,
            told=told(affair, file),
            names=self._names.of((affair.proposed_by, *(each.by for each in affair.decisions))),
            own=affair.is_proposed_by(who),
            open=standing in _OPEN,
            awaited=awaits(affair, who, standing),
            involved=affair.involves(who),
            verdict="review" if standing is Standing.REVIEWING else "approve",
            fresh=visit.fresh,
            fresh_minutes=int(FRESH.total_seconds()) // 60,
            problem=problem,
            words=explained(problem.code) if problem else None,
            action=ACTION,
            effect=EFFECT,
            standings=STANDING,
            statuses=SEAL_STATUS,
            verdicts=VERDICT,
            paper_kinds=PAPER,
        )

    def _file(self, visit: Visit, affair: Affair) -> SealFile | None:
        try:
            return self._desk.file(affair.seal, visit.principal)
        except UnknownSeal:
            return None  # It is still to be made, or this officer sees the affair alone.


def _verdict(word: str) -> Verdict:
    try:
        return Verdict(word)
    except ValueError:
        raise AffairRefused("A verdict is review, approve, reject or withdraw.") from None
