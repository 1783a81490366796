"""The libbotan door: SM2 through Botan 3 by ctypes, on digests and numbers only.

Z_A stays above this door: the padding "…,Raw" makes Botan sign the 32-octet e that it is given (the identifier before
the comma is then not used). Every foreign call that computes lets other threads run; handing over the 32 octets does
not, for getting the interpreter back costs more than that. An operation object holds the digest while it works, so each
is used by one thread at a time: it is taken out of its key's idle ones and put back when it has succeeded. It holds no
nonce, and randomness comes straight from the operating system, so that nothing needs to be reset in a child.
"""

import ctypes
from collections.abc import Callable, Mapping
from ctypes import CFUNCTYPE, POINTER, byref, c_char_p, c_int, c_size_t, c_uint32, c_void_p
from functools import lru_cache
from typing import Any, Final, TypeAlias

from crypto.engines.foreign import DIGEST_SIZE, Handle, Idle, check_digest, check_point, check_scalar, draw_scalar
from crypto.errors import EngineUnavailable, KeyRefused
from crypto.sm2 import POINT_SIZE, RAW_SIGNATURE_SIZE, SCALAR_SIZE, on_curve, signature_fits

_MAJOR: Final = 3
_CURVE: Final = b"sm2p256v1"
_PADDING: Final = b"1234567812345678,Raw"  # "Raw" alone would be an identifier, and SM3 the digest.
_PREFIX: Final = "xinyin_"  # What native/ puts before every name.
_KEYS_KEPT: Final = 4096
_INVALID: Final = 1  # BOTAN_FFI_INVALID_VERIFIER: an answer, not an error.
_VIEW_FAILED: Final = -20

_VIEW: Final = CFUNCTYPE(c_int, c_void_p, c_void_p, c_size_t)
_OUT: Final = POINTER(c_void_p)

_FUNCTIONS: Final[Mapping[str, tuple[Any, tuple[Any, ...]]]] = {
    "botan_version_string": (c_char_p, ()),
    "botan_version_major": (c_uint32, ()),
    "botan_error_description": (c_char_p, (c_int,)),
    "botan_rng_init": (c_int, (_OUT, c_char_p)),
    "botan_rng_destroy": (c_int, (c_void_p,)),
    "botan_mp_init": (c_int, (_OUT,)),
    "botan_mp_destroy": (c_int, (c_void_p,)),
    "botan_mp_from_bin": (c_int, (c_void_p, c_char_p, c_size_t)),
    "botan_mp_to_bin": (c_int, (c_void_p, c_char_p)),
    "botan_mp_num_bytes": (c_int, (c_void_p, POINTER(c_size_t))),
    "botan_privkey_load_sm2": (c_int, (_OUT, c_void_p, c_char_p)),
    "botan_privkey_export_pubkey": (c_int, (_OUT, c_void_p)),
    "botan_privkey_destroy": (c_int, (c_void_p,)),
    "botan_pubkey_load_sm2": (c_int, (_OUT, c_void_p, c_void_p, c_char_p)),
    "botan_pubkey_get_field": (c_int, (c_void_p, c_void_p, c_char_p)),
    "botan_pubkey_destroy": (c_int, (c_void_p,)),
    "botan_pk_op_sign_create": (c_int, (_OUT, c_void_p, c_char_p, c_uint32)),
    "botan_pk_op_sign_update": (c_int, (c_void_p, c_char_p, c_size_t)),
    "botan_pk_op_sign_finish": (c_int, (c_void_p, c_void_p, c_char_p, POINTER(c_size_t))),
    "botan_pk_op_sign_destroy": (c_int, (c_void_p,)),
    "botan_pk_op_verify_create": (c_int, (_OUT, c_void_p, c_char_p, c_uint32)),
    "botan_pk_op_verify_update": (c_int, (c_void_p, c_char_p, c_size_t)),
    "botan_pk_op_verify_finish": (c_int, (c_void_p, c_char_p, c_size_t)),
    "botan_pk_op_verify_destroy": (c_int, (c_void_p,)),
}
# Botan 3.12 and later; without them there is no multiplication.
_MULTIPLYING: Final[Mapping[str, tuple[Any, tuple[Any, ...]]]] = {
    "botan_ec_group_from_name": (c_int, (_OUT, c_char_p)),
    "botan_ec_group_destroy": (c_int, (c_void_p,)),
    "botan_ec_scalar_from_mp": (c_int, (_OUT, c_void_p, c_void_p)),
    "botan_ec_scalar_destroy": (c_int, (c_void_p,)),
    "botan_ec_point_from_bytes": (c_int, (_OUT, c_void_p, c_char_p, c_size_t)),
    "botan_ec_point_mul": (c_int, (_OUT, c_void_p, c_void_p, c_void_p)),
    "botan_ec_point_view_uncompressed": (c_int, (c_void_p, c_void_p, _VIEW)),
    "botan_ec_point_destroy": (c_int, (c_void_p,)),
}

# Calls of a fraction of a microsecond, during which other threads are not let in.
_SHORT: Final = frozenset(("botan_pk_op_sign_update", "botan_pk_op_verify_update"))

_Function: TypeAlias = Callable[..., Any]


class _Library:
    """The functions of one loaded library by their names in ``ffi.h``, and what their answers mean."""

    def __init__(self, path: str) -> None:
        self.path = path
        try:
            loaded, holding = ctypes.CDLL(path), ctypes.PyDLL(path)
            self._prefix = _PREFIX if hasattr(loaded, _PREFIX + "botan_version_major") else ""
            self._functions = {
                name: self._bind(holding if name in _SHORT else loaded, name, *shape)
                for name, shape in _FUNCTIONS.items()
            }
        except (OSError, AttributeError) as error:
            raise EngineUnavailable(f"{path} cannot be loaded as a Botan 3 library: {error}") from error
        major = self["botan_version_major"]()
        if major != _MAJOR:
            raise EngineUnavailable(f"{path} is Botan {major}, not {_MAJOR}")
        # The release's date and more follow in parentheses.
        self.version = self["botan_version_string"]().decode("ascii", "replace").partition(" (")[0]
        self.multiplies = all(hasattr(loaded, self._prefix + name) for name in _MULTIPLYING)
        if self.multiplies:
            self._functions |= {name: self._bind(loaded, name, *shape) for name, shape in _MULTIPLYING.items()}

    def __getitem__(self, name: str) -> _Function:
        return self._functions[name]

    def _bind(self, loaded: ctypes.CDLL, name: str, result: Any, arguments: tuple[Any, ...]) -> _Function:
        function = loaded[self._prefix + name]
        function.restype, function.argtypes = result, arguments
        return function

    def call(self, name: str, *arguments: object) -> None:
        """Call a function that answers 0 where it worked."""
        if code := self[name](*arguments):
            raise self.failure(name, code)

    def make(self, name: str, destroy: str, *arguments: object) -> Handle:
        """Call a function whose first argument takes the object that it makes."""
        pointer = c_void_p()
        self.call(name, byref(pointer), *arguments)
        if pointer.value is None:
            raise self.failure(name, 0)
        return Handle(pointer.value, self[destroy])

    def number(self, octets: bytes | None = None) -> Handle:
        """Make a number, of big-endian octets or zero."""
        number = self.make("botan_mp_init", "botan_mp_destroy")
        if octets is not None:
            self.call("botan_mp_from_bin", number.pointer, octets, len(octets))
        return number

    def octets(self, number: Handle) -> bytes:
        """Write a number of at most 32 octets in 32 octets."""
        size = c_size_t()
        self.call("botan_mp_num_bytes", number.pointer, byref(size))
        if size.value > SCALAR_SIZE:
            raise self.failure("botan_mp_num_bytes", 0)
        room = ctypes.create_string_buffer(SCALAR_SIZE)
        self.call("botan_mp_to_bin", number.pointer, room)
        return room.raw[: size.value].rjust(SCALAR_SIZE, b"\x00")

    def failure(self, name: str, code: int) -> EngineUnavailable:
        """Describe what must not happen; the arguments are not shown."""
        text = self["botan_error_description"](code).decode("ascii", "replace")
        return EngineUnavailable(f"{self.path} ({self.version}): {name} failed: {text} ({code})")


class _Operation:
    """One operation object and, where it signs, the room for what comes out."""

    __slots__ = ("handle", "pointer", "room", "room_size")

    def __init__(self, handle: Handle) -> None:
        self.handle = handle
        self.pointer = handle.pointer
        self.room = ctypes.create_string_buffer(RAW_SIGNATURE_SIZE)
        self.room_size = byref(c_size_t(RAW_SIGNATURE_SIZE))


class BotanEngine:
    """SM2 by one loaded libbotan-3; thread-safe and fork-safe."""

    name = "libbotan"

    def __init__(self, library: _Library, *, keys_kept: int = _KEYS_KEPT) -> None:
        """Use ``open_engine`` instead. ``keys_kept`` bounds the private, and the public, keys kept for reuse."""
        self._lib = library
        self.library = library.path
        self.version = library.version
        # The operating system's generator: it has no state here, so threads and children may share the object.
        self._rng = library.make("botan_rng_init", "botan_rng_destroy", b"system")
        self._random = self._rng.pointer
        self._signing = lru_cache(maxsize=keys_kept)(self._make_signing)
        self._verifying = lru_cache(maxsize=keys_kept)(self._make_verifying)
        self._sign_update, self._sign_finish = library["botan_pk_op_sign_update"], library["botan_pk_op_sign_finish"]
        self._verify_update = library["botan_pk_op_verify_update"]
        self._verify_finish = library["botan_pk_op_verify_finish"]

    def generate(self) -> bytes:
        """Draw a private scalar from the operating system's generator."""
        return draw_scalar()

    def public_point(self, scalar: bytes) -> bytes:
        """Multiply the base point by ``scalar``; KeyRefused if it is outside 1..n-2."""
        private = self._private(scalar)
        public = self._lib.make("botan_privkey_export_pubkey", "botan_pubkey_destroy", private.pointer)
        point = b"\x04" + self._coordinate(public, b"public_x") + self._coordinate(public, b"public_y")
        if not on_curve(point):
            raise self._lib.failure("botan_privkey_export_pubkey", 0)
        return point

    def sign(self, scalar: bytes, e: bytes) -> bytes:
        """Sign the 32-octet ``e``; give r||s."""
        check_digest(e)
        idle = self._signing(scalar)
        operation = idle.take()
        pointer = operation.pointer
        if code := self._sign_update(pointer, e, DIGEST_SIZE):
            raise self._lib.failure("botan_pk_op_sign_update", code)
        if code := self._sign_finish(pointer, self._random, operation.room, operation.room_size):
            raise self._lib.failure("botan_pk_op_sign_finish", code)
        signature = operation.room.raw
        idle.put_back(operation)
        return signature

    def verify(self, point: bytes, e: bytes, signature: bytes) -> bool:
        """Say whether r||s signs ``e`` under ``point``; whatever is malformed is False."""
        if len(e) != DIGEST_SIZE or not signature_fits(signature):
            return False
        try:
            idle = self._verifying(point)
        except KeyRefused:
            return False
        operation = idle.take()
        if code := self._verify_update(operation.pointer, e, DIGEST_SIZE):
            raise self._lib.failure("botan_pk_op_verify_update", code)
        code = self._verify_finish(operation.pointer, signature, RAW_SIGNATURE_SIZE)
        if code not in (0, _INVALID):
            raise self._lib.failure("botan_pk_op_verify_finish", code)
        idle.put_back(operation)
        return bool(code == 0)

    def _private(self, scalar: bytes) -> Handle:
        check_scalar(scalar)
        number = self._lib.number(scalar)
        return self._lib.make("botan_privkey_load_sm2", "botan_privkey_destroy", number.pointer, _CURVE)

    def _make_signing(self, scalar: bytes) -> Idle[_Operation]:
        key = self._private(scalar)
        make, destroy = "botan_pk_op_sign_create", "botan_pk_op_sign_destroy"
        return Idle(lambda: _Operation(self._lib.make(make, destroy, key.pointer, _PADDING, 0)))

    def _make_verifying(self, point: bytes) -> Idle[_Operation]:
        check_point(point)
        x, y = self._lib.number(point[1:33]), self._lib.number(point[33:])
        key = self._lib.make("botan_pubkey_load_sm2", "botan_pubkey_destroy", x.pointer, y.pointer, _CURVE)
        make, destroy = "botan_pk_op_verify_create", "botan_pk_op_verify_destroy"
        return Idle(lambda: _Operation(self._lib.make(make, destroy, key.pointer, _PADDING, 0)))

    def _coordinate(self, public: Handle, called: bytes) -> bytes:
        number = self._lib.number()
        self._lib.call("botan_pubkey_get_field", number.pointer, public.pointer, called)
        return self._lib.octets(number)


class MultiplyingBotanEngine(BotanEngine):
    """The same with Botan 3.12 or later, which also multiplies points."""

    def __init__(self, library: _Library, *, keys_kept: int = _KEYS_KEPT) -> None:
        """Use ``open_engine`` instead."""
        super().__init__(library, keys_kept=keys_kept)
        self._group = library.make("botan_ec_group_from_name", "botan_ec_group_destroy", _CURVE)

    def multiply(self, point: bytes, scalar: bytes) -> bytes:
        """Give ``scalar`` times ``point``; KeyRefused if either does not fit."""
        check_point(point)
        check_scalar(scalar)
        make, group = self._lib.make, self._group.pointer
        number = self._lib.number(scalar)
        factor = make("botan_ec_scalar_from_mp", "botan_ec_scalar_destroy", group, number.pointer)
        base = make("botan_ec_point_from_bytes", "botan_ec_point_destroy", group, point, POINT_SIZE)
        product = make("botan_ec_point_mul", "botan_ec_point_destroy", base.pointer, factor.pointer, self._rng.pointer)
        room = ctypes.create_string_buffer(POINT_SIZE)
        self._lib.call("botan_ec_point_view_uncompressed", product.pointer, ctypes.addressof(room), _copy_point)
        return room.raw


def open_engine(library: str, *, keys_kept: int = _KEYS_KEPT) -> BotanEngine:
    """Load ``library`` (a path or soname); EngineUnavailable unless it is Botan 3."""
    loaded = _Library(library)
    kind = MultiplyingBotanEngine if loaded.multiplies else BotanEngine
    return kind(loaded, keys_kept=keys_kept)


def _copy(room: int, octets: int, size: int) -> int:
    """Copy a point to where the caller wants it."""
    if size != POINT_SIZE:
        return _VIEW_FAILED
    ctypes.memmove(room, octets, size)
    return 0


_copy_point: Final = _VIEW(_copy)
