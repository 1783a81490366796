"""The SDF vault: SM2 keys inside a cryptographic device, reached by its vendor's library (GM/T 0018).

A key is an index of the device; its id is ``sdf-<index>``. Keys are made, and their passwords set, with the
device's own tool. Session handles are used by one thread at a time, and a right to use a key belongs to the session
that asked for it.
"""

import ctypes
import re
from collections.abc import Mapping
from ctypes import byref, c_void_p
from dataclasses import dataclass, field
from threading import Lock
from typing import Final, NoReturn

from crypto.errors import DerError, KeyRefused
from crypto.keys import KeyId, PublicKey
from crypto.sm2 import signature_to_der
from crypto.suites import SM2_SM3, KeyKind, Suite
from crypto.vaults import sdf_abi
from crypto.vaults.errors import DeviceGone, PinRefused, UnknownKey, VaultDamaged
from crypto.vaults.hidden import Hidden
from crypto.vaults.pool import LIMITS, Limits, Pool

_ID: Final = re.compile(r"sdf-([1-9][0-9]{0,8})")
_MOST_RANDOM: Final = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceInfo:
    """What a device says of itself."""

    issuer: str
    name: str
    serial: str
    version: int
    standard: int


@dataclass(slots=True, repr=False)
class _Opened:
    """The open device; ``asking`` is held by who asks for a right, and belongs to one process like the handle."""

    handle: c_void_p
    asking: Lock = field(default_factory=Lock)


@dataclass(slots=True, repr=False)
class _Session:
    """A session: the keys compared with those known, and the rights it was given."""

    handle: c_void_p
    asking: Lock
    known: set[int] = field(default_factory=set)
    granted: set[int] = field(default_factory=set)


class _Device:
    """The vendor's library as a ``Link``: return codes become refusals, of one sentence each."""

    def __init__(self, library: str, failures: frozenset[int]) -> None:
        self.library = library
        self._lib = sdf_abi.load(library)
        self._failures = sdf_abi.DEVICE_FAILURES | failures

    def connect(self) -> _Opened:
        """Open the device."""
        device = c_void_p()
        self.must("SDF_OpenDevice", byref(device))
        return _Opened(device)

    def disconnect(self, connection: _Opened) -> None:
        """Close the device, whatever it says to that."""
        self.call("SDF_CloseDevice", connection.handle)

    def open(self, connection: _Opened) -> _Session:
        """Open a session."""
        session = c_void_p()
        self.must("SDF_OpenSession", connection.handle, byref(session))
        return _Session(session, connection.asking)

    def shut(self, session: _Session) -> None:
        """Give back what rights the session has and close it, whatever the device says to that."""
        for index in session.granted:
            self.call("SDF_ReleasePrivateKeyAccessRight", session.handle, index)
        self.call("SDF_CloseSession", session.handle)

    def call(self, name: str, *arguments: object) -> int:
        """Call a function and give its return code; DeviceGone is for ``must`` and ``raise_if_gone`` to say."""
        return int(getattr(self._lib, name)(*arguments))

    def must(self, name: str, *arguments: object) -> None:
        """Call a function that only a device at fault refuses."""
        code = self.call(name, *arguments)
        self.raise_if_gone(name, code)
        if code != sdf_abi.OK:
            # Opening has no other cause than the device; the rest was asked for rightly.
            kind = DeviceGone if name.startswith("SDF_Open") else KeyRefused
            raise kind(f"the device refuses {name} with {code:#010x}")

    def raise_if_gone(self, name: str, code: int) -> None:
        """Raise DeviceGone if ``code`` says that the device is at fault."""
        if code in self._failures:
            raise DeviceGone(f"the device behind {self.library} does not answer: {name} gives {code:#010x}")


class SdfVault:
    """A ``KeyVault`` of SM2 keys in a device; safe to share between threads and to keep across a fork."""

    def __init__(
        self,
        library: str,
        passwords: Mapping[int, str],
        *,
        limits: Limits = LIMITS,
        failures: frozenset[int] = frozenset(),
    ) -> None:
        """Load the vendor's ``library``; the device is opened when a key is first used.

        ``passwords`` has the private key's access password for each index that is used here: "" where the device
        wants none. ``failures`` are return codes of the vendor's own that mean the device has to be opened again.
        """
        for index in passwords:
            if not _ID.fullmatch(_id(index)):
                raise KeyRefused(f"{index} is no index of a key: they are numbers from 1 on")
        self._device = _Device(library, failures)
        self.__passwords = {index: Hidden(password.encode()) for index, password in passwords.items()}
        self._refused: set[int] = set()
        self._public: dict[int, PublicKey] = {}
        self._pool = Pool(self._device, limits)

    def generate(self, suite: Suite) -> KeyId:
        """Refuse: GM/T 0018 makes no keys that stay."""
        raise KeyRefused(
            f"no {suite.name} key is made through SDF: make an SM2 key with the device's own tool and name its index"
        )

    def public_key(self, key: KeyId) -> PublicKey:
        """Give the public half, as the device exported it first."""
        index = self._index(key)
        if index not in self._public:
            self._public[index] = self._pool.use(lambda session: self._export(session, index))
        return self._public[index]

    def suite(self, key: KeyId) -> Suite:
        """Give SM2 with SM3: the device has nothing else for us."""
        self._index(key)
        return SM2_SM3

    def sign_digest(self, key: KeyId, digest: bytes) -> bytes:
        """Sign the 32 octets e = SM3(Z||M); give DER r, s."""
        index = self._index(key)
        if len(digest) != SM2_SM3.digest.size:
            raise KeyRefused(f"{SM2_SM3.name} signs digests of {SM2_SM3.digest.size} octets, not {len(digest)}")
        self.public_key(key)  # Known from here on, and every session's key is compared with it.
        return self._pool.use(lambda session: self._sign(session, index, digest))

    def keys(self) -> tuple[KeyId, ...]:
        """List the keys that were named to this vault: a device does not list its own."""
        return tuple(sorted(_id(index) for index in self.__passwords))

    def random(self, size: int) -> bytes:
        """Give ``size`` octets, at most 4096, from the device's generator."""
        if not 0 < size <= _MOST_RANDOM:
            raise KeyRefused(f"a device gives 1 to {_MOST_RANDOM} random octets at once, not {size}")
        room = ctypes.create_string_buffer(size)
        self._pool.use(lambda session: self._device.must("SDF_GenerateRandom", session.handle, size, room))
        return room.raw

    def info(self) -> DeviceInfo:
        """Ask the device what it is."""
        record = sdf_abi.DeviceRecord()
        self._pool.use(lambda session: self._device.must("SDF_GetDeviceInfo", session.handle, byref(record)))
        return DeviceInfo(
            issuer=sdf_abi.text_of(record.issuer),
            name=sdf_abi.text_of(record.name),
            serial=sdf_abi.text_of(record.serial),
            version=record.version,
            standard=record.standard,
        )

    def close(self) -> None:
        """Give back every right and session, and close the device; the vault refuses from then on."""
        self._pool.close()

    def _index(self, key: KeyId) -> int:
        match = _ID.fullmatch(key)
        if match is None or int(match[1]) not in self.__passwords:
            raise UnknownKey("this vault was told of no such key: its keys are sdf-<index>, each with its password")
        return int(match[1])

    def _export(self, session: _Session, index: int) -> PublicKey:
        record = sdf_abi.EccPublicKey()
        self._key_call("SDF_ExportSignPublicKey_ECC", session, index, byref(record))
        try:
            point = b"\x04" + sdf_abi.value_of(record.x) + sdf_abi.value_of(record.y)
            public = PublicKey.from_point(KeyKind.SM2, point)
        except (ValueError, KeyRefused):
            public = None
        if public is None or record.bits != sdf_abi.SM2_BITS:
            raise VaultDamaged(f"what the device has as its signing key {index} is no SM2 key")
        return public

    def _sign(self, session: _Session, index: int, digest: bytes) -> bytes:
        if index not in session.known:
            self._enter(session, index)
        record = sdf_abi.EccSignature()
        self._key_call("SDF_InternalSign_ECC", session, index, digest, len(digest), byref(record))
        try:
            return signature_to_der(sdf_abi.value_of(record.r) + sdf_abi.value_of(record.s))
        except (ValueError, DerError):
            raise VaultDamaged(f"what the device gives as a signature of key {index} is none") from None

    def _enter(self, session: _Session, index: int) -> None:
        """Get the right to use a key in ``session``, of the very device that has the key we know."""
        if self._export(session, index) != self._public[index]:
            raise VaultDamaged(f"the device has another key as its signing key {index} than before")
        if password := self.__passwords[index].octets:
            self._ask(session, index, password)
            session.granted.add(index)
        session.known.add(index)

    def _ask(self, session: _Session, index: int, password: bytes) -> None:
        # One asks at a time, and nobody after a no: devices count wrong passwords and lock.
        with session.asking:
            if index in self._refused:
                raise PinRefused(_wrong(index))
            name = "SDF_GetPrivateKeyAccessRight"
            code = self._device.call(name, session.handle, index, password, len(password))
            self._device.raise_if_gone(name, code)
            if code == sdf_abi.NO_KEY:
                raise UnknownKey(f"the device has no private key {index}")
            # The standard has no code for a wrong password: each vendor has its own.
            if code != sdf_abi.OK:
                self._refused.add(index)
                raise PinRefused(f"{_wrong(index)} ({code:#010x})")

    def _key_call(self, name: str, session: _Session, index: int, *arguments: object) -> None:
        code = self._device.call(name, session.handle, index, *arguments)
        self._device.raise_if_gone(name, code)
        if code == sdf_abi.NO_RIGHT and index in session.granted:
            # The device forgot the right it gave, as after a restart of its own: a new session asks again.
            raise DeviceGone(f"the device takes back the right to use its signing key {index}")
        if code == sdf_abi.NO_RIGHT:
            raise PinRefused(f"the device wants a password for its signing key {index}: name it, then start again")
        if code == sdf_abi.NO_KEY:
            raise UnknownKey(f"the device has no signing key {index}")
        if code != sdf_abi.OK:
            raise KeyRefused(f"the device refuses {name} for its signing key {index} with {code:#010x}")

    def __repr__(self) -> str:
        return f"SdfVault({self._device.library!r}, keys={list(self.keys())})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a vault is not copied to where its passwords would be readable")


def _id(index: int) -> KeyId:
    return KeyId(f"sdf-{index}")


def _wrong(index: int) -> str:
    return f"the device does not accept the password of its signing key {index}: set the right one and start again"
