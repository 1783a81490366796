"""examples/department/outbox.py: a folder of documents is sealed, and once however often it is run."""

import runpy
from pathlib import Path

import pytest

from tests.reliability.sealing import document
from tests.sdk.conftest import Running
from xinyin_sdk import Xinyin

OUTBOX = Path(__file__).resolve().parents[2] / "examples/department/outbox.py"


def test_a_folder_is_sealed_and_run_again_nothing_is_sealed_twice(
    office: Xinyin, running: Running, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outgoing, sealed = tmp_path / "outgoing", tmp_path / "sealed"
    outgoing.mkdir()
    for name in ("决定书一", "决定书二"):
        (outgoing / f"{name}.ofd").write_bytes(document(name))
    (outgoing / "broken.pdf").write_bytes(b"%PDF- it is none")
    (outgoing / "notes.txt").write_bytes(b"not to be sealed")
    seal_folder = runpy.run_path(str(OUTBOX))["seal_folder"]
    assert seal_folder(office, outgoing, sealed, seal=running.seal, key="night-1") == 1
    assert "broken.pdf" in capsys.readouterr().err
    first = {path.name: path.read_bytes() for path in sealed.iterdir()}
    assert set(first) == {"决定书一.ofd", "决定书二.ofd"}
    assert seal_folder(office, outgoing, sealed, seal=running.seal, key="night-1") == 1
    assert {path.name: path.read_bytes() for path in sealed.iterdir()} == first
