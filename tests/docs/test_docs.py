"""What the documents promise, held against the program."""

import importlib
import pkgutil
import re
import runpy
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from admin.cli import app
from admin.settings import Settings
from crypto.errors import CryptoError
from kernel.errors import Refusal
from seal.model import Verdict
from seal.wording import WORDING

ROOT = Path(__file__).resolve().parents[2]
FLOORS = ("crypto", "kernel", "seal", "license_store", "idp", "admin")
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
LARGEST_PICTURE = 250_000


def text(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def rows(name: str) -> dict[str, list[str]]:
    """Give the rows of a page's tables by the code in their first cell."""
    found = re.findall(r"^\| `([^`]+)` \|(.*)\|$", text(name), re.MULTILINE)
    return {code: [cell.strip() for cell in rest.split("|")] for code, rest in found}


def every(kind: type[Exception]) -> Iterator[type[Exception]]:
    yield kind
    for child in kind.__subclasses__():
        yield from every(child)


@pytest.fixture(scope="module")
def refusals() -> set[str]:
    for floor in FLOORS:
        package = importlib.import_module(floor)
        for module in pkgutil.walk_packages(package.__path__, f"{floor}."):
            if not module.name.endswith("__main__") and ".migrations" not in module.name:
                importlib.import_module(module.name)
    kinds = [kind for base in (Refusal, CryptoError) for kind in every(base)]
    return {str(vars(kind)["code"]) for kind in kinds if "code" in vars(kind) and kind.__module__.startswith(FLOORS)}


def test_every_refusal_is_explained_to_integrators(refusals: set[str]) -> None:
    assert refusals - set(rows("docs/integration.md")) == set()


def test_every_finding_stands_in_the_verification_page_with_its_words() -> None:
    told = {code: tuple(cells[1:]) for code, cells in rows("docs/verification.md").items() if len(cells) == 3}
    assert {code: told.get(code) for code in WORDING} == WORDING


def test_every_verdict_is_explained() -> None:
    assert {verdict.value for verdict in Verdict} <= set(rows("docs/verification.md"))


def test_every_setting_is_told_with_its_default() -> None:
    told = rows("docs/operations.md")
    for name, field in Settings.model_fields.items():
        default = field.get_default()
        shown = getattr(default, "get_secret_value", lambda value=default: value)()
        assert told[f"XINYIN_{name.upper()}"][0] == (f"`{shown}`" if str(shown) else "empty"), name


def test_no_setting_is_told_that_does_not_exist() -> None:
    told = {name for name in rows("docs/operations.md") if name.startswith("XINYIN_")}
    assert told == {f"XINYIN_{name.upper()}" for name in Settings.model_fields}


def test_every_audit_action_is_told_and_none_else() -> None:
    actions = {
        action
        for floor in ("seal", "license_store", "idp", "admin")
        for path in (ROOT / floor).rglob("*.py")
        for action in re.findall(
            r'"((?:seal|license|idp|key)\.[a-z_.]*(?:ed|made|out|in|seen|begun))"', path.read_text("utf-8")
        )
    }
    section = text("docs/operations.md").partition("## Audit")[2].partition("## ")[0]
    assert actions == set(re.findall(r"`((?:seal|license|idp|key)\.[a-z_.]+)`", section))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text("utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name} leads to {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_and_options_that_are_printed_exist(page: Path) -> None:
    root = typer.main.get_command(app)
    # A line that goes on in the next is one line.
    lines = page.read_text("utf-8").replace("\\\n", " ").splitlines()
    for line in lines:
        for part in re.split(r"&&|\|", line) if re.match(r"\s{4}\S", line) else ():
            words = shlex.split(part, comments=True)
            if words and words[0] == "xinyin":
                check(root, words[1:])


def check(command: Any, words: list[str]) -> None:
    while words and hasattr(command, "commands"):
        if words[0] not in command.commands and hasattr(command, "default_command"):
            words = [command.default_command, *words]
        assert words[0] in command.commands, f"there is no command {words[0]}"
        command, words = command.commands[words[0]], words[1:]
    options = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= options


@pytest.mark.parametrize("picture", sorted((ROOT / "docs/pictures").glob("*.png")), ids=lambda path: path.name)
def test_pictures_are_small(picture: Path) -> None:
    assert picture.stat().st_size <= LARGEST_PICTURE


def test_both_readmes_show_the_same_pictures_and_commands() -> None:
    def shown(name: str) -> list[list[str]]:
        return [re.findall(pattern, text(name)) for pattern in (r"docs/pictures/[a-z-]+\.png", r"`(make [a-z]+)`")]

    assert [set(found) for found in shown("README.md")] == [set(found) for found in shown("README.zh-CN.md")]


def test_the_rules_are_told_as_they_stand_in_the_tables() -> None:
    maker = runpy.run_path(str(ROOT / "docs/make_tables.py"))
    page = text("docs/verification.md")
    assert maker["with_rules"](page) == page


def test_every_real_document_is_told_with_the_answer_it_gets(corpus: Path) -> None:
    maker = runpy.run_path(str(ROOT / "docs/make_tables.py"))
    told = re.findall(
        r"^\| (\S+/\S+) \| ([^|]+) \| ([^|]+) \| (yes) \| [\d.]+ \| ([^|]+) \|", text("docs/corpus.md"), re.MULTILINE
    )
    found = [row[:4] for row in maker["corpus_rows"](corpus)]
    assert found == [(name, expected, ours, codes) for name, expected, ours, _, codes in told]
