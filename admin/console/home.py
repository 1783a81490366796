"""The first room: what waits for this officer, and how things stand."""

from starlette.responses import Response

from admin.console.front import Visit
from admin.console.names import Names
from admin.console.uses import may_decide, words_of
from admin.console.words import ACTION, SEAL_STATUS
from seal.affairs.roll import SealRoll
from seal.affairs.service import AffairService
from seal.batches import BatchService
from seal.batches.model import BatchState
from seal.unsealed import Unsealed
from seal.usage.requests import UseRequests

_SHOWN, _COUNTED = 5, 100
_BATCHES = 50


class HomeRoom:
    """Shows what waits."""

    def __init__(  # noqa: PLR0913 - what it counts
        self,
        *,
        affairs: AffairService,
        uses: UseRequests,
        roll: SealRoll,
        unsealed: Unsealed,
        batches: BatchService,
        names: Names,
    ) -> None:
        self._affairs = affairs
        self._uses = uses
        self._roll = roll
        self._unsealed = unsealed
        self._batches = batches
        self._names = names

    def show(self, visit: Visit) -> Response:
        """Show what waits for the officer, and counts."""
        who = visit.principal
        waiting = self._affairs.list(who, waiting=True, limit=_COUNTED)
        asked = self._uses.list(who, waiting=True, limit=_COUNTED)
        decidable = [each for each in asked if may_decide(each, visit)]
        shown, used = waiting[:_SHOWN], decidable[:_SHOWN]
        batches = [batch.state for batch, _ in self._batches.list(who, limit=_BATCHES)]
        return visit.page(
            "home.html",
            waiting=shown,
            uses=[(each, words_of(each)) for each in used],
            waits=len(waiting) + len(decidable),
            most=_COUNTED,
            seals=self._roll.count(who),
            unsealed=len(self._unsealed.list(who, limit=_COUNTED)),
            running=batches.count(BatchState.RUNNING),
            held=batches.count(BatchState.PAUSED) + batches.count(BatchState.STOPPED),
            names=self._names.of({each.proposed_by for each in shown} | {each.caller for each in used}),
            action=ACTION,
            statuses=SEAL_STATUS,
        )
