"""What an operator sees of stamps that are owed: listed, counted by the doctor, put in by the worker."""

from datetime import timedelta

from admin import build
from admin.build import operator
from admin.checkup import Check, examine
from kernel.clock import ManualClock, SystemClock
from kernel.jobs import JOBS
from seal.later.model import TrustedTime
from seal.request import SealRequest
from tests.admin.conftest import Town, Xinyin
from tests.reliability.sealing import document

NOBODY = "http://127.0.0.1:1/tsa"
"""Where every connection is refused."""


def doctor(town: Town, **changes: object) -> Check:
    ahead = ManualClock(SystemClock().now() + timedelta(minutes=6))
    settings = town.settings.model_copy(update=changes)
    return next(check for check in examine(settings, ahead) if check.name == "time stamps")


def test_an_operator_sees_what_waits_for_a_stamp_and_since_when(xinyin: Xinyin, town: Town) -> None:
    assert (doctor(town).ok, doctor(town).remedy) == (True, "")
    with build.services(town.settings.model_copy(update={"tsa": NOBODY})) as service:
        seal = service.register.list()[0].id
        sealed = service.sealing.seal(
            SealRequest(document=document("x"), seal=seal, case_number="A-1"), operator("seal.use:*")
        )
    assert sealed.trusted_time is TrustedTime.PENDING
    listed = xinyin("seal", "unstamped", **town.given)
    assert sealed.id in listed.out
    assert "A-1" in listed.out
    told = doctor(town, tsa=NOBODY)
    # Longer than it takes is no damage yet, but something to look after.
    assert (told.ok, told.detail.startswith("1 sealings wait")) == (True, True)
    assert "xinyin seal unstamped" in told.remedy
    assert "set XINYIN_TSA" in doctor(town, tsa="").remedy
    # A job that was lost is noted again, and nothing is lost with it.
    with build.services(town.settings) as service, service.database.begin() as conn:
        conn.execute(JOBS.delete())
    assert xinyin("worker", "--until-idle", **town.given).code == 0
    assert sealed.id in xinyin("seal", "unstamped", **town.given).out


def test_the_command_says_that_the_stamp_follows(xinyin: Xinyin, town: Town) -> None:
    source, out = town.home / "a.ofd", town.home / "b.ofd"
    source.write_bytes(document("y"))
    with build.services(town.settings) as service:
        seal = service.register.list()[0].id
    done = xinyin("seal", source, "--seal", seal, "--out", out, tsa=NOBODY, **town.given)
    assert done.code == 0, done.err
    assert "the stamp follows" in done.out
    sealing = done.out.split("xinyin seal fetch ")[1].split("`")[0]
    again = town.home / "c.ofd"
    assert xinyin("seal", "fetch", sealing, "--out", again, **town.given).code == 0
    assert again.read_bytes() == out.read_bytes()
    assert xinyin("seal", "fetch", sealing, "--out", again, **town.given).code != 0
    assert xinyin("seal", "fetch", sealing, "--out", town.home / "d", "--version", "0", **town.given).code != 0
    judged = xinyin("verify", out, **town.given)
    assert (judged.code, "TIME_NOT_PROVED" in judged.out) == (0, True)
