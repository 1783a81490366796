"""Issuing: what makes a licence, what is refused, and that a cut-off call is finished by the next."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from stdnum.cn import uscc

from kernel.audit import entries
from kernel.errors import Forbidden, Refusal
from license_store import identifier, store
from license_store.catalogue import BUSINESS_LICENSE
from license_store.model import (
    IdempotencyKeyReused,
    LicenseDataInvalid,
    LicenseNotActive,
    LicenseStatus,
    UnknownLicense,
    UnknownLicenseType,
    Validity,
)
from license_store.public import PublicAnswer
from seal.errors import GlyphMissing, SealNotUsable, UnknownSeal
from seal.model import SealId, Verdict
from seal.store import SEALINGS
from tests.license_store.town import CLERK, FACE, HOLDER, OWNER, SEAL, STRANGER, Town, asked

OTHER = "11990100MB0000000P"


def rows(town: Town, table: sa.Table) -> int:
    with town.db.read() as conn:
        return conn.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()


def written(town: Town) -> Mapping[str, int]:
    tables = (store.LICENSES, store.STATUS_CHANGES, store.FILES, SEALINGS)
    objects = sum(1 for path in town.folder.rglob("*") if path.is_file())
    return {"objects": objects, **{table.name: rows(town, table) for table in tables}}


def audited(town: Town) -> list[str]:
    with town.db.read() as conn:
        assert town.audit.verify(conn).holds
        return [row.action for row in conn.execute(sa.select(entries.c.action).order_by(entries.c.seq))]


def test_an_issued_licence_is_active_identified_and_on_record(town: Town) -> None:
    licence = town.service.issue(asked(), CLERK)
    assert town.service.status(licence) is LicenseStatus.ACTIVE
    read = identifier.parse(licence.identifier)
    assert (read.type_code, read.issuer, read.serial, read.version) == (BUSINESS_LICENSE.code, OWNER, licence.number, 1)
    uscc.validate(licence.holder.code)
    assert town.service.find(licence.public_id) == licence
    assert audited(town)[-1] == "license.issued"


def test_the_public_id_says_nothing_of_the_identifier(town: Town) -> None:
    first, second = town.service.issue(asked("a"), CLERK), town.service.issue(asked("b"), CLERK)
    assert first.public_id != second.public_id
    assert first.identifier != second.identifier
    assert first.public_id not in first.identifier.lower()


def test_the_document_is_sealed_by_the_issuer_and_stays_valid(town: Town) -> None:
    licence = town.service.issue(asked(), CLERK)
    report = town.desk.view(licence.public_id).report
    assert report is not None
    assert report.verdict is Verdict.VALID
    assert OWNER in (report.signatures[0].signer or "")


def test_the_p256_suite_can_be_asked_for(town: Town) -> None:
    licence = town.service.issue(asked(seal_format="pdf-pades-p256"), CLERK)
    report = town.desk.view(licence.public_id).report
    assert report is not None
    assert report.signatures[0].format == "pdf-pades-p256"


def test_the_same_request_gives_the_same_licence(town: Town) -> None:
    first = town.service.issue(asked(), CLERK)
    assert town.service.issue(asked(), CLERK) == first
    assert town.sealer.calls == 1


def test_a_key_used_for_another_request_is_refused(town: Town) -> None:
    town.service.issue(asked(), CLERK)
    with pytest.raises(IdempotencyKeyReused):
        town.service.issue(asked(face={**FACE, "capital": "贰佰万元整"}), CLERK)


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"face": {**FACE, "capital": ""}}, LicenseDataInvalid),
        ({"face": {**FACE, "capital": "壹\ud800"}}, LicenseDataInvalid),
        ({"face": {**FACE, "capital": "壹😀"}}, GlyphMissing),
        ({"holder": replace(HOLDER, name="\u3164")}, LicenseDataInvalid),
        ({"holder": replace(HOLDER, name="示例\u2003公司")}, LicenseDataInvalid),
        ({"holder": replace(HOLDER, name="示例\u202e公司")}, LicenseDataInvalid),
        ({"holder": replace(HOLDER, code="91440300MA9999999A")}, LicenseDataInvalid),
        ({"validity": Validity(first=date(2026, 11, 23))}, LicenseDataInvalid),
        ({"validity": Validity(first=date(2019, 1, 1), last=date(2026, 11, 21))}, LicenseDataInvalid),
        ({"validity": Validity(first=date(2019, 1, 2), last=date(2019, 1, 1))}, LicenseDataInvalid),
        ({"case_number": "x" * 201}, LicenseDataInvalid),
        ({"key": ""}, LicenseDataInvalid),
        ({"key": "a\0b"}, LicenseDataInvalid),
        ({"type_code": "0" * 21}, UnknownLicenseType),
    ],
)
def test_what_is_refused_leaves_nothing_behind(town: Town, change: Mapping[str, Any], refusal: type[Refusal]) -> None:
    before = written(town)
    with pytest.raises(refusal):
        town.service.issue(asked(**{"key": "k-1", **change}), CLERK)
    assert written(town) == before


def test_a_seal_that_may_not_sign_leaves_nothing_behind(town: Town) -> None:
    before = written(town)
    unknown = replace(CLERK, rights=CLERK.rights | {"seal.use:*"})
    with pytest.raises(UnknownSeal):
        town.service.issue(asked(seal=SealId("44030000000009")), unknown)
    town.registrar.suspend(SEAL, "lost")
    with pytest.raises(SealNotUsable):
        town.service.issue(asked(), CLERK)
    assert written(town) == before


@pytest.mark.parametrize("missing", sorted(right for right in CLERK.rights if "revoke" not in right))
def test_both_rights_are_needed(town: Town, missing: str) -> None:
    before = written(town)
    with pytest.raises(Forbidden):
        town.service.issue(asked(), replace(CLERK, rights=CLERK.rights - {missing}))
    assert written(town) == before


@pytest.mark.parametrize("dies", ["before", "after"])
def test_a_call_cut_off_at_the_sealing_shows_nothing_and_is_finished_by_the_same_call(town: Town, dies: str) -> None:
    town.sealer.dies = dies
    with pytest.raises(KeyboardInterrupt):
        town.service.issue(asked(), CLERK)
    with town.db.read() as conn:
        drafted = conn.execute(sa.select(store.LICENSES.c.public_id, store.LICENSES.c.identifier)).one()
    assert town.desk.view(drafted.public_id).answer is PublicAnswer.UNKNOWN
    with pytest.raises(UnknownLicense):
        town.service.find(drafted.public_id)

    town.sealer.dies = ""
    town.clock.advance(timedelta(minutes=5))
    licence = town.service.issue(asked(), CLERK)
    assert (licence.public_id, licence.identifier) == (drafted.public_id, drafted.identifier)
    assert rows(town, SEALINGS) == 1
    assert town.desk.view(licence.public_id).answer is PublicAnswer.GENUINE_IN_FORCE


def test_a_call_cut_off_before_completion_is_finished_without_a_second_sealing(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(town.audit, "append", _failing)
        with pytest.raises(OSError, match="full"):
            town.service.issue(asked(), CLERK)
    licence = town.service.issue(asked(), CLERK)
    assert rows(town, SEALINGS) == 1
    assert town.service.status(licence) is LicenseStatus.ACTIVE


def test_a_licence_revoked_says_why_and_since_when(town: Town) -> None:
    licence = town.service.issue(asked(), CLERK)
    town.clock.advance(timedelta(days=1))
    revoked = town.service.revoke(licence.public_id.upper(), legal_basis="第十二条", reason="虚假材料", principal=CLERK)
    assert town.service.status(revoked) is LicenseStatus.REVOKED
    assert revoked.changes[-1].at == town.clock.now()
    assert revoked.changes[-1].reason == "虚假材料"
    assert audited(town)[-1] == "license.revoked"


def test_a_revoked_licence_cannot_be_revoked_again(town: Town) -> None:
    licence = town.service.issue(asked(), CLERK)
    town.service.revoke(licence.public_id, legal_basis="a", reason="b", principal=CLERK)
    with pytest.raises(LicenseNotActive):
        town.service.revoke(licence.public_id, legal_basis="a", reason="b", principal=CLERK)


@pytest.mark.parametrize(("basis", "reason"), [("", "b"), ("a", " "), ("a" * 201, "b"), ("a", "b\0")])
def test_a_revocation_needs_its_grounds(town: Town, basis: str, reason: str) -> None:
    licence = town.service.issue(asked(), CLERK)
    with pytest.raises(LicenseDataInvalid):
        town.service.revoke(licence.public_id, legal_basis=basis, reason=reason, principal=CLERK)
    assert town.service.status(town.service.find(licence.public_id)) is LicenseStatus.ACTIVE


def test_a_stranger_may_not_revoke(town: Town) -> None:
    licence = town.service.issue(asked(), CLERK)
    with pytest.raises(Forbidden):
        town.service.revoke(licence.public_id, legal_basis="a", reason="b", principal=STRANGER)


def test_who_acts_for_another_body_neither_issues_nor_reads_nor_revokes_for_this_one(town: Town) -> None:
    neighbour = replace(
        CLERK, rights=frozenset({"license.issue:*", "license.revoke:*", "seal.use:*"}), organisation=OTHER
    )
    licence = town.service.issue(asked(), CLERK)
    before = written(town)
    with pytest.raises(Forbidden):
        town.service.issue(asked("k-2"), neighbour)
    with pytest.raises(Forbidden):
        town.service.revoke(licence.public_id, legal_basis="a", reason="b", principal=neighbour)
    with pytest.raises(Forbidden):
        town.service.readable(licence.public_id, neighbour)
    assert written(town) == before
    assert town.service.readable(licence.public_id, CLERK) == licence


def test_a_licence_expires_when_its_last_day_ends_in_china(town: Town) -> None:
    licence = town.service.issue(asked(validity=Validity(first=date(2019, 3, 1), last=date(2026, 11, 22))), CLERK)
    town.clock.advance(timedelta(hours=7, minutes=59))  # 23:59 in China
    assert town.service.status(licence) is LicenseStatus.ACTIVE
    town.clock.advance(timedelta(minutes=1))
    assert town.service.status(licence) is LicenseStatus.EXPIRED


def test_the_same_call_many_times_at_once_makes_one_licence(town: Town) -> None:
    def call(_: int) -> str:
        try:
            return town.service.issue(asked(), CLERK).identifier
        except Refusal as refused:
            return refused.code

    with ThreadPoolExecutor(4) as pool:
        answers = set(pool.map(call, range(8)))
    licence = town.service.issue(asked(), CLERK)
    assert answers - {"issuing_in_progress", "sealing_in_progress"} <= {licence.identifier}
    assert rows(town, store.LICENSES) == rows(town, SEALINGS) == 1


def test_a_licence_revoked_many_times_at_once_is_revoked_once(town: Town) -> None:
    licence = town.service.issue(asked(), CLERK)

    def call(_: int) -> str:
        try:
            town.service.revoke(licence.public_id, legal_basis="a", reason="b", principal=CLERK)
        except Refusal as refused:
            return refused.code
        return "revoked"

    with ThreadPoolExecutor(4) as pool:
        answers = sorted(pool.map(call, range(4)))
    assert answers == ["license_not_active"] * 3 + ["revoked"]
    assert audited(town).count("license.revoked") == 1


def _failing(*_: object, **__: object) -> int:
    raise OSError("the disk is full")
