"""Cryptoki (PKCS #11) in the words of ctypes: the structures, numbers and functions that signing needs.

Structures are laid out as on Unix (2.40 section 3: natural alignment); CK_ULONG is the machine's long.
"""

import ctypes
from collections.abc import Mapping, Sequence
from ctypes import POINTER, c_char_p, c_ubyte, c_ulong, c_void_p
from typing import Final

from crypto.digests import SHA256
from crypto.errors import KeyRefused

# Return values (CKR_).
OK: Final = 0x000
PIN_FAILURES: Final = frozenset({0x0A0, 0x0A1, 0x0A2, 0x0A3, 0x0A4, 0x102})  # incorrect … locked, none set
ALREADY_LOGGED_IN: Final = 0x100
ALREADY_INITIALIZED: Final = 0x191
# The device failed or was removed (0x30-0x32, 0xE0, 0xE1), the session ended (0xB0, 0xB3), an object's handle is of
# another session (0x60, 0x82), the login ended (0x101), the library was finalized (0x190).
DEVICE_FAILURES: Final = frozenset({0x30, 0x31, 0x32, 0xE0, 0xE1, 0xB0, 0xB3, 0x60, 0x82, 0x101, 0x190})

# Flags (CKF_), users (CKU_), classes (CKO_), attributes (CKA_), key types (CKK_), mechanisms (CKM_).
OS_LOCKING: Final = 2
READ_WRITE_SESSION: Final = 2 | 4
USER: Final = 1
PUBLIC_KEY, PRIVATE_KEY = 2, 3
CLASS, TOKEN, PRIVATE, LABEL, KEY_TYPE, ID, SENSITIVE = 0x00, 0x01, 0x02, 0x03, 0x100, 0x102, 0x103
SIGN, VERIFY, MODULUS, MODULUS_BITS, PUBLIC_EXPONENT = 0x108, 0x10A, 0x120, 0x121, 0x122
EXTRACTABLE, EC_PARAMS, EC_POINT = 0x162, 0x180, 0x181
ALLOWED_MECHANISMS: Final = 0x40000600
RSA, EC, EDWARDS = 0x00, 0x03, 0x40
RSA_GENERATE, RSA_PKCS, RSA_PSS, EC_GENERATE, ECDSA = 0x0000, 0x0001, 0x000D, 0x1040, 0x1041
EDWARDS_GENERATE, EDDSA = 0x1055, 0x1057
DIGESTS: Final[Mapping[str, tuple[int, int]]] = {SHA256.oid: (0x250, 2)}
"""CKM_ of a digest, and CKG_ of MGF1 with it."""

MECHANISM_FAILURES: Final = frozenset({0x70, 0x71})  # CKR_MECHANISM_INVALID, CKR_MECHANISM_PARAM_INVALID

_UNAVAILABLE: Final = c_ulong(-1).value
_LARGEST: Final = 16 * 1024
_LABEL_SIZE: Final = 32

Template = Sequence[tuple[int, bytes]]


class Version(ctypes.Structure):
    """CK_VERSION."""

    _fields_ = (("major", c_ubyte), ("minor", c_ubyte))


class InitializeArguments(ctypes.Structure):
    """CK_C_INITIALIZE_ARGS."""

    _fields_ = (
        ("create", c_void_p),
        ("destroy", c_void_p),
        ("lock", c_void_p),
        ("unlock", c_void_p),
        ("flags", c_ulong),
        ("reserved", c_void_p),
    )


class TokenInfo(ctypes.Structure):
    """CK_TOKEN_INFO."""

    _fields_ = (
        ("label", c_ubyte * _LABEL_SIZE),
        ("maker", c_ubyte * 32),
        ("model", c_ubyte * 16),
        ("serial", c_ubyte * 16),
        ("flags", c_ulong),
        ("counts", c_ulong * 10),
        ("hardware", Version),
        ("firmware", Version),
        ("time", c_ubyte * 16),
    )


class Mechanism(ctypes.Structure):
    """CK_MECHANISM."""

    _fields_ = (("type", c_ulong), ("parameter", c_void_p), ("size", c_ulong))


class Attribute(ctypes.Structure):
    """CK_ATTRIBUTE."""

    _fields_ = (("type", c_ulong), ("value", c_void_p), ("size", c_ulong))


# Where each function stands in CK_FUNCTION_LIST, and its arguments.
_FUNCTIONS: Final[Mapping[str, tuple[int, tuple[object, ...]]]] = {
    "C_Initialize": (0, (POINTER(InitializeArguments),)),
    "C_Finalize": (1, (c_void_p,)),
    "C_GetSlotList": (4, (c_ubyte, POINTER(c_ulong), POINTER(c_ulong))),
    "C_GetTokenInfo": (6, (c_ulong, POINTER(TokenInfo))),
    "C_OpenSession": (12, (c_ulong, c_ulong, c_void_p, c_void_p, POINTER(c_ulong))),
    "C_CloseSession": (13, (c_ulong,)),
    "C_Login": (18, (c_ulong, c_ulong, c_char_p, c_ulong)),
    "C_GetAttributeValue": (24, (c_ulong, c_ulong, POINTER(Attribute), c_ulong)),
    "C_FindObjectsInit": (26, (c_ulong, POINTER(Attribute), c_ulong)),
    "C_FindObjects": (27, (c_ulong, POINTER(c_ulong), c_ulong, POINTER(c_ulong))),
    "C_FindObjectsFinal": (28, (c_ulong,)),
    "C_SignInit": (42, (c_ulong, POINTER(Mechanism), c_ulong)),
    "C_Sign": (43, (c_ulong, c_char_p, c_ulong, c_void_p, POINTER(c_ulong))),
    "C_GenerateKeyPair": (
        59,
        (
            c_ulong,
            POINTER(Mechanism),
            *(POINTER(Attribute), c_ulong) * 2,
            POINTER(c_ulong),
            POINTER(c_ulong),
        ),
    ),
}
_LAST: Final = max(place for place, _ in _FUNCTIONS.values())


class _FunctionList(ctypes.Structure):
    _fields_ = (("version", Version), ("functions", c_void_p * (_LAST + 1)))


class Functions:
    """A loaded module's functions, by name."""

    def __init__(self, module: str) -> None:
        """Load ``module``; KeyRefused if it is no Cryptoki module."""
        try:
            self._library = ctypes.CDLL(module)
            get = self._library.C_GetFunctionList
        except (OSError, AttributeError) as error:
            raise KeyRefused(f"{module} cannot be loaded as a PKCS #11 module: {error}") from None
        get.restype, get.argtypes = c_ulong, (POINTER(POINTER(_FunctionList)),)
        found = POINTER(_FunctionList)()
        if get(ctypes.byref(found)) != OK or not ctypes.cast(found, c_void_p).value:
            raise KeyRefused(f"{module} gives no list of PKCS #11 functions")
        places = found.contents.functions
        self._calls = {
            name: ctypes.CFUNCTYPE(c_ulong, *arguments)(places[place] or 0)  # type: ignore[arg-type]
            for name, (place, arguments) in _FUNCTIONS.items()
        }
        if not all(places[place] for place, _ in _FUNCTIONS.values()):
            raise KeyRefused(f"{module} lacks PKCS #11 functions that signing needs")

    def call(self, name: str, *arguments: object) -> int:
        """Call a function and give its return value."""
        return int(self._calls[name](*arguments))


def ulong(value: int) -> bytes:
    """Write a CK_ULONG, as attributes hold it."""
    return bytes(c_ulong(value))


def number(octets: bytes) -> int | None:
    """Read a CK_ULONG; None if it is none."""
    return c_ulong.from_buffer_copy(octets).value if len(octets) == ctypes.sizeof(c_ulong) else None


def ulongs(octets: bytes) -> frozenset[int]:
    """Read an array of CK_ULONG, as CKA_ALLOWED_MECHANISMS holds it; nothing if it is none."""
    size = ctypes.sizeof(c_ulong)
    return frozenset(c_ulong.from_buffer_copy(octets, at).value for at in range(0, len(octets) - size + 1, size))


TRUE: Final = b"\x01"
FALSE: Final = b"\x00"


def attributes(template: Template) -> "ctypes.Array[Attribute]":
    """Write a template; it owns the octets it points to."""
    array = (Attribute * len(template))()
    # The structures hold bare addresses: something has to keep the octets alive as long as they.
    array._octets = [ctypes.create_string_buffer(value, len(value)) for _, value in template]  # type: ignore[attr-defined]  # noqa: SLF001
    for at, (kind, value) in enumerate(template):
        array[at] = Attribute(kind, ctypes.addressof(array._octets[at]), len(value))  # type: ignore[attr-defined]  # noqa: SLF001
    return array


def room(size: int) -> int | None:
    """Give the size of an attribute's value as the module states it; None if it has none that may be read."""
    return size if size != _UNAVAILABLE and size <= _LARGEST else None


def label_of(info: TokenInfo) -> str:
    """Give the label of a token, without the blanks that fill it up."""
    return bytes(info.label).decode("utf-8", "replace").rstrip(" \x00")
