"""`xinyin affair`: a first seal, by the operator of a folder and two officers."""

import json
import re
from pathlib import Path

from admin import build, devworld
from seal.artwork import Design, draw
from seal.model import SealStatus
from tests.admin.conftest import Done, Town, Xinyin

NUMBER = "99010000000077"
ONE, TWO = "zhao", "qian"
PASSWORDS = {ONE: "a long pass phrase of one", TWO: "another pass phrase of two"}


def _part(path: Path, part: dict[str, str]) -> str:
    path.write_text(part["certificates"], "ascii")
    return f"{part['key']}={path}"


def _told(done: Done, name: str) -> str:
    assert done.code == 0, done.err
    found = re.search(rf"^{name} +(\S+)", done.out, re.MULTILINE)
    assert found, done.out
    return found[1]


def test_a_first_seal_is_made_and_put_into_use_by_two_officers(xinyin: Xinyin, town: Town, tmp_path: Path) -> None:
    picture = draw(Design(kind="department", name=devworld.DEPARTMENT, line="合同专用章"))
    (tmp_path / "seal.png").write_bytes(picture.png)
    (tmp_path / "application.txt").write_text("申请书", "utf-8")
    with build.services(town.settings) as service:
        keys = devworld.parts_of(devworld.seal_keys(service, NUMBER))
        maker = devworld.parts_of([devworld.seal_maker(service)])[0]
    given = [_part(tmp_path / f"{number}.pem", part) for number, part in enumerate(keys)]

    def run(*words: object, who: str | None = None) -> Done:
        named = ("--as", who) if who else ()
        return xinyin("affair", *words, *named, typed=f"{PASSWORDS.get(who or '', '')}\n", **town.given)

    def decided(affair: Done, verdict: str, who: str) -> Done:
        return run("decide", _told(affair, "affair"), verdict, "--sm3", _told(affair, "sm3"), who=who)

    for login in (ONE, TWO):
        xinyin("person", "add", login, "某人", typed=f"{PASSWORDS[login]}\n", **town.given)
    assert run("list", who=ONE).err.startswith("xinyin: This person holds no office")
    rights = ("seal.manage", "seal.file", "seal.review", "seal.make", "seal.approve")
    for login in (ONE, TWO):
        assert run("officer", login, *(word for each in rights for word in ("--right", f"{each}:*"))).code == 0
    assert run("officer", ONE, "--right", "seal.rule:*").code == 64

    made = run(
        *("make", "--seal", NUMBER, "--kind", 99, "--name", "合同专用章", "--owner", devworld.DEPARTMENT_CODE),
        *("--owner-name", devworld.DEPARTMENT, "--picture", tmp_path / "seal.png", "--size", "42x42"),
        *(word for each in given for word in ("--key", each)),
        *("--maker", _part(tmp_path / "maker.pem", maker), "--application", tmp_path / "application.txt"),
        *("--reason", "新设机构"),
    )
    assert _told(made, "stands") == "waiting_for_review"
    assert _told(made, "affair") in run("list", "--waiting", who=TWO).out
    shown = run("show", _told(made, "affair"), who=TWO)
    assert _told(shown, "sm3") == _told(made, "sm3")
    (tmp_path / "papers").mkdir()
    run("show", _told(made, "affair"), "--papers", tmp_path / "papers", who=TWO)
    assert {each.read_bytes() for each in (tmp_path / "papers").iterdir()} == {picture.png, "申请书".encode()}
    assert decided(made, "review", ONE).code == 0
    again = decided(made, "approve", ONE)
    assert (again.code, "second_person_needed" in again.err) == (64, True)
    assert _told(decided(made, "approve", TWO), "stands") == "carried_out"

    filed = run(
        *("propose", "file", "--seal", NUMBER, "--reason", "备案"),
        *("--set", "filing_number=2026-17", "--set", "body=云江市公安局"),
        who=ONE,
    )
    assert _told(filed, "stands") == "carried_out"
    activation = run("propose", "activate", "--seal", NUMBER, "--reason", "启用", who=ONE)
    wrong = xinyin("affair", "decide", "x", "approve", "--sm3", "x", "--as", TWO, typed="guess\n", **town.given)
    assert (wrong.code, "no such person with this password" in wrong.err) == (64, True)
    assert json.loads(_told(decided(activation, "approve", TWO), "outcome")) == {"status": "active"}
    with build.services(town.settings) as service:
        assert service.register.find(NUMBER).status is SealStatus.ACTIVE


def test_the_first_seal_of_development_was_agreed_to_by_invented_people(town: Town) -> None:
    with build.services(town.settings) as service:
        (made, *_) = service.register.history(town.world.seal)
        affair = service.affairs.find(made.affair or "", build.operator("seal.apply:*"))
    people = {affair.proposed_by, *(each.by for each in affair.decisions)}
    assert people == {"development-proposer", "development-reviewer", "development-approver"}
    assert all("development" in each.note for each in affair.decisions)
