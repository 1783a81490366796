"""`xinyin verify`: exit codes and answers that scripts rely on, on our files and on other people's."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from admin.build import operator, services
from seal.model import SealId
from seal.request import SealRequest
from tests.admin.conftest import Done, Town, Xinyin

SAMPLES = Path(__file__).resolve().parents[2] / "examples" / "samples"


@pytest.fixture(scope="session")
def sealed(pattern: Town, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The samples sealed, forged and bare, by verdict."""
    folder = tmp_path_factory.mktemp("sealed")
    files = {"unsigned": SAMPLES / "approval.ofd"}
    with services(pattern.settings) as service:
        for suffix in ("pdf", "ofd"):
            request = SealRequest(
                document=(SAMPLES / f"approval.{suffix}").read_bytes(),
                seal=SealId(pattern.world.seal),
                reason="准予许可",
                case_number=None,
            )
            files[suffix] = folder / f"valid.{suffix}"
            files[suffix].write_bytes(service.sealing.seal(request, operator("seal.use:*")).document)
    forged = bytearray(files["pdf"].read_bytes())
    forged[forged.index(b"stream") + 40] ^= 1
    files["forged"] = folder / "forged.pdf"
    files["forged"].write_bytes(forged)
    files["rubbish"] = folder / "rubbish.pdf"
    files["rubbish"].write_bytes(b"neither one nor the other")
    return files


def answers(done: Done) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.out.splitlines()]


@pytest.mark.parametrize(
    ("names", "code"),
    [
        (["pdf"], 0),
        (["ofd"], 0),
        (["pdf", "ofd"], 0),
        (["forged"], 1),
        (["unsigned"], 3),
        (["rubbish"], 64),
        (["pdf", "forged", "unsigned"], 1),
        (["pdf", "unsigned"], 3),
        (["pdf", "rubbish"], 64),
    ],
)
def test_the_exit_code_is_that_of_the_worst_file(
    xinyin: Xinyin, pattern: Town, sealed: dict[str, Path], names: list[str], code: int
) -> None:
    done = xinyin("verify", *(sealed[name] for name in names), **pattern.given)
    assert done.code == code, done.out + done.err
    assert all(str(sealed[name]) in done.out + done.err for name in names)


def test_whose_seals_nobody_vouches_for_cannot_be_decided(
    xinyin: Xinyin, sealed: dict[str, Path], tmp_path: Path
) -> None:
    (tmp_path / "none").mkdir()
    done = xinyin("verify", sealed["pdf"], sealed["ofd"], "--anchors", tmp_path / "none")
    assert done.code == 2
    assert "SIGNER_CERT_UNTRUSTED" in done.out


def test_anyone_may_verify_with_anchors_alone(xinyin: Xinyin, pattern: Town, sealed: dict[str, Path]) -> None:
    done = xinyin("verify", sealed["pdf"], sealed["ofd"], "--anchors", pattern.home / "trust")
    assert done.code == 0, done.out
    assert not Path("xinyin-data").exists()


def test_the_answer_for_machines_has_the_shape_that_was_promised(
    xinyin: Xinyin, pattern: Town, sealed: dict[str, Path]
) -> None:
    done = xinyin(
        "verify", "--json", sealed["pdf"], sealed["ofd"], sealed["forged"], sealed["unsigned"], **pattern.given
    )
    assert done.code == 1
    pdf, ofd, forged, unsigned = answers(done)
    assert [one["verdict"] for one in (pdf, ofd, forged, unsigned)] == ["valid", "valid", "invalid", "unsigned"]
    assert unsigned["signatures"] == []
    for answer in (pdf, ofd, forged):
        assert {"file", "verdict", "signatures"} <= set(answer)
        (signature,) = answer["signatures"]
        assert {"format", "verdict", "signer", "seal", "time", "findings"} <= set(signature)
        assert signature["verdict"] == answer["verdict"]
        assert datetime.fromisoformat(signature["time"]).tzinfo
        assert pattern.world.seal in signature["signer"]
        for finding in signature["findings"]:
            assert finding["verdict"] in {"valid", "invalid", "indeterminate"}
            assert finding["code"] == finding["code"].upper()
    assert ofd["signatures"][0]["format"] == "ofd-ses-v4"
    assert ofd["signatures"][0]["seal"]["id"] == pattern.world.seal
    assert pdf["signatures"][0]["format"] == "pdf-pades-sm2"
    assert "DATA_HASH_MISMATCH" in {finding["code"] for finding in forged["signatures"][0]["findings"]}


def test_a_file_is_judged_as_of_any_time(xinyin: Xinyin, pattern: Town, sealed: dict[str, Path]) -> None:
    before = xinyin("verify", sealed["ofd"], "--json", "--at", "2020-01-01T00:00:00Z", **pattern.given)
    assert before.code == 1
    assert "SIGN_TIME_OUTSIDE_CERT" in before.out
    # A time without a zone is one of UTC; an offset is heeded.
    (given,) = answers(xinyin("verify", sealed["ofd"], "--json", **pattern.given))
    then = given["signatures"][0]["time"]
    assert xinyin("verify", sealed["ofd"], "--at", then, **pattern.given).code == 0
    assert xinyin("verify", sealed["ofd"], "--at", then.removesuffix("+00:00"), **pattern.given).code == 0


def test_a_report_is_written_beside_the_answer(
    xinyin: Xinyin, pattern: Town, sealed: dict[str, Path], tmp_path: Path
) -> None:
    page, told = tmp_path / "forged.html", tmp_path / "sealed.json"
    assert xinyin("verify", sealed["forged"], "--report", page, "--language", "en", **pattern.given).code == 1
    written = page.read_text("utf-8")
    assert written.startswith("<!doctype html>")
    assert "DATA_HASH_MISMATCH" in written
    assert sealed["forged"].name in written
    done = xinyin("verify", sealed["ofd"], "--json", "--report", told, **pattern.given)
    assert (done.code, json.loads(done.out)["verdict"]) == (0, "valid")
    (signature,) = json.loads(told.read_text("utf-8"))["ValidationReport"]["SignatureValidationReport"]
    assert signature["SignatureValidationStatus"]["MainIndication"].endswith("total-passed")
    again = xinyin("verify", sealed["ofd"], "--report", told, **pattern.given)
    assert (again.code, again.out) == (64, "")
    assert "exists already" in again.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--report", "report.pdf"], "ends in .html or .json"),
        (["--report", "nowhere/report.html"], "nowhere is not a folder"),
        (["--language", "fr"], "--language takes zh or en"),
        (["--at", "yesterday"], "--at takes a time"),
        (["--anchors", "nowhere"], "nowhere is not a folder"),
        (["absent.pdf"], "absent.pdf: No such file"),
        (["."], "Is a directory"),
    ],
)
def test_what_cannot_be_asked_is_64_and_one_sentence(
    xinyin: Xinyin, sealed: dict[str, Path], arguments: list[str], said: str
) -> None:
    file = [] if arguments[0][0] != "-" else [sealed["pdf"]]
    done = xinyin("verify", *file, *arguments)
    assert done.code == 64
    assert said in done.err
    assert done.err.count("\n") == 1
    assert done.out == ""


def test_a_folder_of_anchors_with_rubbish_in_it_is_refused_by_name(
    xinyin: Xinyin, sealed: dict[str, Path], tmp_path: Path
) -> None:
    (tmp_path / "anchors").mkdir()
    (tmp_path / "anchors" / "root.pem").write_text("no certificate")
    done = xinyin("verify", sealed["pdf"], "--anchors", tmp_path / "anchors")
    assert done.code == 64
    assert "root.pem" in done.err


@pytest.mark.parametrize("anchors", [None, "certs"])
def test_real_ofd_files_get_the_verdicts_they_deserve(xinyin: Xinyin, corpus: Path, anchors: str | None) -> None:
    rows = json.loads((corpus / "ofd" / "verdicts.json").read_text("utf-8"))["files"]
    chosen = {str(corpus / "ofd" / name): row for name, row in rows.items() if row["anchors"] == anchors}
    assert chosen
    options = ["--anchors", corpus / "ofd" / anchors] if anchors else []
    done = xinyin("verify", "--json", *chosen, *options)
    assert done.code == 1  # among each lot is an invalid one
    judged = {answer["file"]: answer for answer in answers(done)}
    assert {file: answer["verdict"] for file, answer in judged.items()} == {
        file: row["verdict"] for file, row in chosen.items()
    }
    for file, row in chosen.items():
        if "signatures" in row:
            assert [one["verdict"] for one in judged[file]["signatures"]] == row["signatures"]


def test_real_pdf_files_get_the_verdicts_they_deserve(xinyin: Xinyin, corpus: Path) -> None:
    expected = json.loads((corpus / "pdf" / "expected.json").read_text("utf-8"))
    allowed = {
        "accept": {"indeterminate"},  # intact, but nobody here knows the issuer
        "reject": {"invalid"},
        "cannot_tell": {"indeterminate", "invalid"},
        "unsigned": {"unsigned", "invalid"},
        "error_safe": {"indeterminate", "invalid", "unsigned"},
    }
    sure = sorted(name for name, row in expected.items() if row["certainty"] == "sure")[:16]
    assert len(sure) >= 10
    done = xinyin("verify", "--json", *(corpus / "pdf" / name for name in sure))
    for answer in answers(done):
        assert answer["verdict"] in allowed[expected[Path(answer["file"]).name]["expect"]], answer
    assert len(answers(done)) == len(sure)
