"""Sealing, looking and judging with the SDK, against the whole service."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.sdk.conftest import Running
from xinyin_sdk import (
    DocumentRefused,
    Forbidden,
    IdempotencyMismatch,
    NotAuthenticated,
    NotFound,
    Paper,
    PlacementRefused,
    Xinyin,
    placing,
)


def test_a_file_is_sealed_saved_and_judged(office: Xinyin, running: Running, pdf: bytes, tmp_path: Path) -> None:
    source = tmp_path / "决定书.pdf"
    source.write_bytes(pdf)
    sealed = office.seals.seal(
        source, seal=running.seal, reason="准予许可", case_number="A-1", placement=placing.at_keyword("决定", pick=-1)
    )
    assert (sealed.seal, sealed.format, sealed.report.verdict) == (running.seal, "pdf-pades-sm2", "valid")
    assert not sealed.replayed
    out = sealed.save_to(tmp_path / "sealed.pdf")
    assert out.read_bytes() == sealed.document() != pdf
    with pytest.raises(FileExistsError):
        sealed.save_to(out)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["sealed.pdf", "决定书.pdf"]
    with Xinyin(running.url) as anyone:
        verdict = anyone.verify(out)
    assert (verdict.is_valid, verdict.file) == (True, "sealed.pdf")
    assert running.seal in (verdict.signatures[0].signer or "")
    state = office.sealings.get(sealed.id)
    assert (state.state, state.case_number, state.reason, state.file_sm3) == (
        "completed",
        "A-1",
        "准予许可",
        sealed.file_sm3,
    )


def test_every_option_of_a_sealing_arrives(office: Xinyin, running: Running, pdf: bytes) -> None:
    sealed = office.seals.seal(
        pdf,
        seal=running.seal,
        format="pdf-ses-v4",
        also="pdf-pades-p256",
        closes=True,
        document_kind="decision",
        placement=placing.in_corner("top-left"),
    )
    assert [one.format for one in sealed.report.signatures] == ["pdf-ses-v4", "pdf-pades-p256"]
    assert office.sealings.get(sealed.id).document_kind == "decision"


def test_one_key_seals_once_and_is_for_one_request(office: Xinyin, running: Running, ofd: bytes) -> None:
    first = office.seals.seal(ofd, seal=running.seal, idempotency_key="YJ-7")
    again = office.seals.seal(ofd, seal=running.seal, idempotency_key="YJ-7")
    assert (again.id, again.serial, again.replayed) == (first.id, first.serial, True)
    with pytest.raises(IdempotencyMismatch) as refused:
        office.seals.seal(ofd, seal=running.seal, idempotency_key="YJ-7", case_number="other")
    assert (refused.value.code, refused.value.status, refused.value.idempotency_key) == (
        "idempotency_mismatch",
        422,
        "YJ-7",
    )
    assert refused.value.request_id


def test_refusals_are_told_apart_by_their_class(office: Xinyin, running: Running, pdf: bytes) -> None:
    with pytest.raises(DocumentRefused, match="document_unsupported"):
        office.seals.seal(b"no document", seal=running.seal)
    with pytest.raises(PlacementRefused):
        office.seals.seal(pdf, seal=running.seal, placement="page nine")
    with pytest.raises(Forbidden):
        office.seals.seal(pdf, seal="99010000000099")
    with running.client("stranger") as stranger, pytest.raises(Forbidden):
        stranger.seals.seal(pdf, seal=running.seal)
    with pytest.raises(NotFound):
        office.sealings.get("no-such-sealing")
    with (
        Xinyin(running.url, "office", client_secret="guessed") as impostor,
        pytest.raises(NotAuthenticated, match="invalid_client"),
    ):
        impostor.seals.get(running.seal)
    with Xinyin(running.url) as anyone, pytest.raises(NotAuthenticated, match="token_missing"):
        anyone.seals.get(running.seal)


def test_a_seal_is_looked_at_by_its_owner_and_its_status_by_anyone(office: Xinyin, running: Running) -> None:
    seal = office.seals.get(running.seal)
    assert (seal.status, seal.filing is not None, bool(seal.certificates)) == ("active", True, True)
    assert [change.status for change in office.seals.history(running.seal).changes] == ["made", "filed", "active"]
    with Xinyin(running.url) as anyone:
        assert anyone.seals.status(running.seal).usable
        before = anyone.seals.status(running.seal, at=datetime.now(UTC) - timedelta(days=400))
    assert (before.status, before.usable) == (None, False)


def test_affairs_are_listed_and_shown_with_their_papers(office: Xinyin, running: Running) -> None:
    affairs = list(office.affairs.list(seal=running.seal))
    assert {affair.action for affair in affairs} >= {"make", "file", "activate"}
    making = next(affair for affair in affairs if affair.action == "make")
    assert office.affairs.get(making.id) == making
    assert "papers" in office.affairs.paper(making.id, making.papers[0].object_key).decode()
    assert list(office.affairs.list(waiting=True)) == []  # a system decides nothing


def test_an_affair_is_proposed_with_its_papers(office: Xinyin, running: Running, pdf: bytes) -> None:
    kept = office.affairs.keep_paper(pdf)
    papers = [Paper(kind="report", object_key=kept.object_key)]
    wish: dict[str, Any] = {"seal": running.seal, "reason": "机构改革", "legal_basis": "第十条", "papers": papers}
    affair = office.affairs.propose("suspend", **wish, idempotency_key="affair-1")
    assert office.affairs.propose("suspend", **wish, idempotency_key="affair-1") == affair
    assert (affair.standing, affair.papers, affair.proposed_by) == ("waiting_for_approval", tuple(papers), "office")
    assert next(office.affairs.list()).id == affair.id
    assert office.affairs.paper(affair.id, kept.object_key) == pdf


def test_a_document_that_is_not_sealed_or_forged_is_judged_as_what_it_is(running: Running, pdf: bytes) -> None:
    with Xinyin(running.url) as anyone:
        verdict = anyone.verify(pdf)
        assert (verdict.verdict, verdict.is_valid) == ("unsigned", False)
        assert "<html" in anyone.report(pdf, language="en")
        assert anyone.etsi_report(pdf)
