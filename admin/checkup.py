"""Checkup: whether this machine and this data folder are fit for the service, one answer a question."""

import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from admin import build, schema, vaulting
from admin.docking import WithUpstreams
from admin.key_health import failure, keys_in_use
from admin.settings import Settings, SettingsRefused, require_vault
from crypto.engines import DOORS, REMEDY, discover, settle_engine
from crypto.errors import CryptoError, EngineUnavailable
from crypto.keys import KeyVault
from crypto.selftest import run as run_selftests
from crypto.vaults.soft import SoftVault
from crypto.x509 import Certificate
from idp.token_keys import TokenKeyRegister
from kernel import audit
from kernel.audit import AuditLog
from kernel.clock import Clock
from kernel.db import Database
from kernel.errors import Refusal
from seal.fonts import packaged_font, seal_font
from seal.later.store import backlog
from seal.pki.authorities import Authorities
from seal.pki.errors import UnknownAuthority
from seal.register import SealRegister
from seal.trust import Trust

_LEAST_FREE: Final = 1024**3
_SOON: Final = timedelta(days=60)
_LIST_SOON: Final = timedelta(days=2)
_CLOCKS_APART: Final = timedelta(seconds=2)
_SLOW_ANSWER: Final = timedelta(seconds=1)
_FOLDER_NEEDS: Final = "its disk is full, read-only or another user's: mend that, or set XINYIN_HOME"
_MOST_SHOWN: Final = 5
_STAMPED_WITHIN: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One answer. ``remedy`` says what to do: about what failed, or, where ``ok``, about what soon will."""

    name: str
    ok: bool
    detail: str
    remedy: str = ""


class _Amiss(Exception):
    """What was looked at is not as it should be."""

    def __init__(self, detail: str, remedy: str) -> None:
        super().__init__(detail)
        self.remedy = remedy


_Answer = str | tuple[str, str]
"""What was found; with it, perhaps, what to do soon."""


def examine(settings: Settings, clock: Clock) -> Iterator[Check]:
    """Ask everything, what the others rest on first; a check that cannot be made is one that failed."""
    yield from _machine(settings)
    home = build.Home(root=settings.home)
    if not home.form_key.exists():
        remedy = "run `xinyin migrate`, or set XINYIN_HOME"
        yield Check(name="data folder", ok=False, detail=f"{settings.home} is empty", remedy=remedy)
        return
    yield _asked("data folder", lambda: str(settings.home.resolve()), "")
    yield _asked("permissions", lambda: _permissions(home), "")
    yield _asked("disk", lambda: _disk(settings.home), _FOLDER_NEEDS)
    yield _asked("clock, file system", lambda: _file_clock(settings.home, clock), _FOLDER_NEEDS)
    yield _asked("trust anchors", lambda: _anchors(home, clock), f"look at the files in {home.trust}")
    yield from _kept(settings, home, clock)


def _machine(settings: Settings) -> Iterator[Check]:
    for test in run_selftests(lambda: settle_engine(settings.sm2_engine or None)):
        rate = f"  {test.rate:,.0f} {test.unit}" if test.rate else ""
        yield Check(name=test.name, ok=test.ok, detail=f"{test.detail}{rate}", remedy="" if test.ok else REMEDY)
    yield _asked("SM2 engine", lambda: _engine(settings), REMEDY)
    font = "install the package again: its fonts are part of it"
    yield _asked("licence font", lambda: packaged_font().family, font)
    yield _asked("seal font", lambda: seal_font().path.name, font)


def _engine(settings: Settings) -> str:
    """Say where the engine is, and of every other library here whether it would do."""
    used = settle_engine(settings.sm2_engine or None)
    others = []
    for library in dict.fromkeys(place for door in DOORS for place in door.places()):
        try:
            engine = discover(library)
        except EngineUnavailable as error:
            others.append(f"not {library}: {str(error).partition(': install ')[0]}")
        else:
            if engine.library != used.library:
                others.append(f"{library} would do, too: {engine.version}")
    return "; ".join((f"{used.version} in {used.library}", *others))


def _permissions(home: build.Home) -> str:
    """Find what other users of the machine can reach of the secrets in the data folder."""
    names = (
        "forms.key",
        "webhooks.key",
        "appkeys.key",
        "identity-key",
        "xinyin.toml",
        "xinyin.db",
        "xinyin.db-wal",
        "world.json",
        "vault",
        "vault/keys",
        "objects",
    )
    looked = [*(home.root / name for name in names), *(home.vault / "keys").glob("*.json")]
    looked += [home.vault / "vault.json"]
    there = [path for path in looked if path.exists()]
    loose = [path for path in there if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)]
    # What others may read, but who writes there says whom we trust and what is revoked.
    open_to = [path for path in (home.root, home.trust, *home.authorities.glob("**")) if path.exists()]
    loose += [path for path in open_to if path.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH)]
    if loose:
        shown = ", ".join(map(str, loose[:_MOST_SHOWN]))
        more = f" and {len(loose) - _MOST_SHOWN} more" if len(loose) > _MOST_SHOWN else ""
        raise _Amiss(f"other users can reach {shown}{more}", f"run chmod -R go= {home.root}")
    return f"{len(there)} files and folders are their owner's alone"


def _disk(folder: Path) -> str:
    free = shutil.disk_usage(folder).free
    told = f"{free / 1024**3:,.1f} GiB free"
    if free <= _LEAST_FREE:
        raise _Amiss(told, f"make room on the disk of {folder}: a sealing that cannot be stored is refused")
    return told


def _file_clock(folder: Path, clock: Clock) -> str:
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".doctor.", suffix=".new") as file:
        written = Path(file.name).stat().st_mtime
        apart = abs(clock.now().timestamp() - written)
    return _together(timedelta(seconds=apart), "the disk's server")


def _together(apart: timedelta, other: str) -> str:
    told = f"{apart.total_seconds():.1f} s apart"
    if apart > _CLOCKS_APART + _SLOW_ANSWER:
        raise _Amiss(told, f"set the clocks of this machine and of {other} by one time server (chrony, NTP)")
    return told


def _anchors(home: build.Home, clock: Clock) -> _Answer:
    anchors, now = Trust.load(home.trust).anchors, clock.now()
    if not anchors:
        raise _Amiss("none: nothing can be verified", f"put CA certificates into {home.trust}")
    if not any(anchor.valid_at(now) for anchor in anchors):
        raise _Amiss("none that is valid now: nothing new can be verified", f"put CA certificates into {home.trust}")
    names = ", ".join(map(_name, anchors))
    ending = [
        f"{_name(anchor)} ends {anchor.not_after:%Y-%m-%d}" for anchor in anchors if anchor.not_after < now + _SOON
    ]
    if not ending:
        return names
    # What an anchor vouched for in its time stays valid; new signatures under it will not be.
    return names, f"ask for the successor, and put it beside the old one: {', '.join(ending)}"


def _name(anchor: Certificate) -> str:
    return anchor.common_name or anchor.subject_text


# --- what is kept: vault and database ---


def _kept(settings: Settings, home: build.Home, clock: Clock) -> Iterator[Check]:
    with ExitStack() as stack:
        vaults: list[KeyVault] = []

        def vault() -> str:
            require_vault(settings)
            found = stack.enter_context(vaulting.opened(settings, home.vault))
            told = _answering(found)
            vaults.append(found)
            return f"{settings.vault}: {told}"

        yield _asked("vault", vault, "give the vault's settings as they were when it was made")
        database = Database(settings.database)
        stack.callback(database.dispose)
        answers = _asked("database", lambda: _database(database), "start the database, or mend XINYIN_DATABASE_URL")
        yield answers
        if not answers.ok:
            return
        yield _asked("clock, database", lambda: _database_clock(database, clock), "")
        yield _asked("time stamps", lambda: _stamps(settings, database, clock), "")
        if vaults:
            yield from _keys(
                vaults[0], database, clock, lambda: build.authorities_of(settings, home, database, vaults[0], clock)
            )


def _answering(vault: KeyVault) -> str:
    """Ask a device for something: it is not opened before."""
    keys = vault.keys()
    if isinstance(vault, WithUpstreams):
        vault = vault.own
    for key in () if isinstance(vault, SoftVault) else vault.keys():
        vault.public_key(key)
    if isinstance(vault, SoftVault) and vault.rotating:
        raise _Amiss("a change of the vault key was cut off", "run `xinyin key rotate`: it goes on where it ended")
    return f"{len(keys)} keys"


def _database(database: Database) -> str:
    if not schema.is_current(database):
        raise _Amiss("of another version", "run `xinyin migrate`")
    with database.read() as conn:
        version = conn.dialect.server_version_info or ()
    return f"{database.dialect} {'.'.join(map(str, version))}".strip()


def _database_clock(database: Database, clock: Clock) -> str:
    with database.read() as conn:
        newest = conn.execute(sa.select(audit.entries.c.at).order_by(audit.entries.c.seq.desc()).limit(1)).scalar()
        there: datetime | None = None
        if database.dialect == "postgresql":
            there = conn.execute(sa.select(sa.func.clock_timestamp())).scalar_one()
        now = clock.now()
    if newest is not None and now < newest - _CLOCKS_APART:
        raise _Amiss(
            f"{now:%Y-%m-%d %H:%M:%S} UTC is before the newest audit entry, {newest:%Y-%m-%d %H:%M:%S}",
            "set this machine's clock before anything is sealed or signed: it went back, or was ahead",
        )
    if there is not None:
        return _together(abs(there - now), "the database")
    return "not behind the newest audit entry"


def _stamps(settings: Settings, database: Database, clock: Clock) -> _Answer:
    """Find sealings that wait for a time stamp longer than it takes once somebody stamps again."""
    with database.read() as conn:
        owed = backlog(conn)
    if owed.oldest is None:
        return "none is waited for"
    told = f"{owed.count} sealings wait for one, the oldest since {owed.oldest:%Y-%m-%d %H:%M:%S} UTC"
    if clock.now() - owed.oldest <= _STAMPED_WITHIN:
        return told
    if not settings.tsa:
        return told, "set XINYIN_TSA again: nobody is asked"
    return told, "see whether the authorities of XINYIN_TSA answer and `xinyin worker` runs (`xinyin seal unstamped`)"


def _keys(vault: KeyVault, database: Database, clock: Clock, authorities: Callable[[], Authorities]) -> Iterator[Check]:
    log = AuditLog()
    register = SealRegister(database, log, clock)
    tokens = TokenKeyRegister(database=database, audit=log, clock=clock, vault=vault)

    def signing() -> str:
        uses = keys_in_use(register, tokens, authorities())
        tokens.ring()
        failed = [f"{use.key} ({use.purpose}): {why}" for use in uses if (why := failure(vault, use)) is not None]
        if failed:
            more = f" and {len(failed) - _MOST_SHOWN} more" if len(failed) > _MOST_SHOWN else ""
            remedy = "bring the vault back from its backup, or let `xinyin key` make others in their place"
            raise _Amiss("; ".join(failed[:_MOST_SHOWN]) + more, remedy)
        return f"{len(uses)} in use, all of them sign"

    yield _asked("keys", signing, "run `xinyin key check`")
    yield _asked("authorities", lambda: _authorities(authorities(), clock), "run `xinyin ca list`")


def _authorities(authorities: Authorities, clock: Clock) -> _Answer:
    """Find lists that are over, officers that are missing, and revocations that the ledger has lost."""
    for name in authorities.names:
        lost = authorities.lost_revocations(name)
        if lost:
            told = f"the audit log tells of {len(lost)} revocations that the ledger of {name} lost, the first {lost[0]}"
            raise _Amiss(told, "bring the ledger's folder back from its backup, then run `xinyin ca publish`")
    now, soon = clock.now(), []
    for name, _ in authorities.paths():
        try:
            over = not authorities.list_of(name).current_at(now)
        except UnknownAuthority:
            over = True
        if over:
            raise _Amiss(f"no list of {name} counts now", "run `xinyin ca publish`, for a root with --root")
        if not authorities.list_of(name).current_at(now + _LIST_SOON):
            soon.append(f"the list of {name}")
    for purpose, _, certificate in authorities.signing():
        if not certificate.valid_at(now):
            raise _Amiss(
                f"the certificate of {purpose} is not valid now", "run `xinyin ca list`, which appoints others"
            )
    told = ", ".join(authorities.names) or "none"
    return (told, f"publish soon: {', '.join(soon)} ends") if soon else told


def _asked(name: str, ask: Callable[[], _Answer], remedy: str) -> Check:
    try:
        found = ask()
    except _Amiss as error:
        return Check(name=name, ok=False, detail=str(error), remedy=error.remedy)
    except OperationalError as error:
        # Of the driver's words only the first line: what follows may repeat a statement.
        return Check(name=name, ok=False, detail=str(error.orig).partition("\n")[0], remedy=remedy)
    except (CryptoError, Refusal, SettingsRefused, RuntimeError, OSError) as error:
        return Check(name=name, ok=False, detail=str(error), remedy=remedy)
    detail, soon = (found, "") if isinstance(found, str) else found
    return Check(name=name, ok=True, detail=detail, remedy=soon)
