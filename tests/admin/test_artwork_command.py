"""`xinyin artwork`: seal pictures on the command line."""

from pathlib import Path

import pytest
from lxml import etree
from PIL import Image

from seal.artwork import KINDS
from tests.admin.conftest import Xinyin

NAME = "深圳某某科技有限公司"


def test_a_seal_is_drawn_as_a_png_of_the_wished_resolution(xinyin: Xinyin, tmp_path: Path) -> None:
    out = tmp_path / "seal.png"
    done = xinyin("artwork", "draw", "--kind", "company", "--name", NAME, "--out", out, "--dpi", "600")
    assert done.code == 0, done.err
    assert "40 x 40 mm" in done.out
    with Image.open(out) as image:
        assert image.size == (945, 945)
        assert image.info["dpi"] == pytest.approx((600, 600), abs=0.02)


def test_a_seal_is_drawn_as_an_svg_with_all_its_words(xinyin: Xinyin, tmp_path: Path) -> None:
    out = tmp_path / "seal.svg"
    words = ("--line", "业务专用章", "--number", "(2)", "--code", "4403000000001", "--centre", "none", "--width", "38")
    done = xinyin("artwork", "draw", "--kind", "special", "--name", NAME, "--out", out, *words, "--colour", "#000000")
    assert done.code == 0, done.err
    root = etree.fromstring(out.read_bytes())
    assert (root.get("width"), root.get("fill")) == ("38mm", "#000000")
    parts = [path.get("class") for path in root if path.get("class")]
    assert {part: parts.count(part) for part in parts} == {"ring": 1, "name": 10, "line": 5, "number": 3, "code": 13}


def test_a_file_that_exists_is_never_written_over(xinyin: Xinyin, tmp_path: Path) -> None:
    out = tmp_path / "seal.png"
    out.write_bytes(b"kept")
    done = xinyin("artwork", "draw", "--kind", "company", "--name", NAME, "--out", out)
    assert done.code == 64
    assert out.read_bytes() == b"kept"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--kind", "personal", "--name", "王😀"), "😀 (U+1F600)"),
        (("--kind", "triangle", "--name", NAME), "joint-stock"),
        (("--kind", "company", "--name", NAME, "--dpi", "72"), "300 to 600"),
        (("--kind", "company", "--name", "甲"), "4 to 30 characters"),
    ],
)
def test_what_cannot_be_drawn_is_refused_and_nothing_written(
    xinyin: Xinyin, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    done = xinyin("artwork", "draw", *arguments, "--out", tmp_path / "seal.png")
    assert done.code == 64
    assert said in done.err
    assert "[artwork_refused]" in done.err
    assert not (tmp_path / "seal.png").exists()


def test_a_file_of_another_kind_is_a_wrong_usage(xinyin: Xinyin, tmp_path: Path) -> None:
    done = xinyin("artwork", "draw", "--kind", "company", "--name", NAME, "--out", tmp_path / "seal.jpg")
    assert (done.code, done.err.rpartition("[")[2].strip()) == (64, "usage]")


def test_every_kind_is_listed_with_its_size(xinyin: Xinyin) -> None:
    done = xinyin("artwork", "kinds")
    assert done.code == 0
    listed = {line.split()[0]: line for line in done.out.splitlines()[1:]}
    assert set(listed) == set(KINDS)
    assert " 40 (38-45) " in listed["company"]
    assert " 40x30 " in listed["invoice"]
