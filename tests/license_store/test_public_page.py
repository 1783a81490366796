"""The page behind the QR code and its JSON twin: one honest answer, and never a better one than can be proved."""

import io
import re
from datetime import date, timedelta
from html.parser import HTMLParser

import pytest
import zxingcpp
from PIL import Image

from license_store.model import DOCUMENT, PICTURE, License, Validity
from license_store.public import PublicAnswer
from seal.model import Finding, Report, SignatureReport, Verdict
from tests.license_store.town import BASE_URL, CLERK, FACE, HOLDER, Town, another_desk, asked

UNKNOWN = "a" * 26


class Page(HTMLParser):
    """What a page loads, runs and links to."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in {"src", "href", "action"}]


@pytest.fixture
def licence(town: Town) -> License:
    return town.service.issue(asked(), CLERK)


def damage(town: Town, key: str) -> None:
    path = town.stored_file(key)
    path.chmod(0o600)
    octets = bytearray(path.read_bytes())
    octets[len(octets) // 2] ^= 1
    path.write_bytes(octets)


def verdict(town: Town, public_id: str) -> str:
    return str(town.client().get(f"/api/verify/v1/licenses/{public_id}").json()["verdict"])


def test_a_scanned_code_leads_to_the_verdict(town: Town, licence: License) -> None:
    client = town.client()
    picture = client.get(f"/v/{licence.public_id}/picture.png")
    assert picture.headers["content-type"] == "image/png"
    (code,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(picture.content)))
    assert code.text.startswith(BASE_URL.upper() + "/V/")
    answer = client.get(code.text[len(BASE_URL) :])
    assert answer.status_code == 200
    for told in ("证照真实，当前有效", HOLDER.name, HOLDER.code, licence.number, FACE["scope"], "SM2 签名"):
        assert told in answer.text


@pytest.mark.parametrize("path", ["/v/{}", "/V/{}"])
@pytest.mark.parametrize("upper", [False, True])
def test_path_and_id_are_read_in_either_case(town: Town, licence: License, path: str, upper: bool) -> None:
    shown = licence.public_id.upper() if upper else licence.public_id
    assert town.client().get(path.format(shown)).status_code == 200


def test_the_page_is_one_light_answer_without_scripts_or_strangers(town: Town, licence: License) -> None:
    answer = town.client().get(f"/v/{licence.public_id}")
    page = Page(answer.text)
    assert len(answer.content) < 50_000
    assert not {"script", "iframe", "form", "style", "object"} & set(page.tags)
    assert all(address.startswith(("/", "?", "#")) and not address.startswith("//") for address in page.addresses)
    assert "script-src" not in answer.headers["content-security-policy"]
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"
    assert "set-cookie" not in answer.headers


def test_the_page_speaks_english_when_asked(town: Town, licence: License) -> None:
    answer = town.client().get(f"/v/{licence.public_id}", params={"lang": "en"})
    assert "Genuine and in force" in answer.text
    assert '<html lang="en"' in answer.text


def test_a_revoked_licence_is_genuine_but_revoked_and_says_on_what_ground(town: Town, licence: License) -> None:
    town.service.revoke(licence.public_id, legal_basis="示例条例第十二条", reason="内部理由", principal=CLERK)
    answer = town.client().get(f"/v/{licence.public_id}")
    assert "证照已被吊销" in answer.text
    assert "示例条例第十二条" in answer.text
    assert "内部理由" not in answer.text
    assert "证照真实，当前有效" not in answer.text
    told = town.client().get(f"/api/verify/v1/licenses/{licence.public_id}")
    assert told.json()["verdict"] == "GENUINE_REVOKED"
    assert "内部理由" not in told.text


def test_an_expired_licence_is_genuine_but_expired(town: Town) -> None:
    request = asked(validity=Validity(first=date(2019, 3, 1), last=date(2026, 11, 22)))
    licence = town.service.issue(request, CLERK)
    town.clock.advance(timedelta(days=1))
    assert "证照已过有效期" in town.client().get(f"/v/{licence.public_id}").text
    assert verdict(town, licence.public_id) == "GENUINE_EXPIRED"


def test_revoked_outweighs_expired(town: Town) -> None:
    request = asked(validity=Validity(first=date(2019, 3, 1), last=date(2026, 11, 22)))
    licence = town.service.issue(request, CLERK)
    town.service.revoke(licence.public_id, legal_basis="a", reason="b", principal=CLERK)
    town.clock.advance(timedelta(days=1))
    assert verdict(town, licence.public_id) == "GENUINE_REVOKED"


def test_every_unknown_id_gets_the_same_page(town: Town, licence: License) -> None:
    near = licence.public_id[:-1] + ("a" if licence.public_id[-1] != "a" else "b")
    answers = [town.client().get(f"/v/{wanted}") for wanted in (UNKNOWN, near, "x", "1" * 400, "%00", "%F0%9F%98%80")]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
    assert "查无此证照" in answers[0].text


@pytest.mark.parametrize("wanted", [UNKNOWN, "x", "%00"])
def test_an_unknown_id_is_a_problem_with_a_code_for_machines(town: Town, wanted: str) -> None:
    for path in (f"/api/verify/v1/licenses/{wanted}", f"/v/{wanted}/picture.png"):
        answer = town.client().get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_license")


def test_a_damaged_stored_document_is_never_shown_as_genuine(town: Town, licence: License) -> None:
    assert verdict(town, licence.public_id) == "GENUINE_IN_FORCE"
    damage(town, licence.file(DOCUMENT).object_key)
    assert verdict(town, licence.public_id) == "CANNOT_CHECK"
    page = town.client().get(f"/v/{licence.public_id}")
    assert page.status_code == 200
    assert "暂时无法确认" in page.text
    assert "picture.png" not in page.text
    assert 'class="tag green"' not in page.text


def test_a_lost_stored_document_is_never_shown_as_genuine(town: Town, licence: License) -> None:
    town.stored_file(licence.file(DOCUMENT).object_key).unlink()
    assert verdict(town, licence.public_id) == "CANNOT_CHECK"


def test_a_damaged_picture_is_not_given_out(town: Town, licence: License) -> None:
    damage(town, licence.file(PICTURE).object_key)
    answer = town.client().get(f"/v/{licence.public_id}/picture.png")
    assert (answer.status_code, answer.json()["code"]) == (503, "object_corrupt")


@pytest.mark.parametrize("found", [Verdict.INVALID, Verdict.INDETERMINATE, Verdict.UNSIGNED])
def test_only_a_valid_seal_makes_a_licence_genuine(town: Town, licence: License, found: Verdict) -> None:
    finding = Finding(code="SIGNATURE_INVALID", verdict=found)
    one = SignatureReport(format="pdf", signer=None, seal=None, time=None, time_source=None, findings=(finding,))
    report = Report(signatures=() if found is Verdict.UNSIGNED else (one,))
    desk = another_desk(town, lambda _: report)
    assert desk.view(licence.public_id).answer is PublicAnswer.CANNOT_CHECK


def test_a_judgement_is_kept_for_a_minute_and_then_made_anew(town: Town, licence: License) -> None:
    judged: list[int] = []
    good = town.desk.view(licence.public_id).report
    assert good is not None

    def judge(document: bytes) -> Report:
        judged.append(len(document))
        return good

    desk = another_desk(town, judge)
    for _ in range(3):
        assert desk.view(licence.public_id).answer is PublicAnswer.GENUINE_IN_FORCE
    assert len(judged) == 1
    town.clock.advance(timedelta(minutes=1))
    desk.view(licence.public_id)
    assert len(judged) == 2


def test_the_json_answer_names_what_it_rests_on(town: Town, licence: License) -> None:
    answer = town.client().get(f"/api/verify/v1/licenses/{licence.public_id}").json()
    assert answer["verdict"] == "GENUINE_IN_FORCE"
    assert answer["identifier"] == licence.identifier
    assert answer["document_sm3"] == licence.file(DOCUMENT).object_key
    assert [row["verdict"] for row in answer["signatures"]] == ["valid"]
    assert answer["checked_at"] == "2026-11-22T08:00:00Z"


def test_the_page_can_be_printed(town: Town, licence: License) -> None:
    html = town.client().get(f"/v/{licence.public_id}").text
    sheet = next(address for address in Page(html).addresses if "xinyin.css" in address)
    assert "@media print" in town.client().get(sheet).text
    assert re.search(r'<img[^>]+alt="[^"]+"', html)


@pytest.mark.parametrize("host", ["evil.example", "[", "a@b", "x:99999"])
def test_the_page_names_its_own_address_whatever_host_a_request_claims(town: Town, licence: License, host: str) -> None:
    answer = town.client().get(f"/v/{licence.public_id}", headers={"host": host})
    assert answer.status_code == 200
    assert f'<strong class="mono">{BASE_URL.removeprefix("http://")}</strong>' in answer.text
    assert host == "[" or host not in answer.text
