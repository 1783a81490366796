"""Sealing: intent first, our own verifier last, and nothing half done in between."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from crypto.errors import KeyRefused
from crypto.keys import KeyId, PublicKey
from crypto.suites import Suite
from kernel.errors import Forbidden, Refusal
from seal import store
from seal.errors import (
    DocumentTooLarge,
    IdempotencyMismatch,
    PlacementRefused,
    SealExpired,
    SealingInProgress,
    SealingRejected,
    SealNotUsable,
    SealRefused,
    SigningUnavailable,
    UnknownSeal,
    UnknownSealing,
    UnsupportedDocument,
)
from seal.model import Finding, Report, SealId, Verdict
from seal.placing import AtPoint
from seal.sealing import SealService

from .conftest import CLERK, OWNER, OWNER_NAME, SEAL, START, House, application, failing_inserts, request

DAY = timedelta(days=1)
STRANGER = replace(CLERK, subject="another-office", rights=frozenset())


class BrokenVault:
    """A vault that has its keys and does not sign."""

    def __init__(self, house: House) -> None:
        self._inner = house.authority.vault

    def generate(self, suite: Suite) -> KeyId:
        return self._inner.generate(suite)

    def public_key(self, key: KeyId) -> PublicKey:
        return self._inner.public_key(key)

    def sign_digest(self, key: KeyId, digest: bytes) -> bytes:
        del key, digest
        raise KeyRefused("the device is unplugged")

    def suite(self, key: KeyId) -> Suite:
        return self._inner.suite(key)

    def keys(self) -> tuple[KeyId, ...]:
        return self._inner.keys()


def rows(house: House, table: sa.Table) -> int:
    with house.db.read() as conn:
        return conn.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()


def nothing_is_written(house: House) -> bool:
    return not any(rows(house, table) for table in (store.SEALINGS, store.ATTEMPTS, store.COMPLETIONS))


# --- the straight way ---


def test_a_sealed_document_is_valid_and_kept(house: House, ofd: bytes) -> None:
    sealed = house.service().seal(request(ofd), CLERK)
    assert sealed.report.verdict is Verdict.VALID
    assert sealed.serial == 1
    assert sealed.format == "ofd-ses-v4"
    assert house.objects.get(sealed.object_key) == sealed.document
    assert house.judge(sealed.document).verdict is Verdict.VALID
    assert house.actions()[1:] == ["seal.sealing.intended", "seal.sealing.completed"]


def test_the_usage_ledger_names_caller_case_and_documents(house: House, ofd: bytes) -> None:
    sealed = house.service().seal(request(ofd, document_kind="许可决定书"), CLERK)
    progress = house.service().progress(sealed.id, CLERK)
    assert progress.intent.caller == CLERK.subject
    assert progress.intent.organisation == CLERK.organisation
    assert progress.intent.case_number == "2026-0001"
    assert progress.intent.document_kind == "许可决定书"
    assert progress.completion is not None
    assert progress.completion.object_key == sealed.object_key


def test_a_changed_octet_in_a_sealed_document_is_found(house: House, ofd: bytes) -> None:
    sealed = house.service().seal(request(ofd), CLERK).document
    at = len(sealed) // 3
    changed = sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]
    assert house.judge(changed).verdict is not Verdict.VALID


def test_a_second_seal_leaves_the_first_valid(house: House, ofd: bytes) -> None:
    service = house.service()
    once = service.seal(request(ofd), CLERK).document
    house.clock.advance(timedelta(minutes=1))
    twice = service.seal(request(once, placement=AtPoint.on(1, x_mm=20, y_mm=200)), CLERK)
    assert twice.serial == 2
    assert [one.verdict for one in twice.report.signatures] == [Verdict.VALID, Verdict.VALID]


def test_serials_of_a_seal_are_distinct_under_eight_threads(house: House, ofd: bytes) -> None:
    service = house.service()
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda _: service.seal(request(ofd), CLERK), range(24)))
    assert sorted(one.serial for one in done) == list(range(1, 25))
    assert len(house.actions()) == 1 + 2 * 24


# --- refusals leave no trace ---


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"format": "pdf-pades-sm2"}, UnsupportedDocument),
        ({"format": "word"}, UnsupportedDocument),
        ({"document": b"plain text"}, UnsupportedDocument),
        ({"placement": AtPoint.on(9, x_mm=10, y_mm=10)}, PlacementRefused),
        ({"placement": AtPoint.on(1, x_mm=10, y_mm=10), "format": "ofd-gbt35275"}, PlacementRefused),
        ({"placement": AtPoint.on(1, x_mm=10, y_mm=10), "format": "ofd-gmt0099"}, PlacementRefused),
        ({"reason": "x" * 501}, SealRefused),
    ],
)
def test_what_cannot_be_sealed_is_refused_without_a_trace(
    house: House, ofd: bytes, changes: dict[str, object], refusal: type[Refusal]
) -> None:
    with pytest.raises(refusal):
        house.service().seal(replace(request(ofd), **changes), CLERK)  # type: ignore[arg-type]
    assert nothing_is_written(house)


def test_a_document_beyond_the_limit_is_refused(house: House, ofd: bytes) -> None:
    with pytest.raises(DocumentTooLarge):
        house.service(max_document=len(ofd) - 1).seal(request(ofd), CLERK)


def test_a_caller_without_the_right_is_refused(house: House, ofd: bytes) -> None:
    with pytest.raises(Forbidden):
        house.service().seal(request(ofd), STRANGER)
    assert nothing_is_written(house)


def test_an_unknown_seal_is_refused(house: House, ofd: bytes) -> None:
    anyone = replace(CLERK, rights=frozenset({"seal.use:*"}))
    with pytest.raises(UnknownSeal):
        house.service().seal(request(ofd, seal=SealId("44030000000099")), anyone)


@pytest.mark.parametrize("change", ["suspend", "revoke"])
def test_a_seal_that_is_not_active_does_not_seal(house: House, ofd: bytes, change: str) -> None:
    getattr(house.registrar, change)(SEAL)
    with pytest.raises(SealNotUsable):
        house.service().seal(request(ofd), CLERK)
    assert nothing_is_written(house)


def test_a_seal_outside_its_validity_does_not_seal(house: House, ofd: bytes) -> None:
    house.clock.advance(400 * DAY)
    with pytest.raises(SealExpired):
        house.service().seal(request(ofd), CLERK)
    assert nothing_is_written(house)


def test_a_seal_made_anew_seals_with_its_newest_version_and_old_documents_hold(house: House, ofd: bytes) -> None:
    old = house.service().seal(request(ofd), CLERK)
    keys = house.authority.ca.issue_for_seal(SEAL, owner=OWNER, owner_name=OWNER_NAME)
    renamed = application(house.authority, name="更名后的专用章")
    house.registrar.remake(renamed, keys=keys, maker=house.authority.ca.maker())
    house.clock.advance(DAY)
    new = house.service().seal(request(ofd), CLERK)
    seals = [house.judge(each.document).signatures[0].seal for each in (old, new)]
    assert [seal.name if seal else None for seal in seals] == [house.seal.name, "更名后的专用章"]
    assert {house.judge(each.document).verdict for each in (old, new)} == {Verdict.VALID}


def test_a_seal_suspended_between_look_and_intent_does_not_seal(house: House, ofd: bytes) -> None:
    class SuspendedMeanwhile:
        """A register whose seal is suspended right after it was first looked at."""

        def __getattr__(self, name: str) -> object:
            if name == "credential":
                house.registrar.suspend(SEAL, "meanwhile")
            return getattr(house.register, name)

    service = house.service()
    service._preparer._register = SuspendedMeanwhile()  # type: ignore[assignment]
    with pytest.raises(SealNotUsable):
        service.seal(request(ofd), CLERK)
    assert nothing_is_written(house)


# --- failures at each step: nothing handed out, the intent stays visible, a retry succeeds ---


def rejecting(document: bytes) -> Report:
    del document
    return Report(signatures=(), findings=(Finding(code="CANNOT_VERIFY", verdict=Verdict.INDETERMINATE),))


def crashing(document: bytes) -> Report:
    del document
    raise ZeroDivisionError


@pytest.mark.parametrize(
    ("make", "raised", "code"),
    [
        (lambda house: house.service(vault=BrokenVault(house)), SigningUnavailable, "signing_unavailable"),
        (lambda house: house.service(judge=rejecting), SealingRejected, "sealing_rejected_by_verifier"),
        (lambda house: house.service(judge=crashing), ZeroDivisionError, "ZeroDivisionError"),
    ],
)
def test_a_failure_after_the_intent_is_on_record_and_a_retry_succeeds(
    house: House, ofd: bytes, make: Callable[[House], SealService], raised: type[Exception], code: str
) -> None:
    asked = request(ofd, idempotency_key="k1")
    with pytest.raises(raised):
        make(house).seal(asked, CLERK)
    (left,) = house.service().pending()
    assert (left.intent.serial, left.failure, left.completion) == (1, code, None)
    assert rows(house, store.COMPLETIONS) == 0
    with pytest.raises(UnknownSealing):
        house.service().sealed(left.intent.id, CLERK)
    sealed = house.service().seal(asked, CLERK)
    assert (sealed.id, sealed.serial) == (left.intent.id, 1)
    assert house.service().pending() == ()
    assert house.actions()[1:] == [
        "seal.sealing.intended",
        "seal.sealing.failed",
        "seal.sealing.retried",
        "seal.sealing.completed",
    ]


@pytest.mark.parametrize("table", ["seal_sealings", "seal_attempts", "audit_entries"])
@pytest.mark.parametrize("key", [None, "k1"])
def test_an_intent_that_cannot_be_recorded_is_not_signed(house: House, ofd: bytes, table: str, key: str | None) -> None:
    asked = request(ofd, idempotency_key=key)
    with failing_inserts(house.db, table), pytest.raises(sa.exc.SQLAlchemyError, match="injected"):
        house.service(vault=BrokenVault(house)).seal(asked, CLERK)
    assert nothing_is_written(house)
    assert house.service().seal(asked, CLERK).serial == 1


def test_a_completion_that_cannot_be_recorded_hands_nothing_out(house: House, ofd: bytes) -> None:
    asked = request(ofd, idempotency_key="k1")
    with (
        failing_inserts(house.db, "seal_completions"),
        pytest.raises(sa.exc.SQLAlchemyError, match="injected"),
    ):
        house.service().seal(asked, CLERK)
    (left,) = house.service().pending()
    assert left.failure is not None
    assert not left.running
    assert house.service().seal(asked, CLERK).id == left.intent.id


def test_a_failure_that_cannot_be_recorded_leaves_the_intent_until_its_lease_ends(house: House, ofd: bytes) -> None:
    asked = request(ofd, idempotency_key="k1")
    broken = house.service(vault=BrokenVault(house), lease=timedelta(seconds=-1))
    with failing_inserts(house.db, "seal_attempt_failures"), pytest.raises(SigningUnavailable) as caught:
        broken.seal(asked, CLERK)
    assert "could not be recorded" in caught.value.__notes__[0]
    (left,) = house.service().pending()
    assert left.failure is None
    assert left.lease_over
    assert house.service().seal(asked, CLERK).serial == 1


def test_a_crash_leaves_an_intent_that_a_retry_may_not_take_before_its_lease_ends(house: House, ofd: bytes) -> None:
    class Killed(BaseException):
        """What no handler of ours catches, like kill -9."""

    def killed(document: bytes) -> Report:
        del document
        raise Killed

    asked = request(ofd, idempotency_key="k1")
    with pytest.raises(Killed):
        house.service(judge=killed).seal(asked, CLERK)
    (left,) = house.service().pending()
    assert left.running
    with pytest.raises(SealingInProgress):
        house.service().seal(asked, CLERK)
    assert left.attempt.document_digest


def test_an_attempt_that_was_taken_over_completes_nothing(house: House, ofd: bytes) -> None:
    asked = request(ofd, idempotency_key="k1")
    quick = house.service()

    def overtaken(document: bytes) -> Report:
        quick.seal(asked, CLERK)
        return house.judge(document)

    slow = house.service(judge=overtaken, lease=timedelta(seconds=-1))
    with pytest.raises(SealingInProgress):
        slow.seal(asked, CLERK)
    assert rows(house, store.COMPLETIONS) == 1
    assert rows(house, store.ATTEMPTS) == 2
    assert rows(house, store.SEALINGS) == 1


# --- idempotency ---


def test_the_same_key_gives_the_same_sealing(house: House, ofd: bytes) -> None:
    asked = request(ofd, idempotency_key="k1")
    first = house.service().seal(asked, CLERK)
    house.clock.advance(DAY)
    again = house.service().seal(asked, CLERK)
    assert again.replayed
    assert (again.id, again.document, again.sealed_at) == (first.id, first.document, START)
    assert rows(house, store.SEALINGS) == 1


def test_the_same_key_answers_even_after_the_seal_was_revoked(house: House, ofd: bytes) -> None:
    asked = request(ofd, idempotency_key="k1")
    first = house.service().seal(asked, CLERK)
    house.clock.advance(DAY)
    house.registrar.revoke(SEAL, "dissolved")
    again = house.service().seal(asked, CLERK)
    assert again.document == first.document
    assert again.report.verdict is Verdict.VALID


def test_the_same_key_for_another_request_is_refused(house: House, ofd: bytes) -> None:
    house.service().seal(request(ofd, idempotency_key="k1"), CLERK)
    with pytest.raises(IdempotencyMismatch):
        house.service().seal(request(ofd, idempotency_key="k1", case_number="2026-0002"), CLERK)


def test_callers_do_not_share_keys(house: House, ofd: bytes) -> None:
    house.service().seal(request(ofd, idempotency_key="k1"), CLERK)
    other = replace(CLERK, subject="another-office")
    assert house.service().seal(request(ofd, idempotency_key="k1"), other).serial == 2


def test_one_key_asked_in_parallel_seals_once(house: House, ofd: bytes) -> None:
    service = house.service()
    asked = request(ofd, idempotency_key="k1")

    def one_call(_: int) -> str | None:
        try:
            return service.seal(asked, CLERK).id
        except SealingInProgress:
            return None

    with ThreadPoolExecutor(8) as pool:
        answers = set(pool.map(one_call, range(24)))
    assert len(answers - {None}) == 1
    assert rows(house, store.SEALINGS) == rows(house, store.ATTEMPTS) == rows(house, store.COMPLETIONS) == 1


# --- asking ---


def test_a_sealing_is_shown_to_its_caller_and_the_seals_users_only(house: House, ofd: bytes) -> None:
    sealed = house.service().seal(request(ofd), CLERK)
    colleague = replace(CLERK, subject="colleague")
    assert house.service().sealed(sealed.id, colleague).document == sealed.document
    with pytest.raises(UnknownSealing):
        house.service().progress(sealed.id, STRANGER)
    with pytest.raises(UnknownSealing):
        house.service().progress("nonsense", CLERK)
