"""The package: one wheel that works by itself, names that nobody else takes, floors that hold."""

import os
import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import distributions, packages_distributions
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FLOORS = ("crypto", "kernel", "seal", "license_store", "idp", "admin")
BARE = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "XINYIN_", "COV_"))}


def test_no_other_distribution_provides_a_package_of_our_names() -> None:
    providers = packages_distributions()
    foreign = {floor: set(providers.get(floor, ())) - {"xinyin"} for floor in FLOORS}
    assert foreign == {floor: set() for floor in FLOORS}


def test_the_distributions_that_would_take_our_names_are_not_installed() -> None:
    # pycryptodome and pycrypto provide "Crypto", which is "crypto" where file names have no case.
    names = {str(one.metadata["Name"]).lower() for one in distributions()}
    assert not names & {"pycryptodome", "pycrypto", "crypto", "kernel", "seal", "idp", "admin"}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what is packed."""
    folder = tmp_path_factory.mktemp("tree")
    for floor in FLOORS:
        shutil.copytree(ROOT / floor, folder / floor, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "LICENSE", "README.md"):
        if (ROOT / name).exists():
            shutil.copyfile(ROOT / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def installed(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this tree, unpacked as an installer would."""
    if find_spec("hatchling") is None:
        pytest.skip("hatchling is not installed")
    out, target = tmp_path_factory.mktemp("dist"), tmp_path_factory.mktemp("installed")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(out)]
    done = subprocess.run(build, cwd=tree, env=BARE, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    (wheel,) = out.glob("xinyin-*.whl")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(target)
    return target


def test_the_wheel_holds_the_six_floors_and_nothing_else(installed: Path) -> None:
    found = {path.name for path in installed.iterdir() if not path.name.endswith(".dist-info")}
    assert found == set(FLOORS)


def test_the_wheel_holds_every_file_of_the_tree(installed: Path, tree: Path) -> None:
    def files(folder: Path) -> set[str]:
        paths = (path for floor in FLOORS for path in (folder / floor).rglob("*"))
        return {str(path.relative_to(folder)) for path in paths if path.is_file() and "__pycache__" not in path.parts}

    assert files(installed) == files(tree)


def test_what_is_installed_from_the_wheel_works(installed: Path, tmp_path: Path) -> None:
    environment = {
        **BARE,
        "PYTHONPATH": str(installed),
        "XINYIN_HOME": str(tmp_path / "home"),
        "XINYIN_VAULT_PASSPHRASE": "correct horse",
    }

    def run(*arguments: str) -> str:
        command = [sys.executable, "-P", "-m", "admin", *arguments]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    assert "xinyin" in run("--help")
    # Migrations, templates and fonts are in it, too.
    run("migrate")
    assert " entries, head" in run("audit", "verify")


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("crypto/der.py", "import admin"),
        ("idp/model.py", "import license_store.model"),
        ("seal/model.py", "import fastapi"),
    ],
)
def test_an_import_that_goes_up_breaks_the_check(tree: Path, tmp_path: Path, file: str, line: str) -> None:
    command = shutil.which("lint-imports", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if command is None:
        pytest.skip("import-linter is not installed")
    broken = tmp_path / "tree"
    shutil.copytree(tree, broken)
    with (broken / file).open("a", encoding="utf-8") as source:
        source.write(f"\n{line}\n")
    done = subprocess.run(
        [command, "--no-cache"], cwd=broken, env={**BARE, "PYTHONPATH": str(broken)}, capture_output=True, check=False
    )
    told = done.stdout.decode()
    assert done.returncode == 1, told
    assert "BROKEN" in told
    assert line.removeprefix("import ") in told


def test_the_floors_hold_as_they_are(tree: Path) -> None:
    command = shutil.which("lint-imports", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if command is None:
        pytest.skip("import-linter is not installed")
    environment = {**BARE, "PYTHONPATH": str(tree)}
    done = subprocess.run([command, "--no-cache"], cwd=tree, env=environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout.decode()
