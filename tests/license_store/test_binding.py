"""The register alone cannot make a genuine licence: every fact shown is tied to the sealed document or the log."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa

from kernel.audit import entries
from license_store import store
from license_store.model import DOCUMENT, PICTURE, License, Validity
from license_store.public import Difference, PublicAnswer
from seal.model import Report
from tests.license_store.town import CLERK, FACE, Town, another_desk, asked


def _answer(report: Report, _: bytes) -> Report:
    return report


@pytest.fixture
def licence(town: Town) -> License:
    return town.service.issue(asked(validity=Validity(first=date(2019, 3, 1), last=date(2027, 3, 1))), CLERK)


def write(town: Town, statement: sa.UpdateBase) -> None:
    with town.db.begin() as conn:
        assert abs(conn.execute(statement).rowcount) == 1  # -1 where a driver does not count inserts


def told(town: Town, licence: License) -> tuple[str, list[str]]:
    answer = town.client().get(f"/api/verify/v1/licenses/{licence.public_id}").json()
    return answer["verdict"], answer["differences"]


def refused_on_the_page(town: Town, licence: License) -> bool:
    page = town.client().get(f"/v/{licence.public_id}").text
    picture = town.client().get(f"/v/{licence.public_id}/picture.png")
    assert (picture.status_code, picture.json()["code"]) == (503, "license_not_confirmed")
    return "暂时无法确认" in page and 'class="tag green"' not in page and "picture.png" not in page


@pytest.mark.parametrize("sealed_as", ["pdf-pades-sm2", "pdf-pades-p256", "pdf-ses-v4"])
def test_a_licence_as_issued_differs_in_nothing(town: Town, sealed_as: str) -> None:
    licence = town.service.issue(asked(seal_format=sealed_as), CLERK)
    assert told(town, licence) == ("GENUINE_IN_FORCE", [])
    town.service.revoke(licence.public_id, legal_basis="第十二条", reason="b", principal=CLERK)
    assert told(town, licence) == ("GENUINE_REVOKED", [])


@pytest.mark.parametrize(
    "change",
    [
        {"identifier": "1.2.156.3005.2.1"},
        {"number": "2026AAAAAAAAAAAAAAAA"},
        {"issuer_code": "91440300MA9999999F"},
        {"issuer_name": "别的机关"},
        {"seal": "44030000000002"},
        {"holder_name": "别的公司"},
        {"holder_code": "11440300999999999D"},
        {"holder_code_type": "111"},
        {"face": {**FACE, "capital": "壹亿元整"}},
        {"valid_first": date(2018, 3, 1)},
        {"valid_last": date(2099, 3, 1)},
        {"valid_last": None},
        {"issued_at": datetime(2020, 1, 1, tzinfo=UTC)},
    ],
    ids=lambda change: "-".join(f"{name}-{len(str(value))}" for name, value in change.items()),
)
def test_a_fact_changed_in_the_register_is_never_shown_as_genuine(
    town: Town, licence: License, change: Mapping[str, Any]
) -> None:
    assert told(town, licence) == ("GENUINE_IN_FORCE", [])
    write(town, store.LICENSES.update().values(**change))
    assert told(town, licence) == ("CANNOT_CHECK", ["FACTS_NOT_SEALED"])
    assert refused_on_the_page(town, licence)


def test_a_document_swapped_for_another_genuine_one_is_not_believed(town: Town, licence: License) -> None:
    other = town.service.issue(asked("k-2"), CLERK)
    mine = sa.and_(store.FILES.c.license == licence.public_id, store.FILES.c.kind == DOCUMENT)
    write(town, store.FILES.update().where(mine).values(object_key=other.file(DOCUMENT).object_key))
    assert told(town, licence) == ("CANNOT_CHECK", ["FACTS_NOT_SEALED", "STATUS_NOT_RECORDED"])
    assert refused_on_the_page(town, licence)


def test_a_picture_swapped_for_that_of_another_licence_is_not_shown(town: Town, licence: License) -> None:
    other = town.service.issue(asked("k-2"), CLERK)
    mine = sa.and_(store.FILES.c.license == licence.public_id, store.FILES.c.kind == PICTURE)
    write(town, store.FILES.update().where(mine).values(object_key=other.file(PICTURE).object_key))
    assert told(town, licence) == ("CANNOT_CHECK", ["FACTS_NOT_SEALED"])
    assert refused_on_the_page(town, licence)


def _without_revocation(licence: License) -> sa.UpdateBase:
    changes = store.STATUS_CHANGES
    return changes.delete().where(changes.c.license == licence.public_id, changes.c.number == 2)


def _other_basis(licence: License) -> sa.UpdateBase:
    changes = store.STATUS_CHANGES
    mine = sa.and_(changes.c.license == licence.public_id, changes.c.number == 2)
    return changes.update().where(mine).values(legal_basis="别的条款")


def _active_again(licence: License) -> sa.UpdateBase:
    row = {"number": 3, "status": "active", "at": datetime(2026, 11, 22, 9, tzinfo=UTC), "actor": CLERK.subject}
    return store.STATUS_CHANGES.insert().values(license=licence.public_id, legal_basis="", reason="", **row)


def _entry_taken_out(licence: License) -> sa.UpdateBase:
    return entries.delete().where(entries.c.target == licence.public_id, entries.c.action == "license.revoked")


def _entry_changed(licence: License) -> sa.UpdateBase:
    mine = sa.and_(entries.c.target == licence.public_id, entries.c.action == "license.revoked")
    return entries.update().where(mine).values(target="z" * 26)


@pytest.mark.parametrize("tamper", [_without_revocation, _other_basis, _active_again, _entry_taken_out, _entry_changed])
def test_a_status_that_is_not_the_one_in_the_log_is_not_believed(
    town: Town, licence: License, tamper: Callable[[License], sa.UpdateBase]
) -> None:
    town.service.revoke(licence.public_id, legal_basis="第十二条", reason="b", principal=CLERK)
    assert told(town, licence) == ("GENUINE_REVOKED", [])
    write(town, tamper(licence))
    assert told(town, licence) == ("CANNOT_CHECK", ["STATUS_NOT_RECORDED"])
    assert refused_on_the_page(town, licence)


def test_a_licence_whose_files_are_gone_from_the_register_is_not_shown(town: Town, licence: License) -> None:
    for kind in (DOCUMENT, PICTURE):
        write(town, store.FILES.delete().where(store.FILES.c.license == licence.public_id, store.FILES.c.kind == kind))
    for path in (f"/v/{licence.public_id}", f"/api/verify/v1/licenses/{licence.public_id}"):
        answer = town.client().get(path)
        assert (answer.status_code, answer.json()["code"]) == (503, "license_not_confirmed")


@pytest.mark.parametrize(
    "change",
    [
        {"signer": "CN=44030000000002,O=示例市市场监督管理局,C=CN"},
        {"signer": "CN=x,O=x\\,CN=44030000000001,C=CN"},
        {"signer": None},
        {"reason": "签发营业执照（示例）"},
        {"reason": None},
    ],
    ids=["another-seal", "seal-number-within-a-name", "no-signer", "no-digest", "no-reason"],
)
def test_a_valid_signature_of_another_seal_or_for_something_else_is_not_enough(
    town: Town, licence: License, change: Mapping[str, Any]
) -> None:
    report = town.desk.view(licence.public_id).report
    assert report is not None
    forged = replace(report, signatures=(replace(report.signatures[0], **change),))
    twice = replace(report, signatures=report.signatures * 2)
    for wrong in (forged, twice):
        view = another_desk(town, partial(_answer, wrong)).view(licence.public_id)
        assert (view.answer, view.differences) == (PublicAnswer.CANNOT_CHECK, (Difference.FACTS,))
