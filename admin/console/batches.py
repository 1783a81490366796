"""Batches: how far each came, what failed in it, and pausing, resuming or cancelling it."""

from collections.abc import Mapping
from http import HTTPStatus

from starlette.responses import Response

from admin.console.front import Visit, see, with_query
from admin.console.names import Names
from admin.console.words import BATCH_STATE, ITEM_STATE, explained
from crypto.errors import CryptoError
from kernel.errors import Refusal
from kernel.problem import problem_of
from seal.batches import BatchService
from seal.batches.model import FROM, Batch, BatchRefused, BatchState, BatchUnknown, Step

PATH = "/console/batches"
_PAGE, _ITEMS = 20, 50
_STEPS: Mapping[str, Step] = {"pause": Step.PAUSED, "resume": Step.RESUMED, "cancel": Step.CANCELLED}
_RELOAD_SECONDS = 5
_MOST_DIGITS = 6


class BatchRooms:
    """Lists batches, shows one, and steers it."""

    def __init__(self, *, batches: BatchService, names: Names) -> None:
        self._batches = batches
        self._names = names

    def list(self, visit: Visit) -> Response:
        """List batches, newest first."""
        page = self._batches.list(visit.principal, after=visit.get("after") or None, limit=_PAGE + 1)
        shown = page[:_PAGE]
        return visit.page(
            "batches.html",
            rows=shown,
            following=shown[-1][0].id if len(page) > _PAGE else None,
            names=self._names.of(batch.caller for batch, _ in shown),
            state=BATCH_STATE,
        )

    def show(self, visit: Visit) -> Response:
        """Show a batch with its items."""
        return self._shown(visit)

    def steer(self, visit: Visit) -> Response:
        """Pause, resume or cancel a batch."""
        batch, wish = visit.path["batch"], visit.get("wish")
        verbs = {"pause": self._batches.pause, "resume": self._batches.resume, "cancel": self._batches.cancel}
        try:
            if wish not in verbs:
                raise BatchRefused("A batch is paused, resumed or cancelled.")
            verbs[wish](batch, visit.principal)
        except BatchUnknown:
            raise
        except (Refusal, CryptoError) as refusal:
            return self._shown(visit, refusal)
        return see(f"{PATH}/{batch}?done={_STEPS[wish].value}")

    def _shown(self, visit: Visit, refusal: Refusal | CryptoError | None = None) -> Response:
        batch, tally = self._batches.progress(visit.path["batch"], visit.principal)
        after = visit.get("after")
        start = int(after) if after.isascii() and after.isdigit() and len(after) <= _MOST_DIGITS else 0
        items = self._batches.items(batch.id, visit.principal, after=start, limit=_ITEMS + 1)
        here, problem = f"{PATH}/{batch.id}", problem_of(refusal, visit.request) if refusal else None
        watching = batch.state is BatchState.RUNNING and visit.get("watch") != "0"
        return visit.page(
            "batch.html",
            problem.status if problem else HTTPStatus.OK,
            batch=batch,
            tally=tally,
            items=[(each, explained(each.failure)[0] if each.failure else None) for each in items[:_ITEMS]],
            following=with_query(here, {"after": str(items[_ITEMS - 1].position)}) if len(items) > _ITEMS else None,
            wishes=_wishes(batch),
            # A page that answers a form would be sent again by reloading it.
            reload=f"{_RELOAD_SECONDS}; url={here}?watch=1" if watching and problem is None and not start else None,
            still=f"{here}?watch=0",
            names=self._names.of((batch.caller,)),
            problem=problem,
            words=explained(problem.code) if problem else None,
            state=BATCH_STATE,
            item_state=ITEM_STATE,
        )


def _wishes(batch: Batch) -> tuple[str, ...]:
    return tuple(wish for wish, step in _STEPS.items() if batch.state in FROM[step])
