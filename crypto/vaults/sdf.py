"""The SDF vault: SM2 keys inside a cryptographic device, reached by its vendor's library (GM/T 0018).

A key is an index of the device; its id is ``sdf-<index>``, and ``sdf-encryption-<index>`` that of the encryption pair
which the device keeps beside it. Keys are made, and their passwords set, with the
device's own tool. Session handles are used by one thread at a time, and a right to use a key belongs to the session
that asked for it.
"""

import ctypes
import re
from collections.abc import Mapping
from ctypes import byref, c_uint, c_void_p
from dataclasses import dataclass, field
from threading import Lock
from typing import Final, NoReturn

from crypto.errors import DerError, KeyRefused
from crypto.keys import KeyId, PublicKey
from crypto.sm2 import signature_to_der
from crypto.sm2_encryption import Sm2Ciphertext
from crypto.suites import SM2_SM3, KeyKind, Suite
from crypto.vaults import sdf_abi
from crypto.vaults.errors import DeviceGone, PinRefused, UnknownKey, VaultDamaged, WrongPurpose
from crypto.vaults.hidden import Hidden
from crypto.vaults.pool import LIMITS, Limits, Pool

_ID: Final = re.compile(r"sdf-(encryption-)?([1-9][0-9]{0,8})")
_MOST_RANDOM: Final = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceInfo:
    """What a device says of itself."""

    issuer: str
    name: str
    serial: str
    version: int
    standard: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Decryption:
    """How the library's SDF_InternalDecrypt_ECC is called; it is in no edition's list that all vendors keep to.

    ``algorithm`` is the number it wants between key and ciphertext (SGD_SM2_3 is 0x00020800), None where it wants none
    (docs/divergences.md). The vendor's header says which.
    """

    algorithm: int | None = None


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
    known: set[KeyId] = field(default_factory=set)
    granted: set[int] = field(default_factory=set)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Key:
    """One pair of the device."""

    id: KeyId
    index: int
    encryption: bool

    def __str__(self) -> str:
        return f"{'encryption' if self.encryption else 'signing'} key {self.index}"


class _Device:
    """The vendor's library as a ``Link``: return codes become refusals, of one sentence each."""

    def __init__(self, library: str, failures: frozenset[int], decryption: Decryption | None) -> None:
        self.library = library
        self._lib = sdf_abi.load(library)
        if decryption is not None:
            sdf_abi.add_decryption(self._lib, library, with_algorithm=decryption.algorithm is not None)
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
        decryption: Decryption | None = None,
    ) -> None:
        """Load the vendor's ``library``; the device is opened when a key is first used.

        ``passwords`` has the private key's access password for each index that is used here: "" where the device
        wants none. ``failures`` are return codes of the vendor's own that mean the device has to be opened again.
        With ``decryption`` the encryption pairs of these indexes are used too.
        """
        for index in passwords:
            if not _ID.fullmatch(_id(index)):
                raise KeyRefused(f"{index} is no index of a key: they are numbers from 1 on")
        self._device = _Device(library, failures, decryption)
        self._decryption = decryption
        self.__passwords = {index: Hidden(password.encode()) for index, password in passwords.items()}
        self._refused: set[int] = set()
        self._public: dict[KeyId, PublicKey] = {}
        self._pool = Pool(self._device, limits)

    def generate(self, suite: Suite) -> KeyId:
        """Refuse: GM/T 0018 makes no keys that stay."""
        raise KeyRefused(
            f"no {suite.name} key is made through SDF: make an SM2 key with the device's own tool and name its index"
        )

    def public_key(self, key: KeyId) -> PublicKey:
        """Give the public half, as the device exported it first."""
        found = self._named(key)
        if key not in self._public:
            self._public[key] = self._pool.use(lambda session: self._export(session, found))
        return self._public[key]

    def suite(self, key: KeyId) -> Suite:
        """Give SM2 with SM3: the device has nothing else for us."""
        self._signing(key)
        return SM2_SM3

    def sign_digest(self, key: KeyId, digest: bytes) -> bytes:
        """Sign the 32 octets e = SM3(Z||M); give DER r, s."""
        found = self._signing(key)
        if len(digest) != SM2_SM3.digest.size:
            raise KeyRefused(f"{SM2_SM3.name} signs digests of {SM2_SM3.digest.size} octets, not {len(digest)}")
        self.public_key(key)  # Known from here on, and every session's key is compared with it.
        return self._pool.use(lambda session: self._sign(session, found, digest))

    def keys(self) -> tuple[KeyId, ...]:
        """List the signing keys that were named to this vault: a device does not list its own."""
        return tuple(sorted(_id(index) for index in self.__passwords))

    def generate_encryption_key(self) -> KeyId:
        """Refuse: GM/T 0018 makes no keys that stay."""
        raise KeyRefused("no encryption key is made through SDF: make one with the device's own tool, name its index")

    def encryption_keys(self) -> tuple[KeyId, ...]:
        """List the encryption keys beside the signing ones; none unless ``decryption`` was named."""
        if self._decryption is None:
            return ()
        return tuple(sorted(_id(index, encryption=True) for index in self.__passwords))

    def decrypt(self, key: KeyId, ciphertext: Sm2Ciphertext) -> bytes:
        """Give the message; CryptoError where the device does not open it, WrongPurpose for a signing key."""
        found = self._named(key)
        if not found.encryption:
            raise WrongPurpose(f"the key {key} signs and does not decrypt")
        self.public_key(key)
        return self._pool.use(lambda session: self._decrypt(session, found, ciphertext))

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

    def _named(self, key: KeyId) -> _Key:
        match = _ID.fullmatch(key)
        if match is None or int(match[2]) not in self.__passwords or (match[1] and self._decryption is None):
            raise UnknownKey("this vault was told of no such key: its keys are sdf-<index>, each with its password")
        return _Key(id=key, index=int(match[2]), encryption=match[1] is not None)

    def _signing(self, key: KeyId) -> _Key:
        found = self._named(key)
        if found.encryption:
            raise WrongPurpose(f"the key {key} is for encryption and does not sign")
        return found

    def _export(self, session: _Session, key: _Key) -> PublicKey:
        record = sdf_abi.EccPublicKey()
        self._key_call(f"SDF_Export{'Enc' if key.encryption else 'Sign'}PublicKey_ECC", session, key, byref(record))
        try:
            point = b"\x04" + sdf_abi.value_of(record.x) + sdf_abi.value_of(record.y)
            public = PublicKey.from_point(KeyKind.SM2, point)
        except (ValueError, KeyRefused):
            public = None
        if public is None or record.bits != sdf_abi.SM2_BITS:
            raise VaultDamaged(f"what the device has as its {key} is no SM2 key")
        return public

    def _sign(self, session: _Session, key: _Key, digest: bytes) -> bytes:
        if key.id not in session.known:
            self._enter(session, key)
        record = sdf_abi.EccSignature()
        self._key_call("SDF_InternalSign_ECC", session, key, digest, len(digest), byref(record))
        try:
            return signature_to_der(sdf_abi.value_of(record.r) + sdf_abi.value_of(record.s))
        except (ValueError, DerError):
            raise VaultDamaged(f"what the device gives as a signature of its {key} is none") from None

    def _decrypt(self, session: _Session, key: _Key, ciphertext: Sm2Ciphertext) -> bytes:
        if key.id not in session.known:
            self._enter(session, key)
        octets = sdf_abi.cipher_of(ciphertext.point, ciphertext.check, ciphertext.body)
        room, size = ctypes.create_string_buffer(len(ciphertext.body)), c_uint(len(ciphertext.body))
        number = None if self._decryption is None else self._decryption.algorithm
        try:
            self._key_call(
                "SDF_InternalDecrypt_ECC",
                session,
                key,
                *(() if number is None else (number,)),
                octets,
                room,
                byref(size),
            )
            if size.value != len(ciphertext.body):
                raise VaultDamaged(f"what the device decrypts with its {key} has another size")
            return room.raw
        finally:
            ctypes.memset(room, 0, len(ciphertext.body))

    def _enter(self, session: _Session, key: _Key) -> None:
        """Get the right to use a key in ``session``, of the very device that has the key we know."""
        if self._export(session, key) != self._public[key.id]:
            raise VaultDamaged(f"the device has another key as its {key} than before")
        password = self.__passwords[key.index].octets
        if password and key.index not in session.granted:
            self._ask(session, key.index, password)
            session.granted.add(key.index)
        session.known.add(key.id)

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

    def _key_call(self, name: str, session: _Session, key: _Key, *arguments: object) -> None:
        code = self._device.call(name, session.handle, key.index, *arguments)
        self._device.raise_if_gone(name, code)
        if code == sdf_abi.NO_RIGHT and key.index in session.granted:
            # The device forgot the right it gave, as after a restart of its own: a new session asks again.
            raise DeviceGone(f"the device takes back the right to use its {key}")
        if code == sdf_abi.NO_RIGHT:
            raise PinRefused(f"the device wants a password for its {key}: name it, then start again")
        if code == sdf_abi.NO_KEY:
            raise UnknownKey(f"the device has no {key}")
        if code != sdf_abi.OK:
            raise KeyRefused(f"the device refuses {name} for its {key} with {code:#010x}")

    def __repr__(self) -> str:
        return f"SdfVault({self._device.library!r}, keys={list(self.keys())})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a vault is not copied to where its passwords would be readable")


def _id(index: int, *, encryption: bool = False) -> KeyId:
    return KeyId(f"sdf-{'encryption-' if encryption else ''}{index}")


def _wrong(index: int) -> str:
    return f"the device does not accept the password of its signing key {index}: set the right one and start again"
