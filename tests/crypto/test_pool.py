"""Sessions of a device are lent one at a time, and opened anew once."""

import itertools

import pytest

from crypto.errors import KeyRefused
from crypto.vaults.errors import DeviceGone, VaultBusy
from crypto.vaults.pool import Limits, Pool


class Line:
    """A ``Link`` that numbers what it opens and remembers what is open."""

    def __init__(self) -> None:
        self.numbers = itertools.count(1)
        self.connections: set[int] = set()
        self.sessions: dict[int, int] = {}
        self.dead = False

    def connect(self) -> int:
        """Connect."""
        if self.dead:
            raise DeviceGone("gone")
        self.connections.add(number := next(self.numbers))
        return number

    def disconnect(self, connection: int) -> None:
        """Disconnect."""
        assert connection not in self.sessions.values()
        self.connections.remove(connection)

    def open(self, connection: int) -> int:
        """Open a session."""
        assert connection in self.connections
        self.sessions[number := next(self.numbers)] = connection
        return number

    def shut(self, session: int) -> None:
        """Close a session."""
        del self.sessions[session]


def _fail(_: int) -> None:
    raise KeyRefused("no")


def _gone(_: int) -> None:
    raise DeviceGone("gone")


def test_one_session_serves_one_after_the_other() -> None:
    pool = Pool(Line())
    assert {pool.use(lambda session: session) for _ in range(5)} == {2}


def test_who_finds_every_session_in_use_is_told_so() -> None:
    pool = Pool(Line(), Limits(sessions=2, patience=0))
    assert pool.use(lambda first: pool.use(lambda second: (first, second))) == (2, 3)
    with pytest.raises(VaultBusy, match="all 2 sessions"):
        pool.use(lambda _: pool.use(lambda _: pool.use(lambda session: session)))
    assert pool.use(lambda session: session) > 3


def test_a_session_in_which_something_failed_is_not_lent_again() -> None:
    line = Line()
    pool = Pool(line)
    with pytest.raises(KeyRefused):
        pool.use(_fail)
    assert line.sessions == {}
    assert line.connections == {1}
    assert pool.use(lambda session: session) == 3


def test_a_device_that_fails_is_tried_once_more_and_then_given_up() -> None:
    line = Line()
    pool = Pool(line)
    tried: list[int] = []

    def work(session: int) -> int:
        tried.append(session)
        if len(tried) == 1:
            raise DeviceGone("gone")
        return session

    assert pool.use(work) == 4
    assert tried == [2, 4]
    assert line.connections == {3}
    with pytest.raises(DeviceGone):
        pool.use(_gone)
    assert not line.connections
    assert not line.sessions
    assert pool.use(lambda session: session) > 4


def test_a_connection_in_use_ends_with_its_last_session() -> None:
    line = Line()
    pool = Pool(line)

    def work(outer: int) -> int:
        with pytest.raises(DeviceGone):
            pool.use(_gone)
        assert outer in line.sessions
        return outer

    pool.use(work)
    assert not line.connections
    assert not line.sessions


def test_a_device_that_cannot_be_reached_costs_no_session() -> None:
    line = Line()
    pool = Pool(line, Limits(sessions=1, patience=0))
    line.dead = True
    for _ in range(3):
        with pytest.raises(DeviceGone):
            pool.use(lambda session: session)
    line.dead = False
    assert pool.use(lambda session: session) == 2


def test_a_closed_pool_holds_nothing_and_refuses() -> None:
    line = Line()
    pool = Pool(line)
    pool.use(lambda session: session)
    pool.close()
    assert not line.connections
    assert not line.sessions
    with pytest.raises(KeyRefused, match="closed"):
        pool.use(lambda session: session)
    pool.close()


@pytest.mark.parametrize("limits", [{"sessions": 0}, {"patience": -1}, {"pause": -1}])
def test_limits_that_let_nobody_in_are_refused(limits: dict[str, int]) -> None:
    with pytest.raises(KeyRefused):
        Limits(**limits)
