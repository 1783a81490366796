"""Letter templates through HTTP, on both databases."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sa
from httpx2 import Client

from kernel.clock import ManualClock
from license_store.letters.service import LetterService
from license_store.letters.store import LETTERS
from seal.store import SEALINGS
from tests.license_store.town import OWNER

from .conftest import BODY, WRITER, Office, row, shape

PLACE = "/api/licenses/v1/letter-templates"
VERSIONS = f"{PLACE}/permit/versions"


def test_versions_are_added_and_never_changed(office: Office, writer: Client) -> None:
    made = writer.post(VERSIONS, json=shape())
    assert (made.status_code, made.json()["version"]) == (201, 1)
    assert made.headers["location"] == f"{VERSIONS}/1"
    again = writer.post(VERSIONS, json=shape())
    assert (again.status_code, again.json()) == (200, made.json())
    second = writer.post(VERSIONS, json=shape(title="补正通知书"))
    assert (second.status_code, second.json()["version"]) == (201, 2)
    assert writer.get(made.headers["location"]).json() == made.json()
    assert writer.get(f"{PLACE}/permit").json() == second.json()
    writer.post(f"{PLACE}/another/versions", json=shape())
    first = writer.get(PLACE, params={"limit": 1}).json()
    rest = writer.get(PLACE, params={"limit": 5, "after": first["next"]}).json()
    assert [(one["code"], one["version"]) for one in first["templates"] + rest["templates"]] == [
        ("another", 1),
        ("permit", 2),
    ]
    assert rest["next"] is None
    with office.town.db.read() as conn:
        assert office.town.audit.verify(conn).holds
        told = office.town.audit.about(conn, f"{OWNER}/permit")
    assert [entry.action for entry in told] == ["license.letter.defined"] * 2

    # Only the organisation itself sees them, and only those with a right.
    with office.client("elsewhere") as other, office.client("stranger") as nobody, office.client("") as unknown:
        assert other.get(f"{PLACE}/permit").json()["code"] == "letter_template_unknown"
        assert other.get(PLACE).json()["templates"] == []
        answers = [nobody.post(VERSIONS, json=shape()), nobody.get(PLACE), nobody.get(f"{PLACE}/permit")]
        assert [answer.status_code for answer in answers] == [403] * 3
        assert unknown.get(PLACE).status_code == 401

    # What somebody altered in the database is nobody's template.
    with office.town.db.begin() as conn:
        conn.execute(sa.update(LETTERS).where(LETTERS.c.version == 2).values(body=LETTERS.c.body + " "))
    assert writer.get(f"{PLACE}/permit").json()["code"] == "letter_template_unknown"


def test_a_preview_is_a_pdf_and_leaves_no_trace(office: Office, writer: Client) -> None:
    writer.post(VERSIONS, json=shape())
    shown = writer.post(f"{VERSIONS}/1/preview", json={"row": row()})
    assert (shown.status_code, shown.headers["content-type"]) == (200, "application/pdf")
    assert shown.content.startswith(b"%PDF")
    refused = writer.post(f"{VERSIONS}/1/preview", json={"row": row(号="")})
    assert (refused.status_code, refused.json()["code"]) == (400, "letter_rows_invalid")
    assert writer.post(f"{VERSIONS}/2/preview", json={"row": row()}).status_code == 404
    with office.town.db.read() as conn:
        assert conn.execute(sa.select(sa.func.count()).select_from(SEALINGS)).scalar_one() == 0


def test_what_makes_no_template_is_refused(writer: Client) -> None:
    cases: list[tuple[str, dict[str, Any], int, str]] = [
        ("permit", {"date": "{年}"}, 400, "letter_template_invalid"),
        ("permit", {"issuer": "局" * 60}, 400, "letter_template_invalid"),
        ("permit", {"seal": "nowhere"}, 400, "placement_refused"),
        ("Permit", {}, 400, "letter_template_invalid"),
        ("permit", {"colour": "red"}, 422, "request_invalid"),
        ("permit", {"paragraphs": []}, 422, "request_invalid"),
    ]
    for code, changes, status, answer in cases:
        told = writer.post(f"{PLACE}/{code}/versions", json=shape(**changes))
        assert (told.status_code, told.json()["code"]) == (status, answer), changes
    assert writer.get(PLACE).json()["templates"] == []


def test_two_who_define_at_once_get_a_version_each(office: Office, writer: Client) -> None:
    if office.town.db.dialect == "sqlite":
        pytest.skip("writers take turns here")
    others = iter(["甲通知书", "乙通知书"])

    class Meddled(ManualClock):
        """While somebody looks at the clock, others are faster."""

        def now(self) -> datetime:
            if (title := next(others, None)) is not None:
                assert writer.post(VERSIONS, json=shape(title=title)).json()["created_by"] == WRITER.subject
            return super().now()

    meddled = Meddled(office.town.clock.now())
    slow = LetterService(db=office.town.db, audit=office.town.audit, clock=meddled, printer=office.printer)
    assert [slow.define("permit", replace(BODY, title="丙通知书"), WRITER)[0].version] == [3]
