"""Cases made from the API's own description, sent to a service, and judged by what that description promises."""

import time
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any, TypeAlias

import schemathesis
from schemathesis import Case
from schemathesis.config import SchemathesisConfig
from schemathesis.core.parameters import ParameterLocation
from schemathesis.engine import events, from_schema
from schemathesis.engine.recorder import ScenarioRecorder
from schemathesis.hooks import GLOBAL_HOOK_DISPATCHER

from tests.fuzz.api_world import World

AnyCase: TypeAlias = "Case[Any]"
PHASES = ("examples", "coverage", "fuzzing", "stateful")
REAL = 0.7
_WHOLE = 0.3
"""Share of the filled JSON bodies that are replaced whole by one that is taken."""
_FRESH_SECONDS = 240
_FILES = ("application/pdf", "application/ofd")
_ENDING = frozenset({"cancelBatch", "pauseBatch", "resumeBatch", "revokeLicense", "renewWebhookSecret"}) | {
    "decideAffair",
    "decideUseRequest",
}
"""Operations after which others would find nothing to do, beside DELETE."""


@schemathesis.serializer(*_FILES, "text/csv")
def _as_it_is(context: object, value: object) -> bytes:
    del context
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What came of a run."""

    cases: int = 0
    checks: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    reached: Counter[str] = field(default_factory=Counter)
    """Operations by how often they did what they are for (2xx)."""
    failures: dict[str, str] = field(default_factory=dict)
    """What did not hold, each kind of failure at each operation once, with the request that shows it."""
    seconds: float = 0.0
    slowest: float = 0.0


def run(
    world: World,
    *,
    examples: int,
    seed: int,
    only: str | None = None,
    phases: tuple[str, ...] = PHASES,
    real: float = REAL,
) -> Outcome:
    """Send ``examples`` made-up cases an operation, and those that follow from the description; judge each answer.

    ``real`` is the share of cases that name something that is there, of those that may.
    """
    warnings.simplefilter("ignore")
    whole = schemathesis.openapi.from_dict(world.description, config=_config(world, examples, seed, phases))
    schema = whole.include(operation_id=only) if only else whole
    outcome = Outcome()
    began = time.monotonic()
    with _filled(world, seed, real) as filled:
        for event in from_schema(schema).execute():
            if isinstance(event, events.ScenarioFinished):
                _count(outcome, event.recorder, filled)
            elif isinstance(event, events.NonFatalError):
                outcome.failures[f"{event.label}: error"] = f"{type(event.value).__name__}: {event.value}"
            elif isinstance(event, events.FatalError):
                raise event.exception
    outcome.seconds = time.monotonic() - began
    return outcome


def _config(world: World, examples: int, seed: int, phases: tuple[str, ...]) -> SchemathesisConfig:
    return SchemathesisConfig.from_dict(
        {
            "seed": seed,
            "base-url": world.address,
            "continue-on-failure": True,
            "request-timeout": 60,
            "generation": {"max-examples": examples, "no-shrink": True, "with-security-parameters": False},
            "phases": {name: {"enabled": name in phases} for name in PHASES},
            # What is well formed by the description may still be no document, or name nothing that is there.
            "checks": {
                "positive_data_acceptance": {
                    "expected-statuses": ["2xx", "400", "401", "403", "404", "409", "413", "415", "422", "429", "503"]
                }
            },
        }
    )


@contextmanager
def _filled(world: World, seed: int, real: float) -> Iterator[set[str]]:
    """Let cases bear tokens, and name what is there, while the block runs; give those that were filled."""
    filling = _Filling(world, seed, real)
    schemathesis.auth(refresh_interval=_FRESH_SECONDS)(_tokens(world))

    def before_call(context: object, case: AnyCase, kwargs: object) -> None:
        del context, kwargs
        filling.fill(case)

    schemathesis.hook("before_call")(before_call)
    try:
        yield filling.filled
    finally:
        schemathesis.auths.unregister()
        GLOBAL_HOOK_DISPATCHER.unregister(before_call)


def _tokens(world: World) -> type:
    class Tokens:
        def get(self, _case: object, _context: object) -> str:
            return world.token()

        def set(self, case: AnyCase, token: str, _context: object) -> None:
            if not case.headers.get("Authorization"):
                case.headers["Authorization"] = f"Bearer {token}"

    return Tokens


class _Filling:
    """Puts names of what is there where a case has made some up, unless being wrong is what the case is about."""

    def __init__(self, world: World, seed: int, real: float) -> None:
        self._world = world
        self._real = real
        self.filled: set[str] = set()
        self._rng = Random(seed)  # noqa: S311 - the same in every run is what is wanted

    def fill(self, case: AnyCase) -> None:
        if self._rng.random() > self._real:
            return
        operation = case.operation.definition.raw.get("operationId", "")
        ends = case.method == "DELETE" or operation in _ENDING
        if self._sound(case, ParameterLocation.PATH):
            names = self._world.doomed if ends else self._world.known
            for name in case.path_parameters or {}:
                if name in names:
                    case.path_parameters[name] = self._rng.choice(names[name])
        if case.meta is None or case.meta.generation.mode.is_positive:
            self.filled.add(case.id)
            self._fill_query(case, operation)
            self._fill_body(case, operation)

    def _fill_query(self, case: AnyCase, operation: str) -> None:
        asked = self._world.asked.get(operation, {})
        whole = self._rng.random() < _WHOLE
        if asked:
            given = case.query or {}
            case.query = dict(asked) if whole else given | {name: asked[name] for name in asked if name in given}

    def _fill_body(self, case: AnyCase, operation: str) -> None:
        orders = self._world.orders.get(operation, ())
        order = self._rng.choice(orders) if orders else None
        if isinstance(order, bytes):
            case.body = order
        elif isinstance(case.body, bytes) or case.media_type in _FILES:
            case.body = self._rng.choice(self._world.files)
        elif case.media_type == "multipart/form-data" and isinstance(case.body, dict) and "file" in case.body:
            form: dict[str, Any] = {**case.body, "file": self._rng.choice(self._world.files)}
            case.body = form
        elif order is not None and isinstance(case.body, dict):
            if self._rng.random() < _WHOLE:
                case.body = dict(order)
            else:
                case.body = {**case.body, **{name: order[name] for name in order if name in case.body}}

    @staticmethod
    def _sound(case: AnyCase, location: ParameterLocation) -> bool:
        return case.meta is None or not case.meta.is_negative_at(location)


def _count(outcome: Outcome, recorder: ScenarioRecorder, filled: set[str]) -> None:
    for number, node in recorder.cases.items():
        interaction = recorder.interactions.get(number)
        if interaction is None or interaction.response is None:
            continue
        status = interaction.response.status_code
        outcome.cases += 1
        outcome.statuses[status] += 1
        outcome.slowest = max(outcome.slowest, interaction.response.elapsed)
        label = f"{node.value.method} {node.value.operation.path}"
        if label == node.value.operation.label:
            outcome.reached[label] += 200 <= status < 300
        for check in recorder.checks.get(number, ()):
            outcome.checks += 1
            # To the library the octets of a file are no string, so that a case with one in it were a wrong one.
            mistaken = number in filled and check.name == "negative_data_rejection"
            if check.failure_info is not None and not mistaken:
                failure = check.failure_info.failure
                name = f"{label}: {check.name}: {failure.title}"
                said = interaction.response.content.decode("utf-8", "replace")[:600]
                answer = f"answer {status}: {said}"
                told = (failure.message, answer, check.failure_info.code_sample[:1500])
                outcome.failures.setdefault(name, "\n".join(told))
