"""SM2 engines: arithmetic on digests behind one protocol, found on the machine and proved before use."""

import ctypes.util
import importlib.util
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Lock

from crypto.engines import botan, known_answer
from crypto.engines.contract import Sm2Engine, Sm2Multiplier
from crypto.engines.libcrypto import LibcryptoEngine
from crypto.errors import EngineUnavailable

__all__ = [
    "DOORS",
    "REMEDY",
    "Door",
    "Sm2Engine",
    "Sm2Multiplier",
    "default_engine",
    "default_multiplier",
    "discover",
    "settle_engine",
]

REMEDY = (
    "install OpenSSL 3 (Debian, Ubuntu: apt install libssl3; elsewhere: pip install 'psycopg[binary]', "
    "whose wheel carries one) or libbotan-3 (a package of newer distributions; from a checkout: make fast), "
    "or name in the engine setting a library of theirs that knows SM2"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """A kind of engine: how its library is recognised by file name, where it is looked for, how it is opened."""

    name: str
    marks: tuple[str, ...]
    places: Callable[[], Iterator[str]]
    load: Callable[[str], Sm2Engine]


_PROJECT = Path(__file__).parents[2]
_LIBRARY_FOLDERS = ("/usr/local/lib", "/usr/lib", "/usr/lib64", "/lib", "/opt/homebrew/lib", f"{sys.prefix}/lib")


def _libbotan_places() -> Iterator[str]:
    # What `make fast` built, then the system's own. Botan's soname ends in its minor version, so there is no one name.
    for made in ("libxinyin_botan.so", "libxinyin_botan.dylib"):
        if (path := _PROJECT / "native/target/release" / made).is_file():
            yield str(path)
    for folder in map(Path, _LIBRARY_FOLDERS):
        for pattern in ("libbotan-3.so*", "*-linux-gnu*/libbotan-3.so*", "libbotan-3*.dylib"):
            yield from sorted(map(str, folder.glob(pattern)), reverse=True)


def _libcrypto_places() -> Iterator[str]:
    yield "libcrypto.so.3"
    if found := ctypes.util.find_library("crypto"):
        yield found
    spec = importlib.util.find_spec("psycopg_binary")
    for place in (spec.submodule_search_locations or ()) if spec else ():
        yield from sorted(map(str, Path(place).parent.glob("psycopg_binary.libs/libcrypto*.so*")))
        yield from sorted(map(str, Path(place).glob(".dylibs/libcrypto*.dylib")))


# In order of preference; the last one also takes a library whose file name tells nothing.
DOORS: tuple[Door, ...] = (
    Door(name="libbotan", marks=("botan",), places=_libbotan_places, load=botan.open_engine),
    Door(name="libcrypto", marks=("crypto",), places=_libcrypto_places, load=LibcryptoEngine),
)


def discover(setting: str | None = None, *, doors: Sequence[Door] = DOORS) -> Sm2Engine:
    """Give the first engine of this machine that passes the known-answer test.

    ``setting`` is the name of a door ("libbotan", "libcrypto"), or a library's path or soname: then nothing else is
    tried. Empty is unset.
    EngineUnavailable tells what was tried and what to install; there is no slower stand-in.
    """
    failures = []
    for door, library in _candidates(setting or None, doors):
        try:
            engine = door.load(library)
            known_answer.prove(engine)
        except EngineUnavailable as error:
            failures.append(str(error))
        else:
            return engine
    tried = "; ".join(failures) or "no library was found"
    raise EngineUnavailable(f"no SM2 engine works here ({tried}): {REMEDY}")


def _candidates(setting: str | None, doors: Sequence[Door]) -> Iterator[tuple[Door, str]]:
    named = [door for door in doors if setting in (None, door.name)]
    if setting is None or named:
        for door in named:
            yield from ((door, library) for library in door.places())
        return
    file = Path(setting).name.lower()
    yield next((door for door in doors if any(mark in file for mark in door.marks)), doors[-1]), setting


class _Process:
    """The one engine of this process and the setting it was found by."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._found: tuple[str | None, Sm2Engine] | None = None

    def engine(self) -> Sm2Engine:
        """Give the engine, discovering it the first time."""
        found = self._found  # A read without the lock: the attribute is set once.
        return found[1] if found else self.settle(None)

    def settle(self, setting: str | None) -> Sm2Engine:
        """Discover the engine by ``setting``, unless that has been done."""
        setting = setting or None
        with self._lock:
            if self._found is None:
                self._found = (setting, discover(setting))
            settled, engine = self._found
        if setting not in (None, settled):
            raise EngineUnavailable(f"this process already uses {engine.version}: settle its engine before using it")
        return engine


_process = _Process()


@cache
def default_multiplier() -> Sm2Multiplier:
    """Give what multiplies points in this process: its engine where that can, else the first one found here that can.

    EngineUnavailable where there is none.
    """
    engine = default_engine()
    if isinstance(engine, Sm2Multiplier):
        return engine
    for door in DOORS:
        for library in door.places():
            try:
                other = discover(library)
            except EngineUnavailable:
                continue
            if isinstance(other, Sm2Multiplier):
                return other
    raise EngineUnavailable(f"{engine.version} does not multiply points, and no other library here does: {REMEDY}")


def default_engine() -> Sm2Engine:
    """Give this process's engine, discovered once: a door to pure functions, which is why it may be shared."""
    return _process.engine()


def settle_engine(setting: str | None) -> Sm2Engine:
    """Decide, before anything is signed or verified, by what ``setting`` this process finds its engine.

    EngineUnavailable as from ``discover``, or where the process uses an engine of another setting already.
    """
    return _process.settle(setting)
