"""Unfinished work: sealings that failed or were cut off, and taking them up again."""

from http import HTTPStatus

from starlette.responses import Response

from admin.console.front import Visit, see
from admin.console.names import Names
from admin.console.words import explained
from crypto.errors import CryptoError
from kernel.errors import Refusal
from kernel.problem import problem_of
from seal.sealing import SealService
from seal.unsealed import Unsealed

PATH = "/console/unsealed"
_PAGE = 25


class UnsealedRoom:
    """Lists unfinished sealings and retries one."""

    def __init__(self, *, unsealed: Unsealed, sealing: SealService, names: Names) -> None:
        self._unsealed = unsealed
        self._sealing = sealing
        self._names = names

    def show(self, visit: Visit) -> Response:
        """List what came to no end, oldest first."""
        return self._shown(visit)

    def retry(self, visit: Visit) -> Response:
        """Finish a sealing under its old serial; why it cannot be is said above the list."""
        try:
            self._sealing.retry(visit.path["sealing"], visit.principal)
        except (Refusal, CryptoError) as refusal:
            return self._shown(visit, refusal)
        return see(f"{PATH}?done=sealed")

    def _shown(self, visit: Visit, refusal: Refusal | CryptoError | None = None) -> Response:
        page = self._unsealed.list(visit.principal, after=visit.get("after") or None, limit=_PAGE + 1)
        shown = page[:_PAGE]
        problem = problem_of(refusal, visit.request) if refusal else None
        owed = self._unsealed.unstamped(visit.principal, limit=_PAGE)
        return visit.page(
            "unsealed.html",
            problem.status if problem else HTTPStatus.OK,
            rows=[(each, explained(each.failure or "sealing_interrupted")) for each in shown],
            owed=owed,
            most=_PAGE,
            may={each.intent.seal for each in shown if visit.principal.may("seal.use", each.intent.seal)},
            following=shown[-1].intent.id if len(page) > _PAGE else None,
            names=self._names.of({each.intent.caller for each in shown} | {each.caller for each in owed}),
            problem=problem,
            words=explained(problem.code) if problem else None,
        )
