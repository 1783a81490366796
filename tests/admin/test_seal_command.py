"""`xinyin seal`: documents that nobody here made get our seal, and keep what they had."""

import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from crypto.suites import SM2_SM3
from crypto.vaults.soft import KdfCost, SoftVault
from kernel.clock import SystemClock
from kernel.db import METADATA
from tests.admin.conftest import Town, Xinyin
from tests.crypto.authority import Authority as Issuer
from tests.sims.tsa import Mood, TsaSimulator

SAMPLES = Path(__file__).resolve().parents[2] / "examples" / "samples"
SIGNED = ("dss__pades-bes.pdf", "dss__hello_signed_INCSAVE_signed.pdf", "dss__dss-2554_certified-changes-permitted.pdf")


def judged(xinyin: Xinyin, town: Town, *files: Path) -> list[dict[str, Any]]:
    done = xinyin("verify", "--json", *files, **town.given)
    return [json.loads(line) for line in done.out.splitlines()]


def rows(town: Town) -> dict[str, int]:
    engine = sa.create_engine(town.settings.database)
    with engine.connect() as conn:
        counted = {
            name: conn.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
            for name, table in METADATA.tables.items()
        }
    engine.dispose()
    return counted


@pytest.mark.parametrize("name", ["helloworld", "VPage7", "chineseDir"])
def test_ofd_files_never_seen_before_are_sealed(
    xinyin: Xinyin, pattern: Town, corpus: Path, tmp_path: Path, name: str
) -> None:
    source, out = corpus / "ofd" / "ofd" / f"{name}.ofd", tmp_path / "sealed.ofd"
    before = source.read_bytes()
    done = xinyin("seal", source, "--seal", pattern.world.seal, "--out", out, "--reason", "准予许可", **pattern.given)
    assert done.code == 0, done.err
    assert source.read_bytes() == before
    (answer,) = judged(xinyin, pattern, out)
    assert answer["verdict"] == "valid"
    assert [one["seal"]["id"] for one in answer["signatures"]] == [pattern.world.seal]


@pytest.mark.parametrize("name", SIGNED)
def test_a_second_signature_does_not_break_the_first(
    xinyin: Xinyin, pattern: Town, corpus: Path, tmp_path: Path, name: str
) -> None:
    source, out = corpus / "pdf" / name, tmp_path / "sealed.pdf"
    done = xinyin("seal", source, "--seal", pattern.world.seal, "--out", out, **pattern.given)
    assert done.code == 0, done.err
    before, after = judged(xinyin, pattern, source, out)
    *earlier, ours = after["signatures"]
    assert earlier == before["signatures"]
    assert earlier
    assert ours["verdict"] == "valid"
    assert pattern.world.seal in ours["signer"]
    # What was there is there still, to the last octet.
    assert out.read_bytes().startswith(source.read_bytes())


@pytest.mark.parametrize(
    ("sample", "seal_format", "place"),
    [
        ("approval.pdf", "pdf-pades-sm2", "1,132,176"),
        ("approval.pdf", "pdf-pades-p256", "keyword:决定;pick=-1"),
        ("approval.pdf", "pdf-ses-v4", "1,132,176"),
        ("approval.pdf", "pdf-gm-cms", "1,132,176"),
        ("approval.ofd", "ofd-ses-v4", "1,132,176"),
    ],
)
def test_every_format_can_be_asked_for(
    xinyin: Xinyin, pattern: Town, tmp_path: Path, sample: str, seal_format: str, place: str
) -> None:
    out = tmp_path / f"sealed-{sample}"
    options = ["--format", seal_format, "--place", place, "--case", "YJ-1", "--kind", "decision"]
    done = xinyin("seal", SAMPLES / sample, "--seal", pattern.world.seal, "--out", out, *options, **pattern.given)
    assert done.code == 0, done.err
    assert seal_format in done.out
    (answer,) = judged(xinyin, pattern, out)
    assert [(one["format"], one["verdict"]) for one in answer["signatures"]] == [(seal_format, "valid")]


def test_a_second_signature_goes_with_an_e_seal_and_closes_the_document(
    xinyin: Xinyin, pattern: Town, tmp_path: Path
) -> None:
    out = tmp_path / "sealed.pdf"
    options = ["--format", "pdf-ses-v4", "--also", "pdf-pades-p256", "--close"]
    command = ("seal", "--seal", pattern.world.seal, "--out")
    done = xinyin(*command, out, SAMPLES / "approval.pdf", *options, **pattern.given)
    assert done.code == 0, done.err
    (answer,) = judged(xinyin, pattern, out)
    assert [(one["format"], one["verdict"]) for one in answer["signatures"]] == [
        ("pdf-ses-v4", "valid"),
        ("pdf-pades-p256", "valid"),
    ]
    assert answer["signatures"][0]["seal"]["id"] == pattern.world.seal
    done = xinyin(*command, tmp_path / "more.pdf", out, **pattern.given)
    assert "[further_sealing_forbidden" in done.err


def test_an_ofd_is_sealed_signed_and_listed_in_this_order(xinyin: Xinyin, pattern: Town, tmp_path: Path) -> None:
    source = SAMPLES / "approval.ofd"
    for number, name in enumerate(("ofd-ses-v4", "ofd-gbt35275", "ofd-gmt0099")):
        out = tmp_path / f"{number}.ofd"
        done = xinyin("seal", source, "--seal", pattern.world.seal, "--out", out, "--format", name, **pattern.given)
        assert done.code == 0, done.err
        source = out
    (answer,) = judged(xinyin, pattern, source)
    assert answer["verdict"] == "valid"
    assert [one["format"] for one in answer["signatures"]] == ["ofd-ses-v4", "ofd-gbt35275", "ofd-gmt0099"]
    done = xinyin("seal", source, "--seal", pattern.world.seal, "--out", tmp_path / "more.ofd", **pattern.given)
    assert done.code == 64
    assert "[document_unsupported" in done.err


def test_authorities_of_the_settings_stamp_the_time_or_the_stamp_follows(
    xinyin: Xinyin, town: Town, tmp_path: Path
) -> None:
    cost = KdfCost(passes=1, memory_kib=64, lanes=1)
    issuer = Issuer(SoftVault.create(tmp_path / "tsa", "correct horse", cost=cost), SM2_SM3)
    (town.home / "trust" / "tsa-root.pem").write_text(issuer.root.certificate.pem())
    command = ("seal", SAMPLES / "approval.ofd", "--seal", town.world.seal, "--out")
    with TsaSimulator(issuer, SystemClock().now) as silent, TsaSimulator(issuer, SystemClock().now) as running:
        silent.mood = Mood.CLOSES
        given = {**town.given, "tsa": f"{silent.url}, {running.url}"}
        done = xinyin(*command, tmp_path / "stamped.ofd", **given)
        assert done.code == 0, done.err
        running.mood = Mood.GARBAGE
        done = xinyin(*command, tmp_path / "later.ofd", **given)
        assert done.code == 0
        assert "the stamp follows" in done.out
        assert running.url not in done.out + done.err
    for name, source in (("stamped.ofd", "timestamp"), ("later.ofd", "claimed")):
        (answer,) = judged(xinyin, town, tmp_path / name)
        assert answer["verdict"] == "valid"
        assert [one["time_source"] for one in answer["signatures"]] == [source]


def test_a_file_that_is_there_is_never_written_over(xinyin: Xinyin, town: Town, tmp_path: Path) -> None:
    out = tmp_path / "sealed.pdf"
    out.write_bytes(b"precious")
    before = rows(town)
    done = xinyin("seal", SAMPLES / "approval.pdf", "--seal", town.world.seal, "--out", out, **town.given)
    assert done.code == 64
    assert "exists already" in done.err
    assert out.read_bytes() == b"precious"
    assert rows(town) == before


@pytest.fixture
def documents(tmp_path: Path) -> dict[str, Path]:
    """Documents that must not be sealed."""
    sample = (SAMPLES / "approval.pdf").read_bytes()
    texts = {"text": b"no document", "cut.pdf": sample[: len(sample) // 2], "cut.ofd": _half(SAMPLES / "approval.ofd")}
    for name, content in texts.items():
        (tmp_path / name).write_bytes(content)
    return {name: tmp_path / name for name in texts} | {
        "good": SAMPLES / "approval.pdf",
        "ofd": SAMPLES / "approval.ofd",
        "absent": tmp_path / "absent.pdf",
    }


def _half(file: Path) -> bytes:
    content = file.read_bytes()
    return content[: len(content) // 2]


@pytest.mark.parametrize(
    ("document", "changed", "code"),
    [
        ("text", {}, "document_unsupported"),
        ("cut.pdf", {}, "document_"),
        ("cut.ofd", {}, "document_"),
        ("absent", {}, "file"),
        ("good", {"--seal": "99010000000009"}, "seal_unknown"),
        ("good", {"--format": "ofd-ses-v4"}, "document_unsupported"),
        ("good", {"--format": "ofd-gbt35275"}, "document_unsupported"),
        ("ofd", {"--format": "ofd-gmt0099", "--place": "1,20,20"}, "placement_refused"),
        ("good", {"--format": "nonsense"}, ""),
        ("good", {"--place": "1,2"}, "usage"),
        ("good", {"--place": "9,20,20"}, "placement_refused"),
        ("ofd", {"--place": "1,200,290"}, "placement_refused"),
        ("good", {"--out": "nowhere/sealed.pdf"}, "usage"),
    ],
)
def test_what_cannot_be_sealed_is_refused_in_one_sentence_and_leaves_no_trace(
    xinyin: Xinyin, town: Town, documents: dict[str, Path], document: str, changed: dict[str, str], code: str
) -> None:
    before, objects = rows(town), sorted((town.home / "objects").rglob("*"))
    given = {"--seal": town.world.seal, "--out": "sealed.out", **changed}
    done = xinyin("seal", documents[document], *(part for item in given.items() for part in item), **town.given)
    assert done.code == 64
    assert f"[{code}" in done.err
    assert done.err.count("\n") == 1
    assert not Path("sealed.out").exists()
    assert rows(town) == before
    assert sorted((town.home / "objects").rglob("*")) == objects


def test_a_forged_document_gets_no_seal_of_ours(xinyin: Xinyin, town: Town, tmp_path: Path) -> None:
    first, forged = tmp_path / "first.pdf", tmp_path / "forged.pdf"
    seal = ["--seal", town.world.seal]
    assert xinyin("seal", SAMPLES / "approval.pdf", *seal, "--out", first, **town.given).code == 0
    content = bytearray(first.read_bytes())
    content[content.index(b"stream") + 40] ^= 1
    forged.write_bytes(content)
    before = rows(town)
    done = xinyin("seal", forged, *seal, "--out", tmp_path / "second.pdf", **town.given)
    assert done.code == 64
    assert "[document_signature_invalid]" in done.err
    assert rows(town) == before
