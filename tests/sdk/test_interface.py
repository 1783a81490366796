"""The SDK's tables held against what the service says of itself, so that neither drifts from the other."""

import inspect
import re
from collections.abc import AsyncIterator, Coroutine, Iterator
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack, assert_type, get_args, get_origin, get_type_hints

import pytest

from seal.placing import parse_placement
from seal.webhooks.model import EventType
from tests.sdk.conftest import Running
from xinyin_sdk import aio, client, errors, placing
from xinyin_sdk import operations as ops
from xinyin_sdk.operations.batches import Order
from xinyin_sdk.placing import at_keyword, at_point, facing, in_corner, straddle
from xinyin_sdk.shapes import Affair, Endpoint, SealStatus

ROOT = Path(__file__).resolve().parents[2]
POINT = {"page", "x_mm", "y_mm"}
"""A place by its numbers: ``placement`` says the same in one line."""


@pytest.fixture(scope="module")
def told(running: Running) -> dict[str, Any]:
    with running.client() as office:
        answer: dict[str, Any] = office._line._http.get("/api/openapi.json").json()
    return answer


@pytest.fixture(scope="module")
def operations(told: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        f"{method.upper()} {path}": operation
        for path, found in told["paths"].items()
        for method, operation in found.items()
    }


def test_every_operation_is_in_the_sdk_or_the_page_says_that_it_is_not(operations: dict[str, Any]) -> None:
    page = (ROOT / "docs/sdk.md").read_text("utf-8").partition("## Not in the SDK")[2]
    left_out = set(re.findall(r"^\| `([A-Z]+ /[^`]+)` \|", page, re.MULTILINE))
    rows = {row.name for row in ops.TABLE}
    assert rows | left_out == set(operations), "add a row to xinyin_sdk.operations, or to docs/sdk.md"
    assert rows & left_out == set()


def test_what_needs_a_token_gets_one_and_nothing_else(operations: dict[str, Any]) -> None:
    assert {row.name: row.public for row in ops.TABLE} == {
        row.name: "security" not in operations[row.name] for row in ops.TABLE
    }


@pytest.mark.parametrize("row", ops.TABLE, ids=[f"{number} {row.name}" for number, row in enumerate(ops.TABLE)])
def test_every_answer_is_read_into_a_record_with_its_very_fields(
    told: dict[str, Any], operations: dict[str, Any], row: Any
) -> None:
    answers = operations[row.name]["responses"]
    (success,) = (code for code in answers if code.startswith("2"))
    schema = answers[success].get("content", {}).get("application/json", {}).get("schema", {})
    schema = schema.get("items", schema)
    assert ("$ref" in schema) == (row.reader.kind is not None) or row.path == "/api/verify/v1/files"
    if "$ref" in schema:
        _compare(row.reader.kind, schema, told["components"]["schemas"])


def _compare(kind: Any, schema: dict[str, Any], schemas: dict[str, Any]) -> None:
    """Compare a record with a schema, and the records in it."""
    while "$ref" in schema:
        schema = schemas[schema["$ref"].rpartition("/")[2]]
    # What a field says that may be missing comes from a header.
    names = {each.name for each in fields(kind) if each.default is MISSING or each.name in schema["properties"]}
    assert names == set(schema["properties"]), f"{kind.__name__} in xinyin_sdk.shapes"
    hints = get_type_hints(kind)
    for name, member in schema["properties"].items():
        kinds = member.get("anyOf", [member])
        assert (type(None) in get_args(hints[name])) == ({"type": "null"} in kinds), f"{kind.__name__}.{name}"
        for inner in _records(hints[name]):
            (found,) = (each for each in kinds if each != {"type": "null"})
            if "$ref" in found.get("items", found):
                _compare(inner, found.get("items", found), schemas)


def _records(hint: Any) -> list[Any]:
    if get_origin(hint) is not None or get_args(hint):
        return [kind for each in get_args(hint) for kind in _records(each)]
    return [hint] if is_dataclass(hint) else []


def _asked(operation: dict[str, Any], schemas: dict[str, Any], *, where: str) -> set[str]:
    """Give the names of what can be asked for, in the query or in the body."""
    if where == "query":
        return {each["name"] for each in operation.get("parameters", ()) if each["in"] == "query"}
    content = operation.get("requestBody", {}).get("content", {})
    kind = "application/json" if "application/json" in content else "multipart/form-data"
    schema = content.get(kind, {}).get("schema", {})
    while "$ref" in schema:
        schema = schemas[schema["$ref"].rpartition("/")[2]]
    return set(schema.get("properties", ()))


@pytest.mark.parametrize(
    ("row", "describe", "ours"),
    [
        (ops.seals.SEAL_DOCUMENT, ops.seals.seal, {"file": "document"}),
        (ops.seals.STATUS, ops.seals.status, {}),
        (ops.seals.DOCUMENT, ops.seals.document, {}),
        (ops.seals.UNSEALED, ops.seals.unsealed, {"state": None, "limit": None}),
        (ops.seals.UNSEALED, ops.seals.unstamped, {"state": None, "limit": None}),
        (ops.digests.SEAL, ops.digests.seal, {}),
        (ops.renewals.RENEW, ops.renewals.renew, {"file": "document"}),
        (ops.use_requests.ASK, ops.use_requests.ask, {"file": "document", "use_request": None}),
        (ops.use_requests.LIST, ops.use_requests.use_requests, {"limit": None}),
        (ops.use_requests.DECIDE, ops.use_requests.withdraw, {"verdict": None, "request_hash": "use_request"}),
        (ops.use_requests.SEAL, ops.use_requests.seal, {}),
        (ops.ledger.LIST, ops.ledger.uses, {"limit": None}),
        (ops.ledger.EXPORT, ops.ledger.export, {}),
        (ops.verifying.VERIFY, ops.verifying.report, {"file": "document"}),
        (ops.affairs.LIST, ops.affairs.affairs, {"limit": None}),
        (ops.affairs.PROPOSE, ops.affairs.propose, {}),
        (ops.batches.CREATE, ops.batches.create, {"items": "orders", "template": None, "rows": None}),
        (ops.batches.LIST, ops.batches.batches, {"limit": None}),
        (ops.batches.ITEMS, ops.batches.items, {"limit": None}),
        (ops.webhooks.REGISTER, ops.webhooks.register, {}),
        (ops.webhooks.DELIVERIES, ops.webhooks.deliveries, {"limit": None}),
        (ops.webhooks.REPLAY, ops.webhooks.replay, {}),
        (ops.licenses.ISSUE, ops.licenses.issue, {}),
        (ops.licenses.REVOKE, ops.licenses.revoke, {}),
    ],
    ids=lambda value: getattr(value, "name", None) or getattr(value, "__name__", ""),
)
def test_whatever_can_be_asked_can_be_asked_with_the_sdk(
    told: dict[str, Any], operations: dict[str, Any], row: Any, describe: Any, ours: dict[str, str | None]
) -> None:
    operation, schemas = operations[row.name], told["components"]["schemas"]
    asked = _asked(operation, schemas, where="query") | _asked(operation, schemas, where="body")
    headers = {each["name"] for each in operation.get("parameters", ()) if each["in"] == "header"}
    asked |= {"idempotency_key"} & {name.replace("-", "_") for name in headers}
    wanted = {ours.get(name, name) for name in asked - POINT} - {None}
    assert wanted <= _parameters(describe)


def _parameters(describe: Any) -> set[str]:
    """Give the names that a description takes, also those of a dictionary that is unpacked."""
    unpacked = [get_args(hint)[0] for hint in get_type_hints(describe).values() if get_origin(hint) is Unpack]
    return {*inspect.signature(describe).parameters, *(name for kind in unpacked for name in kind.__annotations__)}


def test_an_order_of_a_batch_has_every_option_of_a_sealing(operations: dict[str, Any]) -> None:
    content = operations[ops.batches.CREATE.name]["requestBody"]["content"]["application/json"]
    (listed,) = (each for each in content["schema"]["properties"]["items"]["anyOf"] if each["type"] == "array")
    asked = set(listed["items"]["properties"]) - POINT
    assert {each.name for each in fields(Order)} - {"document"} == asked - {"sm3"}
    assert all(each.default is not MISSING for each in fields(Order) if each.name != "document")


def test_both_clients_offer_the_same() -> None:
    def offered(module: Any, prefix: str) -> dict[str, set[str]]:
        parts = {name.removeprefix(prefix): kind for name, kind in vars(module).items() if inspect.isclass(kind)}
        return {
            name: {member for member in dir(kind) if not member.startswith("_")}
            for name, kind in parts.items()
            if kind.__module__ == module.__name__
        }

    assert offered(client, "") == offered(aio, "Async")


def test_methods_keep_the_types_of_what_they_are_made_from(running: Running) -> None:
    # What mypy does not believe here breaks the check of types.
    with running.client() as office:
        assert_type(office.seals.status(running.seal), SealStatus)
        assert_type(office.affairs.list(seal=running.seal), Iterator[Affair])
        assert_type(office.webhooks.list(), tuple[Endpoint, ...])
    if TYPE_CHECKING:
        waiting = running.async_client()
        _ = assert_type(waiting.seals.status(running.seal), Coroutine[Any, Any, SealStatus])
        assert_type(waiting.affairs.list(seal=running.seal), AsyncIterator[Affair])
        assert_type(office.seals.seal("a.pdf", seal=running.seal), client.Sealed)
        _ = assert_type(waiting.seals.seal(b"", seal=running.seal), Coroutine[Any, Any, aio.AsyncSealed])


def test_every_code_of_the_service_has_a_class_that_fits_its_status() -> None:
    page = (ROOT / "docs/integration.md").read_text("utf-8").partition("## Problems")[2]
    codes = [(code, int(status)) for code, status in re.findall(r"^\| `([a-z0-9_]+)` \| (\d+) \|", page, re.MULTILINE)]
    assert len(codes) > 100
    for code, status in codes:
        kind, usual = errors.kind_of(status, code), errors.kind_of(status, "no_such_code")
        assert kind is not errors.Refused
        assert issubclass(kind, usual) or kind in {
            errors.InProgress,
            errors.IdempotencyMismatch,
            errors.PlacementRefused,
        }, code
    known = {code for code, _ in codes} | {"invalid_client", "invalid_scope", "unauthorized_client"}
    assert set(errors._BY_CODE) <= known
    assert known >= errors.LASTING


@pytest.mark.parametrize(
    "placement",
    [
        at_point(12.5, 30, pages="1-3,-1"),
        in_corner("top-left", dx_mm=5, dy_mm=6.5, pages="all"),
        at_keyword("盖章;处=50%", pick=-1, dx_mm=-3),
        at_keyword("章"),
        straddle("left", margin_mm=2, pages="odd"),
        facing(share=0.25),
    ],
)
def test_every_placement_is_one_that_the_service_reads(placement: str) -> None:
    assert parse_placement(placement) is not None


def test_the_keyword_arrives_as_it_was_written() -> None:
    assert vars(placing)["at_keyword"] is at_keyword
    found = parse_placement(at_keyword("盖章;处=50%", pick=2))
    assert (getattr(found, "text", None), getattr(found, "pick", None)) == ("盖章;处=50%", 2)


def test_the_page_names_every_event() -> None:
    page = (ROOT / "docs/sdk.md").read_text("utf-8")
    assert {event.value for event in EventType} <= set(re.findall(r"`([a-z_]+\.[a-z_]+)`", page))
