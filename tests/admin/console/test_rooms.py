"""The console's rooms: what officers do in them, and what nobody may."""

import io
import re
import zipfile
from dataclasses import replace
from datetime import timedelta

import httpx2
import pytest
import sqlalchemy as sa

from admin.console import ledger as ledger_room
from admin.console import routes as addresses
from seal.affairs.actions import APPLICATION, Action
from seal.affairs.model import Paper, Standing
from seal.batches.model import BatchWish, ItemWish
from seal.model import SealStatus
from seal.placing import parse_placement
from seal.request import SealRequest
from seal.store import ATTEMPTS
from seal.usage import rows as reading
from seal.usage.approvals import UseStanding
from tests.admin.console.conftest import Desk, Office
from tests.reliability.sealing import document
from tests.seal.conftest import failing_inserts

XSS = '"><script>alert(1)</script><img src=x onerror=alert(1)>'
PNG = b"\x89PNG\r\n\x1a\n and more"


@pytest.fixture(scope="session")
def zhao(kept_open: Office) -> Desk:
    return kept_open.desk("zhao")


@pytest.fixture(scope="session")
def qian(kept_open: Office) -> Desk:
    return kept_open.desk("qian")


@pytest.fixture(autouse=True)
def both_are_in(office: Office, zhao: Desk, qian: Desk) -> None:
    """Let both be signed in, lately, whatever the test before did to the clock."""
    for desk in (zhao, qian):
        cookie = desk.client.cookies.get("xinyin_console") or ""
        if not office.admits(cookie) or office.clock.now() - desk.since > timedelta(minutes=4):
            desk.client.cookies.clear()
            assert desk.sign_in("/console/seals").status_code == 200
            desk.since = office.clock.now()


def status(office: Office) -> SealStatus:
    return office.service.register.find(office.seal).status


def standing(office: Office, affair: str) -> Standing:
    return office.service.affairs.standing(office.service.affairs.find(affair, office.officer("qian")))


def settle(office: Office, qian: Desk, action: Action) -> httpx2.Response:
    affair = office.propose("zhao", action)
    here = f"/console/affairs/{affair.id}"
    return qian.form(here, f"{here}/decisions", verdict="approve")


# --- every room --------------------------------------------------------------------------------------------------


def endpoints(office: Office, method: str) -> list[str]:
    affair = office.propose("zhao")
    values = {
        "affair": affair.id,
        "key": "0" * 64,
        "seal": office.seal,
        "action": "suspend",
        "sealing": "nothing",
        "batch": "nothing",
        "use": "nothing",
    }
    found = [each for each in addresses.routes(office.service) if method in (each.methods or ())]
    return [each.path.format(**values) for each in found]


def test_nobody_sees_a_room_without_signing_in(office: Office) -> None:
    stranger = office.desk("zhao")
    for address in set(endpoints(office, "GET")) - {"/console/bye", "/console/callback"}:
        response = stranger.get(address, follow=False)
        assert response.status_code == 303, address
        assert "/console/sign-in" in response.headers["location"] or "/oauth2/" in response.headers["location"]


def test_every_page_forbids_scripts_frames_and_keeping(office: Office, zhao: Desk) -> None:
    for address in endpoints(office, "GET"):
        if "sign-in" in address:
            continue
        page = zhao.get(address, follow=False)
        assert page.status_code in {200, 403, 404}, address
        policy = page.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'")
        assert "script-src" not in policy
        assert page.headers["x-frame-options"] == "DENY"
        assert page.headers["x-content-type-options"] == "nosniff"
        if page.headers["content-type"].startswith("text/html"):
            assert "frame-ancestors 'none'" in policy
            assert page.headers["cache-control"] == "no-store"
            assert "<script" not in page.text
            assert "style=" not in page.text


def test_no_form_is_taken_from_elsewhere(office: Office, qian: Desk) -> None:
    affair = office.propose("zhao")
    good = {**qian.hidden(qian.get(f"/console/affairs/{affair.id}")), "verdict": "reject"}
    for address in endpoints(office, "POST"):
        for headers, csrf in ((None, ""), (None, "0" * 64), ({"sec-fetch-site": "cross-site"}, good["csrf"])):
            page = qian.send(address, {**good, "csrf": csrf}, headers=headers)
            assert page.status_code == 403, address
            assert "csrf_refused" in page.text
    assert standing(office, affair.id) is Standing.APPROVING
    assert status(office) is SealStatus.ACTIVE


def test_a_form_of_somebody_who_is_out_does_nothing(office: Office) -> None:
    affair = office.propose("zhao")
    here = f"/console/affairs/{affair.id}/decisions"
    page = office.desk("qian").send(here, {"verdict": "reject", "payload_sm3": affair.payload_sm3})
    assert page.status_code == 401
    assert "登录已失效" in page.text
    assert standing(office, affair.id) is Standing.APPROVING


@pytest.mark.parametrize("sent", [b"a=%ff", b"a=1&a=2", b"a=%00", b"a=" + b"x" * 40_000, "a=盖".encode()])
def test_what_is_no_form_is_refused(office: Office, zhao: Desk, sent: bytes) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    page = zhao.client.post(f"/console/seals/{office.seal}/proposals/suspend", content=sent, headers=headers)
    assert page.status_code == 400
    assert "console_form_unreadable" in page.text


# --- affairs -----------------------------------------------------------------------------------------------------


def test_one_proposes_and_the_other_approves(office: Office, zhao: Desk, qian: Desk) -> None:
    # The newest stand first.
    office.clock.advance(timedelta(seconds=1))
    page = f"/console/seals/{office.seal}/propose/suspend"
    shown = zhao.form(page, f"/console/seals/{office.seal}/proposals/suspend", reason="换届", legal_basis="第十二条")
    here = str(zhao.history[0].headers["location"]).partition("?")[0]
    assert "这是您自己的申请" in shown.text
    assert 'value="approve"' not in shown.text
    refused = zhao.form(here, f"{here}/decisions", verdict="approve")
    assert refused.status_code == 403
    assert "不能由您审批" in refused.text
    assert status(office) is SealStatus.ACTIVE
    assert here in qian.get("/console").text
    seen = qian.get(here)
    for word in ("使用中", "已暂停", "换届", "第十二条", "赵主任", qian.hidden(seen)["payload_sm3"]):
        assert word in seen.text
    done = qian.form(here, f"{here}/decisions", verdict="approve", note="同意")
    assert "已执行，立即生效" in done.text
    assert "同意" in done.text
    assert status(office) is SealStatus.SUSPENDED
    assert "已执行" in settle(office, qian, Action.RESUME).text
    assert status(office) is SealStatus.ACTIVE


def test_an_approval_takes_a_sign_in_of_the_last_ten_minutes(office: Office, qian: Desk) -> None:
    affair = office.propose("zhao")
    here = f"/console/affairs/{affair.id}"
    office.clock.advance(timedelta(minutes=8))
    qian.get("/console/affairs")
    office.clock.advance(timedelta(minutes=6))
    page = qian.get(here)
    assert 'value="approve"' not in page.text
    assert "再次验证身份" in page.text
    response = qian.form(here, f"{here}/decisions", follow=False, verdict="approve")
    assert response.status_code == 303
    assert standing(office, affair.id) is Standing.APPROVING
    leaving = qian.get(response.headers["location"], follow=False)
    assert "max_age=600" in leaving.headers["location"]
    prompt = qian.get(leaving.headers["location"])
    assert 'name="password"' in prompt.text
    back = qian.prove(prompt)
    assert 'value="approve"' in back.text
    assert affair.payload_sm3 in back.text
    qian.form(here, f"{here}/decisions", verdict="reject")
    assert standing(office, affair.id) is Standing.REJECTED


def test_only_what_was_shown_can_be_approved(office: Office, qian: Desk) -> None:
    affair = office.propose("zhao")
    here = f"/console/affairs/{affair.id}"
    page = qian.form(here, f"{here}/decisions", verdict="approve", payload_sm3="0" * 64)
    assert page.status_code == 409
    assert "内容与您看到的不一致" in page.text
    assert status(office) is SealStatus.ACTIVE
    assert qian.form(here, f"{here}/decisions", verdict="nonsense").status_code == 400


def test_a_proposal_is_withdrawn_by_whoever_made_it(office: Office, zhao: Desk) -> None:
    affair = office.propose("zhao")
    here = f"/console/affairs/{affair.id}"
    assert "已撤回" in zhao.form(here, f"{here}/decisions", verdict="withdraw").text
    assert standing(office, affair.id) is Standing.WITHDRAWN


def test_an_affair_that_is_none_of_ones_business_is_not_there(office: Office, qian: Desk) -> None:
    affair = office.propose("zhao", papers=(Paper(kind="other", object_key=office.service.affairs.keep(b"%PDF-1.7")),))
    office.appoint("qian", "seal.manage:99010000009999")
    for address in (
        f"/console/affairs/{affair.id}",
        f"/console/affairs/{affair.id}/papers/{affair.papers[0].object_key}",
    ):
        assert qian.get(address).status_code == 404
    assert affair.id not in qian.get("/console/affairs?view=all").text
    assert qian.get(f"/console/seals/{office.seal}").status_code == 404
    assert qian.get(f"/console/seals/{office.seal}/picture.png").status_code == 404
    assert office.seal not in qian.get("/console/seals").text


def test_what_others_wrote_is_shown_and_never_run(office: Office, zhao: Desk, qian: Desk) -> None:
    kept = office.service.affairs.keep(b"%PDF-1.7")
    office.service.registry.prove_identity(
        office.people["zhao"].id, name=XSS, level=office.people["zhao"].level, evidence=office.people["zhao"].evidence
    )
    try:
        affair = office.propose("zhao", legal_basis=XSS, papers=(Paper(kind=XSS[:40], object_key=kept),))
        here = f"/console/affairs/{affair.id}"
        pages = [qian.form(here, f"{here}/decisions", verdict="reject", note=XSS)]
        pages += [qian.get(f"/console/seals?text={XSS}"), qian.get("/console/affairs?view=all"), zhao.get("/console")]
        form = f"/console/seals/{office.seal}/propose/revoke"
        pages.append(zhao.form(form, f"/console/seals/{office.seal}/proposals/revoke", reason=XSS, code=XSS))
    finally:
        person = office.people["zhao"]
        office.service.registry.prove_identity(person.id, name="赵主任", level=person.level, evidence=person.evidence)
    for page in pages:
        assert "<script" not in page.text
        assert "<img src=x" not in page.text
    assert sum("&lt;script&gt;" in page.text for page in pages) == len(pages)


@pytest.mark.parametrize(
    ("content", "media_type", "disposition"),
    [
        (b"<html><script>alert(1)</script>", "application/octet-stream", "attachment"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "application/octet-stream", "attachment"),
        (b"%PDF-1.7", "application/octet-stream", "attachment"),
        (PNG, "image/png", "inline"),
    ],
)
def test_papers_are_handed_out_so_that_nothing_runs(
    office: Office, qian: Desk, content: bytes, media_type: str, disposition: str
) -> None:
    key = office.service.affairs.keep(content)
    affair = office.propose("zhao", papers=(Paper(kind=APPLICATION, object_key=key),))
    paper = qian.get(f"/console/affairs/{affair.id}/papers/{key}")
    assert paper.content == content
    assert paper.headers["content-type"] == media_type
    assert paper.headers["content-disposition"].startswith(f'{disposition}; filename="paper-{key[:12]}.')
    assert paper.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert paper.headers["x-content-type-options"] == "nosniff"
    other = office.service.affairs.keep(b"another affair's")
    assert qian.get(f"/console/affairs/{affair.id}/papers/{other}").status_code == 404


# --- single uses -------------------------------------------------------------------------------------------------


def test_a_single_use_is_approved_by_an_officer(office: Office, qian: Desk) -> None:
    asked = SealRequest(
        document=document("use"),
        seal=office.seal,
        reason=f"发证 {XSS}",
        document_kind="许可证",
        placement=parse_placement("point;x=17;y=23"),
        closes=True,
    )
    first, second = (office.service.uses.ask(replace(asked, case_number=case), office.caller) for case in "12")
    assert f"/console/uses/{first.id}" in qian.get("/console/uses").text
    here = f"/console/uses/{first.id}"
    shown = qian.get(here)
    for word in (
        "许可证",
        "point;x=17.0;y=23.0",
        "此后不能再加签名",
        first.document_sm3,
        first.request_hash,
        "&lt;script&gt;",
    ):
        assert word in shown.text
    assert "<script" not in shown.text
    paper = qian.get(f"{here}/document")
    assert paper.content == asked.document
    assert paper.headers["content-disposition"].startswith("attachment")
    wrong = qian.form(here, f"{here}/decisions", verdict="approve", request_hash="0" * 64)
    assert wrong.status_code == 409
    assert "已批准这一次用印" in qian.form(here, f"{here}/decisions", verdict="approve").text
    assert qian.form(here, f"{here}/decisions", verdict="approve").status_code == 409
    other = f"/console/uses/{second.id}"
    assert "已拒绝这一次用印" in qian.form(other, f"{other}/decisions", verdict="reject", note="不合规").text
    standing_now = [
        office.service.uses.find(each.id, office.caller).standing(office.clock.now()) for each in (first, second)
    ]
    assert standing_now == [UseStanding.APPROVED, UseStanding.REJECTED]
    office.appoint("qian", f"seal.manage:{office.seal}")
    assert qian.get(here).status_code == 404
    assert qian.get(f"{here}/document").status_code == 404


def test_approving_a_use_takes_a_fresh_sign_in(office: Office, qian: Desk) -> None:
    use = office.service.uses.ask(SealRequest(document=document("stale"), seal=office.seal), office.caller)
    here = f"/console/uses/{use.id}"
    office.clock.advance(timedelta(minutes=12))
    assert 'value="approve"' not in qian.get(here).text
    sent = qian.form(here, f"{here}/decisions", follow=False, verdict="approve")
    assert "/console/sign-in?fresh=1" in sent.headers["location"]
    assert office.service.uses.find(use.id, office.caller).decision is None


# --- proposing ---------------------------------------------------------------------------------------------------


def test_what_is_missing_is_said_above_the_form_with_all_that_was_typed(office: Office, zhao: Desk) -> None:
    form = f"/console/seals/{office.seal}/propose/revoke"
    page = zhao.form(form, f"/console/seals/{office.seal}/proposals/revoke", reason="单位撤销，见附件")
    assert page.status_code == 400
    assert "申请有误" in page.text
    assert "单位撤销，见附件" in page.text


def test_only_what_fits_status_and_rights_is_offered(office: Office, zhao: Desk) -> None:
    page = zhao.get(f"/console/seals/{office.seal}").text
    assert f"/console/seals/{office.seal}/propose/suspend" in page
    assert "propose/resume" not in page
    office.appoint("zhao", f"seal.lose:{office.seal}")
    page = zhao.get(f"/console/seals/{office.seal}").text
    assert "propose/lose" in page
    assert "propose/suspend" not in page
    sent = zhao.get(f"/console/seals/{office.seal}/propose/lose")
    for act in ("suspend", "make", "nonsense"):
        refused = zhao.send(f"/console/seals/{office.seal}/proposals/{act}", {"reason": "x", **zhao.hidden(sent)})
        assert refused.status_code == (403 if act == "suspend" else 404)


# --- the register ------------------------------------------------------------------------------------------------


def test_a_seal_is_found_and_its_file_read(office: Office, zhao: Desk) -> None:
    assert office.seal in zhao.get("/console/seals?text=审批专用章&status=active&kind=6").text
    for wrong in ("status=revoked", "kind=4", "text=nothing", "owner=11990100MB0000001M"):
        page = zhao.get(f"/console/seals?{wrong}").text
        assert f"/console/seals/{office.seal}" not in page
        assert "没有符合条件的印章" in page
    # What makes no sense narrows nothing.
    assert office.seal in zhao.get("/console/seals?status=nonsense&kind=999999").text
    page = zhao.get(f"/console/seals/{office.seal}").text
    for word in ("SM2-SM3", "有效", "已备案", "凭权限直接用印", f"DEV-{office.seal}"):
        assert word in page
    picture = zhao.get(f"/console/seals/{office.seal}/picture.png")
    assert picture.headers["content-type"] == "image/png"
    assert picture.content == office.service.register.find(office.seal).picture.png


def test_a_certificate_near_its_end_is_warned_of(office: Office, zhao: Desk) -> None:
    office.clock.advance(timedelta(days=365 * 3 - 40))
    try:
        zhao.sign_in()
        assert "即将到期" in zhao.get(f"/console/seals/{office.seal}").text
        assert office.seal in zhao.get("/console/seals?ending=1").text
    finally:
        office.clock.advance(-timedelta(days=365 * 3 - 40))


# --- the ledger --------------------------------------------------------------------------------------------------


def test_the_ledger_shows_a_use_and_its_export_downloads(office: Office, zhao: Desk) -> None:
    asked = SealRequest(document=document("ledger"), seal=office.seal, reason=f"=1+1 {XSS}", case_number="2026-7")
    office.service.sealing.seal(asked, office.caller)
    page = zhao.get("/console/ledger?case_number=2026-7")
    assert "=1+1 &#34;&gt;&lt;script&gt;" in page.text
    assert "共 1 次用印" in page.text
    assert "没有符合条件的用印" in zhao.get("/console/ledger?case_number=2026-8").text
    sent = zhao.send("/console/ledger/exports", zhao.hidden(page))
    assert sent.headers["content-type"] == "application/zip"
    assert sent.headers["content-disposition"].startswith('attachment; filename="ledger-')
    with zipfile.ZipFile(io.BytesIO(sent.content)) as archive:
        assert "2026-7" in archive.read("ledger.csv").decode("utf-8-sig")
    for wrong in ("since=2026-02-30", "until=9999-12-31", "since=0001-01-01", "state=nonsense", "after=nonsense"):
        assert zhao.get(f"/console/ledger?{wrong}").status_code == 400, wrong


def test_a_use_far_back_is_not_said_to_be_none(office: Office, zhao: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in ("久远", "新近", "新近", "新近"):
        asked = SealRequest(document=document(f"far {kind}"), seal=office.seal, document_kind=kind)
        office.clock.advance(timedelta(seconds=1))
        office.service.sealing.seal(asked, office.caller)
    monkeypatch.setattr(reading, "SCAN", 1)
    assert '<td class="first">' in zhao.get("/console/ledger?document_kind=久远").text
    monkeypatch.setattr(ledger_room, "_LOOKS", 1)
    page = zhao.get("/console/ledger?document_kind=久远")
    assert "没有符合条件的用印" not in page.text
    assert "/console/ledger?document_kind=" in page.text
    assert "after=" in page.text


def test_the_ledger_is_closed_to_officers_without_the_right(office: Office, zhao: Desk) -> None:
    sent = zhao.hidden(zhao.get("/console/ledger"))
    office.appoint("zhao", f"seal.manage:{office.seal}")
    page = zhao.get("/console/ledger")
    assert page.status_code == 403
    assert "您没有查看用印台账的权限" in page.text
    assert zhao.send("/console/ledger/exports", sent).status_code == 403


# --- unfinished work and batches -----------------------------------------------------------------------------------


def batch_of(office: Office, count: int) -> str:
    batches = office.service.deferred.batches
    files = [batches.upload(document(f"{count}-{number}"), office.caller).sm3 for number in range(count)]
    items = [ItemWish(content=sm3, request=SealRequest(document=b"", seal=office.seal)) for sm3 in files]
    return batches.create(BatchWish(seal=office.seal, items=items), office.caller).id


def test_a_batch_is_watched_paused_resumed_and_cancelled(office: Office, zhao: Desk) -> None:
    batch = batch_of(office, 2)
    here = f"/console/batches/{batch}"
    assert batch in zhao.get("/console/batches").text
    assert f'content="5; url={here}?watch=1"' in zhao.get(here).text
    assert 'http-equiv="refresh"' not in zhao.get(f"{here}?watch=0").text
    assert "批次已暂停" in zhao.form(here, f"{here}/steps", wish="pause").text
    again_paused = zhao.form(here, f"{here}/steps", wish="pause")
    assert again_paused.status_code == 409
    assert "批次当前状态不能这样操作" in again_paused.text
    assert zhao.form(here, f"{here}/steps", wish="nonsense").status_code == 409
    assert "批次继续进行" in zhao.form(here, f"{here}/steps", wish="resume").text
    assert "批次已取消" in zhao.form(here, f"{here}/steps", wish="cancel").text
    office.appoint("zhao", f"seal.manage:{office.seal}")
    assert batch not in zhao.get("/console/batches").text
    assert zhao.get(here).status_code == 404


def test_unfinished_work_is_taken_up_again(office: Office, zhao: Desk) -> None:
    database, asked = office.service.database, SealRequest(document=document("cut"), seal=office.seal, reason="补盖")
    with failing_inserts(database, "seal_completions"), pytest.raises(sa.exc.SQLAlchemyError):
        office.service.sealing.seal(asked, office.caller)
    with database.begin() as conn:
        conn.execute(sa.update(ATTEMPTS).values(lease_ends=office.clock.now() - timedelta(days=1)))
    page = zhao.get("/console/unsealed")
    assert "补盖" in page.text
    retry = re.search(r'action="(/console/unsealed/[a-z0-9]+/retries)"', page.text)
    assert retry is not None
    assert "签章已补完" in zhao.form("/console/unsealed", retry[1]).text
    assert "没有未完成的签章" in zhao.get("/console/unsealed").text
    # What is sealed already is given again, never sealed twice.
    assert zhao.form("/console", retry[1]).status_code == 200
    office.appoint("zhao", f"seal.manage:{office.seal}")
    assert zhao.form("/console", retry[1]).status_code in {403, 404}


def test_items_that_failed_say_why(office: Office, zhao: Desk) -> None:
    batch = batch_of(office, 1)
    office.service.registry.set_client_active(office.department, active=False)  # type: ignore[arg-type]
    try:
        while office.service.deferred.worker().drain():
            pass
    finally:
        office.service.registry.set_client_active(office.department, active=True)  # type: ignore[arg-type]
    page = zhao.get(f"/console/batches/{batch}").text
    assert "已完成" in page
    assert "没有这项权限" in page
