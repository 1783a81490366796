"""`xinyin preview`: a picture of a page, what is to be known about it, and nothing written over."""

from pathlib import Path

import pytest

from tests.admin.conftest import Xinyin

SAMPLE = Path(__file__).resolve().parents[2] / "examples" / "samples" / "approval.ofd"


def test_a_page_is_drawn_into_a_file_named_after_it(xinyin: Xinyin) -> None:
    done = xinyin("preview", SAMPLE, "--dpi", 30)
    assert done.code == 0
    assert Path("approval-p1.png").read_bytes().startswith(b"\x89PNG")
    assert "page 1 of 1, 210 x 297 mm, 30 dpi" in done.out
    assert "仿宋: not embedded" in done.out


def test_the_form_is_that_of_the_name(xinyin: Xinyin) -> None:
    assert xinyin("preview", SAMPLE, "--page", -1, "--out", "last.svg").code == 0
    assert Path("last.svg").read_text("utf-8").startswith("<svg")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--page", "2"), "[page_unknown]"),
        (("--out", "a.gif"), ".png or .svg"),
        (("--out", "there.png"), "exists already"),
        (("--dpi", "5000"), "600"),
    ],
)
def test_what_cannot_be_done_is_said_and_nothing_is_written(
    xinyin: Xinyin, arguments: tuple[str, ...], said: str
) -> None:
    Path("there.png").write_bytes(b"before")
    done = xinyin("preview", SAMPLE, *arguments)
    assert done.code == 64
    assert said in done.err
    assert [path.name for path in Path().iterdir()] == ["there.png"]
    assert Path("there.png").read_bytes() == b"before"


def test_a_page_of_a_pdf_is_drawn_too_but_not_as_outlines(xinyin: Xinyin) -> None:
    done = xinyin("preview", SAMPLE.with_suffix(".pdf"), "--dpi", 30)
    assert Path("approval-p1.png").read_bytes().startswith(b"\x89PNG")
    assert "page 1 of 1, 210 x 297 mm, 30 dpi" in done.out
    assert "[document_unsupported]" in xinyin("preview", SAMPLE.with_suffix(".pdf"), "--out", "a.svg").err


def test_a_file_that_is_no_ofd_is_refused(xinyin: Xinyin) -> None:
    Path("a.ofd").write_bytes(b"no document")
    assert "[document_unsupported]" in xinyin("preview", "a.ofd").err


def test_a_default_name_that_is_taken_is_not_written_over(xinyin: Xinyin) -> None:
    Path("approval-p1.png").write_bytes(b"before")
    done = xinyin("preview", SAMPLE, "--dpi", 30)
    assert done.code == 64
    assert Path("approval-p1.png").read_bytes() == b"before"
