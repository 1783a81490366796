"""Each kind of change that a sealing makes fails once: nothing stands half, and the same request ends well later."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import structlog

from kernel.audit import AuditLog
from tests.reliability.bench import Bench, settled
from tests.reliability.sealing import found
from tests.reliability.triggers import STORIES, Triggers, tell

pytestmark = pytest.mark.filterwarnings("ignore::seal.pki.dev_ca.DevelopmentOnly")
Fresh = Callable[[], str]


def bench(folder: Path, fresh: Fresh, **given: Any) -> Bench:
    (folder / "objects").mkdir()
    url = fresh()
    found(folder, url)
    return Bench(url, folder, lease=timedelta(0), **given)


@pytest.mark.parametrize(("engine", "stories"), [("sqlite", list(STORIES)), ("postgresql", ["sealing"])])
def test_a_change_that_fails_leaves_nothing_half_done_and_the_request_can_be_repeated(
    tmp_path: Path, request: pytest.FixtureRequest, engine: str, stories: list[str]
) -> None:
    ours = bench(tmp_path, request.getfixturevalue(f"fresh_{engine}"))
    triggers, seen = Triggers(ours.db), set[tuple[str, str]]()
    with structlog.testing.capture_logs():  # a traceback for each failure takes longer than the failure
        done = [tell(ours, triggers, name, new_to=seen) for name in stories]
    settled(ours, sum(sealings for _, sealings in done))
    assert {"seal_sealings", "seal_attempts", "seal_completions", "audit_entries", "outbox_events", "jobs"} <= {
        table for table, _ in seen
    }
    assert sum(faults for faults, _ in done) == len(seen)
    ours.close()


class Careless(AuditLog):
    """Goes on without the log where it cannot be written."""

    def append_all(self, conn: Any, deeds: Any) -> int:
        try:
            with conn.begin_nested():
                return super().append_all(conn, deeds)
        except sa.exc.SQLAlchemyError:
            return 0


def test_a_completion_without_its_entry_would_be_found(tmp_path: Path, fresh_sqlite: Fresh) -> None:
    ours = bench(tmp_path, fresh_sqlite, audit=Careless())
    covered = {("seal_attempts", "INSERT"), ("seal_sealings", "INSERT")}
    with pytest.raises(AssertionError, match="entry in the log"):
        tell(ours, Triggers(ours.db), "sealing", new_to=covered)
    ours.close()
