"""The libcrypto door: SM2 through OpenSSL 3 (or Tongsuo) by ctypes, on digests and numbers only.

Z_A stays above this door, so OpenSSL's empty default identifier never matters: what is signed is the
32-octet e by ``EVP_PKEY_sign``. Every foreign call lets other threads run; handles of keys are kept
in bounded caches and freed when the last user lets go. OpenSSL re-seeds its generator after a fork, and a
key handle holds no nonce, so nothing needs to be reset in a child.
"""

import ctypes
import os
from collections.abc import Mapping
from ctypes import POINTER, byref, c_char_p, c_int, c_long, c_size_t, c_ulong, c_void_p
from functools import lru_cache
from typing import Final

from crypto.der import bit_string, integer, octet_string, oid, sequence
from crypto.errors import DerError, EngineUnavailable, KeyRefused
from crypto.sm2 import POINT_SIZE, SCALAR_SIZE, on_curve, scalar_fits, signature_from_der, signature_to_der
from crypto.suites import SM2_SM3

_VERSION_3: Final = 0x30000000
_DIGEST_SIZE: Final = 32
_SIGNATURE_ROOM: Final = 80
_KEYS_KEPT: Final = 4096
_ALGORITHM: Final = sequence(oid(SM2_SM3.key_oid), oid(SM2_SM3.curve_oid or ""))

_FUNCTIONS: Final[Mapping[str, tuple[object, tuple[object, ...]]]] = {
    "OpenSSL_version_num": (c_ulong, ()),
    "OpenSSL_version": (c_char_p, (c_int,)),
    "ERR_clear_error": (None, ()),
    "d2i_AutoPrivateKey": (c_void_p, (c_void_p, POINTER(c_char_p), c_long)),
    "d2i_PUBKEY": (c_void_p, (c_void_p, POINTER(c_char_p), c_long)),
    "i2d_PUBKEY": (c_int, (c_void_p, c_void_p)),
    "EVP_PKEY_free": (None, (c_void_p,)),
    "EVP_PKEY_CTX_new": (c_void_p, (c_void_p, c_void_p)),
    "EVP_PKEY_CTX_free": (None, (c_void_p,)),
    "EVP_PKEY_sign_init": (c_int, (c_void_p,)),
    "EVP_PKEY_sign": (c_int, (c_void_p, c_char_p, POINTER(c_size_t), c_char_p, c_size_t)),
    "EVP_PKEY_verify_init": (c_int, (c_void_p,)),
    "EVP_PKEY_verify": (c_int, (c_void_p, c_char_p, c_size_t, c_char_p, c_size_t)),
}


class _Handle:
    """A foreign pointer that is freed with its last reference, so that eviction cannot pull it from under a user."""

    __slots__ = ("_free", "pointer")

    def __init__(self, pointer: int, free: "ctypes._NamedFuncPointer") -> None:
        self.pointer = pointer
        self._free = free

    def __del__(self) -> None:
        self._free(self.pointer)


class LibcryptoEngine:
    """SM2 by one loaded libcrypto; thread-safe and fork-safe."""

    name = "libcrypto"

    def __init__(self, library: str, *, keys_kept: int = _KEYS_KEPT) -> None:
        """Load ``library`` (a path or soname); EngineUnavailable unless it is OpenSSL 3 or later.

        ``keys_kept`` bounds the handles of private keys, and those of public keys, that are kept for reuse.
        """
        try:
            self._lib = ctypes.CDLL(library)
            for symbol, (result, arguments) in _FUNCTIONS.items():
                function = getattr(self._lib, symbol)
                function.restype, function.argtypes = result, arguments
        except (OSError, AttributeError) as error:
            raise EngineUnavailable(f"{library} cannot be loaded as an OpenSSL 3 libcrypto: {error}") from error
        if self._lib.OpenSSL_version_num() < _VERSION_3:
            raise EngineUnavailable(f"{library} is older than OpenSSL 3.0")
        self.library = library
        self.version = str(self._lib.OpenSSL_version(0).decode("ascii", "replace"))
        self._private = lru_cache(maxsize=keys_kept)(self._load_private)
        self._public = lru_cache(maxsize=keys_kept)(self._load_public)

    def generate(self) -> bytes:
        """Draw a private scalar from the operating system's generator (GB/T 32918.1 6.1: 1..n-2)."""
        while not scalar_fits(scalar := os.urandom(SCALAR_SIZE)):
            pass
        return scalar

    def public_point(self, scalar: bytes) -> bytes:
        """Multiply the base point by ``scalar``; KeyRefused if it is outside 1..n-2."""
        handle = self._private(scalar)
        size = self._lib.i2d_PUBKEY(handle.pointer, None)
        room = ctypes.create_string_buffer(max(size, POINT_SIZE))
        cursor = c_void_p(ctypes.addressof(room))
        if size <= POINT_SIZE or self._lib.i2d_PUBKEY(handle.pointer, byref(cursor)) != size:
            raise self._failure("the public key cannot be computed")
        point = room.raw[size - POINT_SIZE : size]  # The uncompressed point ends a SubjectPublicKeyInfo.
        if not on_curve(point):
            raise self._failure("the public key came out off the curve")
        return point

    def sign(self, scalar: bytes, e: bytes) -> bytes:
        """Sign the 32-octet ``e``; give r||s."""
        _check_digest(e)
        key = self._private(scalar)
        context = self._context(key)
        room = ctypes.create_string_buffer(_SIGNATURE_ROOM)
        size = c_size_t(_SIGNATURE_ROOM)
        if (
            self._lib.EVP_PKEY_sign_init(context.pointer) != 1
            or self._lib.EVP_PKEY_sign(context.pointer, room, byref(size), e, _DIGEST_SIZE) != 1
        ):
            raise self._failure("signing failed")
        return signature_from_der(room.raw[: size.value])

    def verify(self, point: bytes, e: bytes, signature: bytes) -> bool:
        """Say whether r||s signs ``e`` under ``point``; whatever is malformed is False."""
        try:
            _check_digest(e)
            der = signature_to_der(signature)
            key = self._public(point)
        except (DerError, KeyRefused):
            return False
        context = self._context(key)
        if self._lib.EVP_PKEY_verify_init(context.pointer) != 1:
            raise self._failure("verifying cannot start")
        if self._lib.EVP_PKEY_verify(context.pointer, der, len(der), e, _DIGEST_SIZE) == 1:
            return True
        self._lib.ERR_clear_error()
        return False

    def _load_private(self, scalar: bytes) -> _Handle:
        if not scalar_fits(scalar):
            raise KeyRefused("an SM2 private key is 32 octets in 1..n-2")
        # RFC 5208 PrivateKeyInfo around an RFC 5915 ECPrivateKey without its optional public key.
        der = sequence(integer(0), _ALGORITHM, octet_string(sequence(integer(1), octet_string(scalar))))
        return self._key(self._lib.d2i_AutoPrivateKey, der)

    def _load_public(self, point: bytes) -> _Handle:
        if not on_curve(point):
            raise KeyRefused("the SM2 public key is not a point of the curve")
        return self._key(self._lib.d2i_PUBKEY, sequence(_ALGORITHM, bit_string(point)))

    def _key(self, load: "ctypes._NamedFuncPointer", der: bytes) -> _Handle:
        cursor = c_char_p(der)
        pointer = load(None, byref(cursor), len(der))
        if not pointer:
            raise self._failure("it does not know the SM2 curve")
        return _Handle(pointer, self._lib.EVP_PKEY_free)

    def _context(self, key: _Handle) -> _Handle:
        pointer = self._lib.EVP_PKEY_CTX_new(key.pointer, None)
        if not pointer:
            raise self._failure("no operation context can be made")
        return _Handle(pointer, self._lib.EVP_PKEY_CTX_free)

    def _failure(self, what: str) -> EngineUnavailable:
        self._lib.ERR_clear_error()
        return EngineUnavailable(f"{self.library} ({self.version}): {what}")


def _check_digest(e: bytes) -> None:
    if len(e) != _DIGEST_SIZE:
        raise KeyRefused(f"SM2 signs a digest of {_DIGEST_SIZE} octets, not {len(e)}")
