"""The SDK as it is installed: a wheel of its own, typed, that needs nothing of the service."""

import ast
import tomllib
import zipfile
from pathlib import Path

import pytest

SDK = Path(__file__).resolve().parents[2] / "sdk"
FLOORS = {"crypto", "kernel", "seal", "license_store", "idp", "admin"}


def test_the_wheel_is_typed_and_holds_every_module(tmp_path: Path) -> None:
    wheel = pytest.importorskip("hatchling.builders.wheel", reason="hatchling is not installed")
    (built,) = wheel.WheelBuilder(str(SDK)).build(directory=str(tmp_path), versions=["standard"])
    names = set(zipfile.ZipFile(built).namelist())
    wanted = {
        str(path.relative_to(SDK)) for path in (SDK / "xinyin_sdk").rglob("*") if path.suffix in {".py", ".typed"}
    }
    assert wanted == {name for name in names if name.startswith("xinyin_sdk/")}
    assert "xinyin_sdk/py.typed" in wanted


def test_it_imports_what_it_declares_and_nothing_of_the_service() -> None:
    modules = [ast.parse(path.read_text("utf-8")) for path in (SDK / "xinyin_sdk").rglob("*.py")]
    imported = set()
    for node in (node for module in modules for node in ast.walk(module)):
        if isinstance(node, ast.Import):
            imported |= {name.name.partition(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add((node.module or "").partition(".")[0])
    assert imported & FLOORS == set()
    declared = tomllib.loads((SDK / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    foreign = {name for name in imported if name in {"httpx2", "joserfc", "cryptography", "httpx", "authlib", "anyio"}}
    assert foreign == {one.partition(">")[0] for one in declared}
