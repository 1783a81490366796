"""The libcrypto door: SM2 through OpenSSL 3 (or Tongsuo) by ctypes, on digests and numbers only.

Z_A stays above this door, so OpenSSL's empty default identifier never matters: what is signed is the
32-octet e by ``EVP_PKEY_sign``. Every foreign call lets other threads run; handles of keys, and operation contexts
that are ready to sign or verify, are kept in bounded caches and freed when the last user lets go. A context is used by
one thread at a time: it is taken out of its key's idle ones and put back when the call has ended well. OpenSSL
re-seeds its generator after a fork, and a context holds no nonce, so nothing needs to be reset in a child.
"""

import ctypes
from collections.abc import Mapping
from ctypes import POINTER, byref, c_char_p, c_int, c_long, c_size_t, c_ulong, c_void_p
from functools import cache, lru_cache
from typing import Final

from crypto.der import bit_string, integer, octet_string, oid, sequence
from crypto.engines.foreign import DIGEST_SIZE, Handle, Idle, check_digest, check_point, check_scalar, draw_scalar
from crypto.errors import DerError, EngineUnavailable, KeyRefused
from crypto.sm2 import POINT_SIZE, SCALAR_SIZE, on_curve, signature_from_der, signature_to_der
from crypto.suites import SM2_SM3

_VERSION_3: Final = 0x30000000
_SIGNATURE_ROOM: Final = 80
_CONSTANT_TIME: Final = 4  # BN_FLG_CONSTTIME
_UNCOMPRESSED: Final = 4  # POINT_CONVERSION_UNCOMPRESSED
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
    "OBJ_txt2nid": (c_int, (c_char_p,)),
    "EC_GROUP_new_by_curve_name": (c_void_p, (c_int,)),
    "EC_GROUP_free": (None, (c_void_p,)),
    "EC_POINT_new": (c_void_p, (c_void_p,)),
    "EC_POINT_clear_free": (None, (c_void_p,)),
    "EC_POINT_oct2point": (c_int, (c_void_p, c_void_p, c_char_p, c_size_t, c_void_p)),
    "EC_POINT_point2oct": (c_size_t, (c_void_p, c_void_p, c_int, c_char_p, c_size_t, c_void_p)),
    "EC_POINT_mul": (c_int, (c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p)),
    "BN_secure_new": (c_void_p, ()),
    "BN_bin2bn": (c_void_p, (c_char_p, c_int, c_void_p)),
    "BN_set_flags": (None, (c_void_p, c_int)),
    "BN_clear_free": (None, (c_void_p,)),
}


class _Signing:
    """A context that is ready to sign, and the room for what comes out."""

    __slots__ = ("handle", "pointer", "room", "room_size", "size")

    def __init__(self, handle: Handle) -> None:
        self.handle = handle
        self.pointer = handle.pointer
        self.room = ctypes.create_string_buffer(_SIGNATURE_ROOM)
        self.size = c_size_t(_SIGNATURE_ROOM)
        self.room_size = byref(self.size)


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
        self._group = cache(self._load_group)
        self._signing = lru_cache(maxsize=keys_kept)(self._make_signing)
        self._verifying = lru_cache(maxsize=keys_kept)(self._make_verifying)
        self._sign, self._verify = self._lib.EVP_PKEY_sign, self._lib.EVP_PKEY_verify

    def generate(self) -> bytes:
        """Draw a private scalar from the operating system's generator (GB/T 32918.1 6.1: 1..n-2)."""
        return draw_scalar()

    def public_point(self, scalar: bytes) -> bytes:
        """Multiply the base point by ``scalar``; KeyRefused if it is outside 1..n-2."""
        handle = self._load_private(scalar)
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
        check_digest(e)
        idle = self._signing(scalar)
        context = idle.take()
        size = context.size
        size.value = _SIGNATURE_ROOM
        if self._sign(context.pointer, context.room, context.room_size, e, DIGEST_SIZE) != 1:
            raise self._failure("signing failed")
        signature = signature_from_der(context.room.raw[: size.value])
        idle.put_back(context)
        return signature

    def verify(self, point: bytes, e: bytes, signature: bytes) -> bool:
        """Say whether r||s signs ``e`` under ``point``; whatever is malformed is False."""
        try:
            check_digest(e)
            der = signature_to_der(signature)
            idle = self._verifying(point)
        except (DerError, KeyRefused):
            return False
        context = idle.take()
        good: int = self._verify(context.pointer, der, len(der), e, DIGEST_SIZE)
        if good != 1:
            self._lib.ERR_clear_error()
        # A bad signature (0) is an answer; below that something went wrong, perhaps with the context.
        if good >= 0:
            idle.put_back(context)
        return good == 1

    def multiply(self, point: bytes, scalar: bytes) -> bytes:
        """Give ``scalar`` times ``point``; KeyRefused if either does not fit."""
        check_point(point)
        check_scalar(scalar)
        group = self._group().pointer
        base, product = (self._make("EC_POINT_new", "EC_POINT_clear_free", group) for _ in range(2))
        factor = self._make("BN_secure_new", "BN_clear_free")
        # EC_POINT_mul of one point is a ladder in constant time.
        self._lib.BN_set_flags(factor.pointer, _CONSTANT_TIME)
        room = ctypes.create_string_buffer(POINT_SIZE)
        done = (
            self._lib.BN_bin2bn(scalar, SCALAR_SIZE, factor.pointer)
            and self._lib.EC_POINT_oct2point(group, base.pointer, point, POINT_SIZE, None)
            and self._lib.EC_POINT_mul(group, product.pointer, None, base.pointer, factor.pointer, None)
            and self._lib.EC_POINT_point2oct(group, product.pointer, _UNCOMPRESSED, room, POINT_SIZE, None)
        )
        if done != POINT_SIZE:
            raise self._failure("multiplying failed")
        return room.raw

    def _load_group(self) -> Handle:
        number = self._lib.OBJ_txt2nid((SM2_SM3.curve_oid or "").encode())
        return self._make("EC_GROUP_new_by_curve_name", "EC_GROUP_free", number)

    def _make(self, name: str, free: str, *arguments: object) -> Handle:
        pointer = getattr(self._lib, name)(*arguments)
        if not pointer:
            raise self._failure(f"{name} failed")
        return Handle(pointer, getattr(self._lib, free))

    def _load_private(self, scalar: bytes) -> Handle:
        check_scalar(scalar)
        # RFC 5208 PrivateKeyInfo around an RFC 5915 ECPrivateKey without its optional public key.
        der = sequence(integer(0), _ALGORITHM, octet_string(sequence(integer(1), octet_string(scalar))))
        return self._key(self._lib.d2i_AutoPrivateKey, der)

    def _load_public(self, point: bytes) -> Handle:
        check_point(point)
        return self._key(self._lib.d2i_PUBKEY, sequence(_ALGORITHM, bit_string(point)))

    def _key(self, load: "ctypes._NamedFuncPointer", der: bytes) -> Handle:
        cursor = c_char_p(der)
        pointer = load(None, byref(cursor), len(der))
        if not pointer:
            raise self._failure("it does not know the SM2 curve")
        return Handle(pointer, self._lib.EVP_PKEY_free)

    def _make_signing(self, scalar: bytes) -> Idle[_Signing]:
        key = self._load_private(scalar)
        return Idle(lambda: _Signing(self._context(key, self._lib.EVP_PKEY_sign_init)))

    def _make_verifying(self, point: bytes) -> Idle[Handle]:
        key = self._load_public(point)
        return Idle(lambda: self._context(key, self._lib.EVP_PKEY_verify_init))

    def _context(self, key: Handle, ready: "ctypes._NamedFuncPointer") -> Handle:
        context = self._make("EVP_PKEY_CTX_new", "EVP_PKEY_CTX_free", key.pointer, None)
        if ready(context.pointer) != 1:
            raise self._failure("no operation context can be made")
        return context

    def _failure(self, what: str) -> EngineUnavailable:
        self._lib.ERR_clear_error()
        return EngineUnavailable(f"{self.library} ({self.version}): {what}")
