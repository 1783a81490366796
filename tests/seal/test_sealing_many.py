"""Sealing many at once: what seal does for each, whatever becomes of the others."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from crypto.errors import KeyRefused
from kernel.audit import AuditLog
from kernel.errors import Forbidden
from seal import store
from seal.errors import (
    IdempotencyMismatch,
    SealingInProgress,
    SealingRejected,
    SealNotUsable,
    SigningUnavailable,
    UnsupportedDocument,
)
from seal.model import Finding, Report, Verdict
from seal.request import SealedDocument, SealRequest
from tests.reliability.sealing import document

from .conftest import CLERK, SEAL, House, failing_inserts, request
from .test_sealing import STRANGER, rows

DOCUMENTS = tuple(document(f"{number}") for number in range(4))


def asked(*, changed: dict[int, bytes] | None = None) -> list[SealRequest]:
    files = {**dict(enumerate(DOCUMENTS)), **(changed or {})}
    return [request(files[place], idempotency_key=f"k{place}") for place in range(len(files))]


def kinds(answers: list[SealedDocument | Exception]) -> list[type]:
    return [type(answer) for answer in answers]


class Vault:
    """Signs, but not the ``nth`` time."""

    def __init__(self, house: House, nth: int) -> None:
        self._inner, self._left = house.authority.vault, nth

    def sign_digest(self, key: Any, digest: bytes) -> bytes:
        self._left -= 1
        if self._left == 0:
            raise KeyRefused("the device is unplugged")
        return self._inner.sign_digest(key, digest)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def test_many_are_sealed_under_consecutive_serials_and_each_can_be_asked_for_again(house: House) -> None:
    answers = house.service().seal_all(asked(), CLERK)
    assert kinds(answers) == [SealedDocument] * 4
    sealed = [answer for answer in answers if isinstance(answer, SealedDocument)]
    assert [each.serial for each in sealed] == [1, 2, 3, 4]
    assert {each.report.verdict for each in sealed} == {Verdict.VALID}
    assert [house.objects.get(each.object_key) for each in sealed] == [each.document for each in sealed]
    assert house.actions()[1:] == ["seal.sealing.intended"] * 4 + ["seal.sealing.completed"] * 4
    again = house.service().seal(asked()[2], CLERK)
    assert (again.id, again.replayed) == (sealed[2].id, True)
    with house.db.read() as conn:
        assert AuditLog().verify(conn).holds


def test_they_say_the_same_as_one_by_one(house: House) -> None:
    together = house.service().seal_all(asked(), CLERK)
    alone = [house.service().seal(request(each, idempotency_key=f"a{at}"), CLERK) for at, each in enumerate(DOCUMENTS)]
    with house.db.read() as conn:
        found = [store.find_progress(conn, each.id) for each in (*together, *alone)]  # type: ignore[union-attr]
    told = [
        (each.intent.request_hash == other.intent.request_hash, each.intent.document_before, each.attempt.certificate)
        for each, other in zip(found[:4], found[4:], strict=True)
        if each and other
    ]
    others = [(True, each.intent.document_before, each.attempt.certificate) for each in found[4:] if each]
    assert told == others


def test_one_that_cannot_be_sealed_is_refused_alone(house: House) -> None:
    answers = house.service().seal_all(asked(changed={1: b"rubbish"}), CLERK)
    assert kinds(answers) == [SealedDocument, UnsupportedDocument, SealedDocument, SealedDocument]
    assert rows(house, store.SEALINGS) == 3


def test_a_key_that_refuses_once_fails_one_and_a_retry_seals_it_under_its_serial(house: House) -> None:
    answers = house.service(vault=Vault(house, 2)).seal_all(asked(), CLERK)
    assert kinds(answers) == [SealedDocument, SigningUnavailable, SealedDocument, SealedDocument]
    (left,) = house.service().pending()
    assert (left.intent.serial, left.failure) == (2, "signing_unavailable")
    again = house.service().seal_all(asked(), CLERK)
    assert [(each.serial, each.replayed) for each in again if isinstance(each, SealedDocument)] == [
        (1, True),
        (2, False),
        (3, True),
        (4, True),
    ]


def test_what_our_verifier_refuses_is_not_handed_out(house: House) -> None:
    seen: list[bytes] = []

    def judge(octets: bytes) -> Report:
        seen.append(octets)
        if len(seen) == 3:
            return Report(signatures=(), findings=(Finding(code="CANNOT_VERIFY", verdict=Verdict.INDETERMINATE),))
        return house.judge(octets)

    answers = house.service(judge=judge).seal_all(asked(), CLERK)
    assert kinds(answers) == [SealedDocument, SealedDocument, SealingRejected, SealedDocument]


def test_keys_that_were_used_before_are_answered_as_before(house: House) -> None:
    first = house.service().seal(asked()[0], CLERK)
    wanted = asked(changed={1: DOCUMENTS[0]})
    house.service().seal(asked()[1], CLERK)
    answers = house.service().seal_all(wanted, CLERK)
    assert kinds(answers) == [SealedDocument, IdempotencyMismatch, SealedDocument, SealedDocument]
    assert answers[0].id == first.id  # type: ignore[union-attr]


def test_requests_without_a_key_are_sealed_each(house: House) -> None:
    answers = house.service().seal_all([request(each) for each in DOCUMENTS[:2]], CLERK)
    assert kinds(answers) == [SealedDocument] * 2


def test_of_several_who_ask_at_once_each_request_is_sealed_once(house: House) -> None:
    with ThreadPoolExecutor(4) as pool:
        given = list(pool.map(lambda _: house.service().seal_all(asked(), CLERK), range(4)))
    allowed = {SealedDocument, SealingInProgress}
    assert {kind for answers in given for kind in kinds(answers)} <= allowed
    last = house.service().seal_all(asked(), CLERK)
    assert sorted(each.serial for each in last if isinstance(each, SealedDocument)) == [1, 2, 3, 4]
    assert (rows(house, store.SEALINGS), rows(house, store.COMPLETIONS)) == (4, 4)


def test_those_that_another_took_over_meanwhile_are_completed_by_the_other(house: House) -> None:
    other: list[SealedDocument] = []

    def judge(octets: bytes) -> Report:
        if not other:
            other.append(house.service().seal(asked()[1], CLERK))
        return house.judge(octets)

    answers = house.service(judge=judge, lease=timedelta(seconds=-1)).seal_all(asked(), CLERK)
    assert kinds(answers) == [SealedDocument, SealingInProgress, SealedDocument, SealedDocument]
    assert rows(house, store.COMPLETIONS) == 4
    assert house.service().seal(asked()[1], CLERK).id == other[0].id


@pytest.mark.parametrize("table", ["seal_sealings", "seal_attempts", "seal_completions", "audit_entries"])
def test_a_database_that_refuses_a_row_leaves_nothing_half_done(house: House, table: str) -> None:
    with failing_inserts(house.db, table):
        answers = house.service().seal_all(asked(), CLERK)
    assert all(isinstance(answer, sa.exc.SQLAlchemyError) for answer in answers)
    assert rows(house, store.COMPLETIONS) == 0
    assert rows(house, store.SEALINGS) in {0, 4}
    again = house.service().seal_all(asked(), CLERK)
    assert kinds(again) == [SealedDocument] * 4
    assert sorted(each.serial for each in again if isinstance(each, SealedDocument)) == [1, 2, 3, 4]


def _suspend(house: House) -> None:
    house.registrar.suspend(SEAL)


def _nothing(house: House) -> None:
    del house


@pytest.mark.parametrize(
    ("change", "who", "refused"), [(_suspend, CLERK, SealNotUsable), (_nothing, STRANGER, Forbidden)]
)
def test_nothing_is_sealed_without_a_right_or_by_a_seal_that_rests(
    house: House, change: Callable[[House], None], who: Any, refused: type
) -> None:
    change(house)
    assert kinds(house.service().seal_all(asked(), who)) == [refused] * 4
    assert rows(house, store.SEALINGS) == 0


def test_a_seal_that_is_suspended_after_the_first_look_seals_none_of_them(house: House) -> None:
    class SuspendedMeanwhile:
        """A register in which the seal is suspended just after its key was asked for."""

        def __getattr__(self, name: str) -> object:
            if name == "credential":
                house.registrar.suspend(SEAL, "meanwhile")
            return getattr(house.register, name)

    service = house.service()
    service._preparer._register = SuspendedMeanwhile()  # type: ignore[assignment]
    assert kinds(service.seal_all(asked(), CLERK)) == [SealNotUsable] * 4
    assert rows(house, store.SEALINGS) == 0
