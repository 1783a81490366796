"""Exports: what is in them, what a spreadsheet makes of it, and what others can check with their own tools."""

import csv
import io
import json
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from crypto.cms import parse_signed_data, verify_signer
from crypto.digests import SHA256, sm3
from kernel.errors import Forbidden
from seal import store
from seal.pki.authorities import Authorities
from seal.usage.export import COLUMNS, LINES, MANIFEST, TABLE, Gap, archive, month_bounds
from seal.usage.ledger import SETTLED, LedgerFilter, LedgerFilterRefused, LedgerRow, UsageLedger, UseState
from seal.usage.signing import LedgerSignerMissing, OfficeSigner
from tests.seal.conftest import CLERK, OWNER, SEAL, START, House, request
from tests.seal.usage.conftest import AUDITOR

ROW = LedgerRow(
    sealing="a" * 26,
    seal=SEAL,
    seal_name="专用章",
    serial=1,
    caller="system",
    caller_kind="client",
    person=None,
    organisation=OWNER,
    client_address="192.0.2.7",
    document_sm3="0" * 64,
    file_sm3=None,
    pages=2,
    purpose="",
    case_number=None,
    document_kind="",
    amount=0,
    format="ofd-ses-v4",
    level=None,
    intended_at=START,
    sealed_at=None,
    state=UseState.FAILED,
    failure="x",
    grant=None,
    approval=None,
)


@pytest.fixture
def authorities(house: House, tmp_path: Path) -> Authorities:
    vault = house.authority.vault
    made = Authorities(
        tmp_path / "ca", vault=vault, clock=house.clock, db=house.db, audit=house.audit, public_url="https://x.test"
    )
    made.found(tmp_path / "roots", vault, "某某市")
    return made


def ledger_of(house: House, authorities: Authorities | None) -> UsageLedger:
    signer = OfficeSigner(authorities) if authorities else None
    return UsageLedger(db=house.db, audit=house.audit, clock=house.clock, signer=signer)


def opened(pieces: Iterator[bytes]) -> zipfile.ZipFile:
    made = zipfile.ZipFile(io.BytesIO(b"".join(pieces)))
    assert made.testzip() is None
    return made


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_month_is_exported_whole_with_sums_and_two_signatures(
    house: House, authorities: Authorities, ofd: bytes, tmp_path: Path
) -> None:
    ledger, service = ledger_of(house, authorities), house.service()
    for number in range(3):
        house.clock.advance(timedelta(seconds=1))
        service.seal(request(ofd, reason=f"事由{number}"), replace(CLERK, subject=f"system-{number % 2}"))
    # In Shanghai December has begun.
    house.clock.advance(datetime(2026, 11, 30, 16, 0, tzinfo=UTC) - house.clock.now())
    service.seal(request(ofd), CLERK)
    # A use of its last second may still be on its way into the record.
    early = opened(ledger.export(LedgerFilter(), CLERK, month="2026-11"))
    assert json.loads(early.read(MANIFEST))["over"] is False
    house.clock.advance(SETTLED)
    files = opened(ledger.export(LedgerFilter(), CLERK, month="2026-11"))
    assert files.namelist() == [TABLE, LINES, MANIFEST, f"{MANIFEST}.gm.p7s", f"{MANIFEST}.p7s"]

    manifest = json.loads(files.read(MANIFEST))
    assert (manifest["rows"], manifest["states"], manifest["over"]) == (3, {"completed": 3}, True)
    assert [(one["seal"], one["first_serial"], one["last_serial"], one["absent"]) for one in manifest["seals"]] == [
        (SEAL, 1, 3, [])
    ]
    for each in manifest["files"]:
        content = files.read(each["name"])
        told = {"size": len(content), "sm3": sm3(content).hex(), "sha256": SHA256.digest(content).hex()}
        assert each == {"name": each["name"], **told}
    with house.db.read() as conn:
        entries = [(each.action, json.loads(each.facts)["manifest_sm3"]) for each in house.audit.about(conn, "*")]
    exported = {("seal.ledger.exported", sm3(each.read(MANIFEST)).hex()) for each in (early, files)}
    assert (len(entries), set(entries)) == (2, exported)

    lines = [json.loads(line) for line in files.read(LINES).decode().splitlines()]
    table = list(csv.DictReader(io.StringIO(files.read(TABLE).decode("utf-8-sig"))))
    assert files.read(TABLE).startswith(b"\xef\xbb\xbf")
    assert [line["serial"] for line in lines] == [int(row["用印序号"]) for row in table] == [3, 2, 1]
    assert {line["purpose"] for line in lines} == {row["用印事由"] for row in table} == {"事由0", "事由1", "事由2"}

    # A filter leaves gaps, and they are told.
    some = json.loads(opened(ledger.export(LedgerFilter(caller="system-0"), CLERK, month="2026-11")).read(MANIFEST))
    assert [(one["rows"], one["not_selected"], one["absent"]) for one in some["seals"]] == [(2, 1, [])]
    _both_signatures_hold(files, authorities, tmp_path)


def _both_signatures_hold(files: zipfile.ZipFile, authorities: Authorities, folder: Path) -> None:
    manifest = files.read(MANIFEST)
    for ending in (".p7s", ".gm.p7s"):
        message = parse_signed_data(files.read(MANIFEST + ending))
        (signer,) = message.signers
        assert list(verify_signer(message, signer, lambda algorithm: algorithm.digest(manifest))) == []
        assert list(verify_signer(message, signer, lambda algorithm: algorithm.digest(manifest + b" "))) != []
    openssl = shutil.which("openssl")
    if openssl is None:
        return
    files.extractall(folder / "export")
    (folder / "root.pem").write_text(authorities.get("p256").path[-1].pem())
    command = (
        f"{openssl} cms -verify -binary -inform DER -in {MANIFEST}.p7s -content {MANIFEST} -CAfile ../root.pem "
        f"-purpose any -attime {int(START.timestamp())} -out ../checked.json"
    )
    done = subprocess.run(command.split(), cwd=folder / "export", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (folder / "checked.json").read_bytes() == manifest


@pytest.mark.parametrize("words", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "  =1", "＝1", "\n=1"])
def test_nothing_that_a_caller_wrote_is_calculated(words: str) -> None:
    row = replace(ROW, purpose=words, case_number=words, caller=words)
    pieces = archive(
        [[row]], head={}, gaps=lambda *_: Gap(not_selected=0, absent=()), sign=lambda _: {}, done=lambda *_: None
    )
    files = opened(pieces)
    (told,) = csv.DictReader(io.StringIO(files.read(TABLE).decode("utf-8-sig"), newline=""))
    assert [told[COLUMNS[name]] for name in ("purpose", "case_number", "caller")] == [f"'{words}"] * 3
    # What programs read is what was written.
    assert json.loads(files.read(LINES))["purpose"] == words


def test_every_part_of_a_use_has_a_column() -> None:
    assert set(COLUMNS) == set(LedgerRow.__slots__)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_serials_that_are_not_on_record_are_named(house: House, ofd: bytes) -> None:
    for _ in range(4):
        house.service().seal(request(ofd), CLERK)
    with house.db.begin() as conn:
        conn.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
        middle = sa.select(store.SEALINGS.c.id).where(store.SEALINGS.c.serial.in_((2, 3)))
        for table in ("seal_usages", "seal_completions", "seal_attempts", "seal_sealing_sources"):
            there = store.SEALINGS.metadata.tables[table]
            conn.execute(sa.delete(there).where(there.c.sealing.in_(middle)))
        conn.execute(sa.delete(store.SEALINGS).where(store.SEALINGS.c.serial.in_((2, 3))))

    class Silent:
        def sign(self, manifest: bytes, at: datetime) -> dict[str, bytes]:
            del manifest, at
            return {".none": b""}

    ledger = UsageLedger(db=house.db, audit=house.audit, clock=house.clock, signer=Silent())
    manifest = json.loads(opened(ledger.export(LedgerFilter(), AUDITOR)).read(MANIFEST))
    assert [(one["rows"], one["not_selected"], one["absent"]) for one in manifest["seals"]] == [(2, 0, [2, 3])]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_what_cannot_be_exported_is_refused_before_anything_is_given(house: House, tmp_path: Path) -> None:
    nobody = Authorities(
        tmp_path / "ca",
        vault=house.authority.vault,
        clock=house.clock,
        db=house.db,
        audit=house.audit,
        public_url="https://x.test",
    )
    for ledger in (ledger_of(house, None), ledger_of(house, nobody)):
        with pytest.raises(LedgerSignerMissing):
            ledger.export(LedgerFilter(), AUDITOR)

    class Never:
        def sign(self, manifest: bytes, at: datetime) -> dict[str, bytes]:
            raise AssertionError(f"asked to sign {manifest!r} at {at}")

    ledger = UsageLedger(db=house.db, audit=house.audit, clock=house.clock, signer=Never())
    with pytest.raises(Forbidden):
        ledger.export(LedgerFilter(), replace(CLERK, organisation="11440300MB2C92999X"))
    for month in ("2026-13", "26-11", "2026-11-01", "9999-12", "２０２６-11"):
        with pytest.raises(LedgerFilterRefused):
            ledger.export(LedgerFilter(), AUDITOR, month=month)


def test_a_month_begins_at_midnight_of_the_country() -> None:
    begins, ends = month_bounds("2026-12")
    assert (begins, ends) == (datetime(2026, 11, 30, 16, tzinfo=UTC), datetime(2026, 12, 31, 16, tzinfo=UTC))
    assert month_bounds("2026-11")[1] == begins
    assert ends - begins == timedelta(days=31)
