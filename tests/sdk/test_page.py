"""docs/sdk.md: every block is run as a reader would, one after another, and prints what the page says."""

import re
import shutil
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

import xinyin_sdk
from seal.webhooks.signing import signed_headers
from tests.reliability.sealing import document
from tests.sdk.conftest import SAMPLES, Running, decided, unsealed

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/sdk.md").read_text("utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```\n(?:\n^```text\n(.*?)^```\n)?", PAGE, re.MULTILINE | re.DOTALL)
_CHANGES = (
    (r"http://127\.0\.0\.1:\d+", "ADDRESS"),
    (r"'(office|demo-department)'", "CLIENT"),
    (r"\b[a-z2-7]{26}\b", "ID"),
    (r"datetime\.datetime\([^)]*\)", "TIME"),
)
"""What is another each time."""


def same(printed: str) -> str:
    for pattern, word in _CHANGES:
        printed = re.sub(pattern, word, printed)
    return printed


@pytest.fixture
def folder(running: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with what the page speaks of, to stand in."""
    for name in ("approval.pdf", "approval.ofd"):
        shutil.copy(SAMPLES / name, tmp_path)
    shutil.copy(ROOT / "examples/licence/business-licence.json", tmp_path)
    (tmp_path / "outgoing").mkdir()
    for number in (1, 2):
        (tmp_path / f"outgoing/case-{number}.ofd").write_bytes(document(f"case {number}"))
    (tmp_path / "outgoing/case-3.pdf").write_bytes(b"%PDF- it is none")
    with running.client() as client:
        sealed = bytearray(client.seals.seal(tmp_path / "approval.pdf", seal=running.seal).document())
    sealed[sealed.index(b"stream") + 40] ^= 1
    (tmp_path / "forged.pdf").write_bytes(sealed)
    unsealed(running, document("YJ20261112-0319"), case_number="YJ20261112-0319")
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "SERVICE": running.url,
        "CLIENT_ID": "office",
        "CLIENT_SECRET": running.secrets["office"],
        "SEAL": running.seal,
    }.items():
        monkeypatch.setenv(f"XINYIN_{name}", value)
    return tmp_path


def test_every_block_of_the_page_does_what_the_page_says(folder: Path, running: Running) -> None:
    reader: dict[str, Any] = {"__name__": "page"}
    for number, (code, printed) in enumerate(BLOCKS, start=1):
        out = StringIO()
        reader["print"] = partial(print, file=out)  # the service writes its log to the same standard output
        if "asked" in reader and reader["asked"].is_waiting:
            decided(running, reader["asked"].id)  # as somebody does between two blocks of the page
        exec(compile(code, f"docs/sdk.md block {number}", "exec"), reader)  # noqa: S102 - the page's own code
        assert same(out.getvalue()) == same(printed), f"block {number}:\n{code}"
    assert len(BLOCKS) > 12
    written = {path.name for path in folder.iterdir()}
    assert written >= {"approval-sealed.pdf", "results.zip", "report.html", "licence.pdf", "ledger.zip"}
    _messages_are_told_apart(reader)
    reader["xinyin"].webhooks.end(reader["endpoint"].id)
    reader["xinyin"].close()


def _messages_are_told_apart(reader: dict[str, Any]) -> None:
    """Call the page's receiver as a web framework would."""
    body = b'{"type":"batch.completed","timestamp":"2026-11-22T08:00:00Z","data":{"state":"completed"}}'
    headers = signed_headers([reader["endpoint"].secret], "evt_1", reader["datetime"].now(reader["UTC"]), body)
    out = StringIO()
    reader["print"] = partial(print, file=out)
    assert reader["heard"](headers, body) == 204
    assert reader["heard"](headers, body + b" ") == 400
    assert out.getvalue() == "batch.completed completed\n"


def test_the_page_names_every_class_of_refusals() -> None:
    kinds = {name for name, kind in vars(xinyin_sdk).items() if isinstance(kind, type) and issubclass(kind, Exception)}
    assert kinds - {"XinyinError", "WebhookRefused", "Refused"} <= set(re.findall(r"`(\w+)`", PAGE))
