"""A PKCS #11 token as a ``Link``: initialising, logging in, sessions, and the few things asked of them."""

import ctypes
import os
from ctypes import byref, c_ulong
from dataclasses import dataclass, field
from typing import Final

from crypto.errors import KeyRefused
from crypto.vaults import cryptoki as ck
from crypto.vaults.errors import DeviceGone, PinRefused, UnknownKey, VaultDamaged
from crypto.vaults.hidden import Hidden

_AT_ONCE: Final = 64
_MOST_OBJECTS: Final = 100_000
_MOST_SLOTS: Final = 4096
_SIGNATURE_ROOM: Final = 2048
_LOOKS: Final = 3


@dataclass(slots=True, repr=False)
class _LoggedIn:
    """A connection: the session that keeps the login alive, and the handles of private keys found so far."""

    slot: int
    anchor: int
    privates: dict[bytes, int] = field(default_factory=dict)


class Token:
    """One token of one module. Return values become refusals, of one sentence each."""

    def __init__(self, module: str, label: str, pin: str) -> None:
        """Load ``module``; nothing is asked of the token yet."""
        self.module = module
        self.label = label
        self._functions = ck.Functions(module)
        self.__pin = Hidden(pin.encode())
        self._pin_refused = False
        self._initialized_in: int | None = None
        self._used_in: int | None = None

    def connect(self) -> _LoggedIn:
        """Initialise the module where that is not done in this process, find the token, log in."""
        slot = self._find_slot()
        self._used_in = os.getpid()
        anchor = self._open(slot)
        try:
            self._login(anchor)
        except KeyRefused:
            self.call("C_CloseSession", anchor)
            raise
        return _LoggedIn(slot, anchor)

    def disconnect(self, connection: _LoggedIn) -> None:
        """End the session that keeps the login; a later connection's own keeps it alive for that one."""
        self.call("C_CloseSession", connection.anchor)

    def open(self, connection: _LoggedIn) -> "TokenSession":
        """Open a session; it is logged in, as all of this process are."""
        return TokenSession(self, self._open(connection.slot), connection.privates)

    def shut(self, session: "TokenSession") -> None:
        """Close a session, whatever the token says to that."""
        self.call("C_CloseSession", session.handle)

    def finalize(self) -> None:
        """Let go of the module, if it was initialised here: others of this process may need it otherwise."""
        if self._initialized_in == os.getpid():
            self._initialized_in = None
            self.call("C_Finalize", None)

    def call(self, name: str, *arguments: object) -> int:
        """Call a function and give its return value."""
        return self._functions.call(name, *arguments)

    def must(self, name: str, *arguments: object) -> None:
        """Call a function; DeviceGone if the token is at fault, KeyRefused for every other no."""
        value = self.call(name, *arguments)
        if value in ck.DEVICE_FAILURES:
            raise DeviceGone(f"the token {self.label!r} does not answer: {name} gives {value:#x}")
        if value in ck.MECHANISM_FAILURES:
            raise KeyRefused(f"the token {self.label!r} does not offer the mechanism that {name} needs")
        if value != ck.OK:
            raise KeyRefused(f"the token {self.label!r} refuses {name} with {value:#x}")

    def _initialize(self) -> None:
        arguments = ck.InitializeArguments(flags=ck.OS_LOCKING)
        value = self.call("C_Initialize", byref(arguments))
        if value == ck.ALREADY_INITIALIZED and self._initialized_in not in (None, os.getpid()):
            # 2.40 section 3.2: a child starts anew. This module did not notice that it is in one, and takes the
            # sessions and the login of the parent for its own.
            self.call("C_Finalize", None)
            value = self.call("C_Initialize", byref(arguments))
        if value == ck.OK:
            self._initialized_in = os.getpid()
        elif value != ck.ALREADY_INITIALIZED:
            raise DeviceGone(f"the module {self.module} does not start: C_Initialize gives {value:#x}")

    def _find_slot(self) -> int:
        # Many modules look for tokens only when they are initialised, and do not see one whose files another process,
        # such as the parent of this one, is just writing: look anew. Not once sessions were opened in this process, for
        # some thread may be in a call.
        for left in reversed(range(_LOOKS)):
            self._initialize()
            try:
                return self._slot()
            except DeviceGone:
                if self._used_in == os.getpid():
                    raise
                self.finalize()
                if not left:
                    raise
        raise AssertionError("every look either finds the token or raises")

    def _slot(self) -> int:
        count = c_ulong(_MOST_SLOTS)
        slots = (c_ulong * _MOST_SLOTS)()
        self.must("C_GetSlotList", 1, slots, byref(count))
        fitting = [slot for slot in slots[: count.value] if self._label(slot) == self.label]
        if not fitting:
            raise DeviceGone(f"no token is labelled {self.label!r} behind {self.module}")
        if len(fitting) > 1:
            raise KeyRefused(f"several tokens are labelled {self.label!r} behind {self.module}: give them other labels")
        return fitting[0]

    def _label(self, slot: int) -> str | None:
        info = ck.TokenInfo()
        return ck.label_of(info) if self.call("C_GetTokenInfo", slot, byref(info)) == ck.OK else None

    def _open(self, slot: int) -> int:
        handle = c_ulong()
        self.must("C_OpenSession", slot, ck.READ_WRITE_SESSION, None, None, byref(handle))
        return handle.value

    def _login(self, session: int) -> None:
        # Called under the pool's lock: one asks at a time, and nobody after a no, for tokens count and lock.
        if not self._pin_refused:
            value = self.call("C_Login", session, ck.USER, self.__pin.octets, len(self.__pin.octets))
            if value in (ck.OK, ck.ALREADY_LOGGED_IN):
                return
            if value not in ck.PIN_FAILURES:
                raise DeviceGone(f"the token {self.label!r} lets nobody in: C_Login gives {value:#x}")
            self._pin_refused = True
        raise PinRefused(f"the token {self.label!r} does not accept its PIN: set the right one and start again")


@dataclass(slots=True, repr=False)
class TokenSession:
    """One session, used by one thread at a time."""

    token: Token
    handle: int
    privates: dict[bytes, int]

    def find(self, template: ck.Template) -> tuple[int, ...]:
        """Give the handles of all objects that fit."""
        found: list[int] = []
        handles, count = (c_ulong * _AT_ONCE)(), c_ulong(1)
        self.token.must("C_FindObjectsInit", self.handle, ck.attributes(template), len(template))
        while count.value and len(found) < _MOST_OBJECTS:
            self.token.must("C_FindObjects", self.handle, handles, _AT_ONCE, byref(count))
            found += handles[: count.value]
        self.token.must("C_FindObjectsFinal", self.handle)
        return tuple(found)

    def private(self, name: bytes) -> int:
        """Give the handle of the private key with this CKA_ID."""
        handle = self.privates.get(name)
        if handle is None:
            found = self.find([(ck.CLASS, ck.ulong(ck.PRIVATE_KEY)), (ck.ID, name)])
            if not found:
                raise UnknownKey(f"there is no key p11-{name.hex()} in the token {self.token.label!r}")
            if len(found) > 1:
                raise VaultDamaged(f"several keys of the token {self.token.label!r} have the CKA_ID {name.hex()}")
            handle = self.privates[name] = found[0]
        return handle

    def value(self, handle: int, kind: int) -> bytes | None:
        """Give one attribute of an object; None if it has none that may be read."""
        wanted = ck.Attribute(kind, None, 0)
        if self.token.call("C_GetAttributeValue", self.handle, handle, byref(wanted), 1) in ck.DEVICE_FAILURES:
            raise DeviceGone(f"the token {self.token.label!r} does not answer: C_GetAttributeValue")
        size = ck.room(wanted.size)
        if size is None:
            return None
        room = ctypes.create_string_buffer(max(size, 1))
        wanted.value = ctypes.addressof(room)
        self.token.must("C_GetAttributeValue", self.handle, handle, byref(wanted), 1)
        return room.raw[: min(wanted.size, size)]

    def sign(self, private: int, mechanism: int, octets: bytes, parameter: bytes = b"") -> bytes:
        """Sign ``octets`` with a mechanism and its parameter, if it has one."""
        held = ctypes.create_string_buffer(parameter, len(parameter)) if parameter else None
        place = None if held is None else ctypes.addressof(held)
        self.token.must("C_SignInit", self.handle, byref(ck.Mechanism(mechanism, place, len(parameter))), private)
        room, size = ctypes.create_string_buffer(_SIGNATURE_ROOM), c_ulong(_SIGNATURE_ROOM)
        self.token.must("C_Sign", self.handle, octets, len(octets), room, byref(size))
        return room.raw[: size.value]

    def generate(self, mechanism: int, *, public: ck.Template, private: ck.Template) -> None:
        """Make a key pair with a mechanism that has no parameter."""
        handles = c_ulong(), c_ulong()
        self.token.must(
            "C_GenerateKeyPair",
            self.handle,
            byref(ck.Mechanism(mechanism, None, 0)),
            ck.attributes(public),
            len(public),
            ck.attributes(private),
            len(private),
            *map(byref, handles),
        )
