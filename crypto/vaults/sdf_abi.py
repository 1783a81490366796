"""GM/T 0018 SDF in the words of ctypes: its structures, functions and return codes, and nothing else."""

import ctypes
from collections.abc import Mapping
from ctypes import POINTER, c_char_p, c_ubyte, c_uint, c_void_p
from typing import Final

from crypto.errors import KeyRefused

_FIELD: Final = 64  # ECCref_MAX_LEN: 512 bits, of which SM2 uses the last 256.
_VALUE: Final = 32
SM2_BITS: Final = 256

OK: Final = 0
NOT_SUPPORTED: Final = 0x01000002
COMMUNICATION: Final = 0x01000003
HARDWARE: Final = 0x01000004
OPEN_DEVICE: Final = 0x01000005
OPEN_SESSION: Final = 0x01000006
NO_RIGHT: Final = 0x01000007
NO_KEY: Final = 0x01000008

# Appendix A of the standard: what means that the device, not the request, is at fault.
DEVICE_FAILURES: Final = frozenset({COMMUNICATION, HARDWARE, OPEN_DEVICE, OPEN_SESSION})


class EccPublicKey(ctypes.Structure):
    """ECCrefPublicKey: each coordinate right-aligned in 64 octets."""

    _fields_ = (("bits", c_uint), ("x", c_ubyte * _FIELD), ("y", c_ubyte * _FIELD))


class EccSignature(ctypes.Structure):
    """ECCSignature: r and s, each right-aligned in 64 octets."""

    _fields_ = (("r", c_ubyte * _FIELD), ("s", c_ubyte * _FIELD))


class DeviceRecord(ctypes.Structure):
    """DEVICEINFO."""

    _fields_ = (
        ("issuer", c_ubyte * 40),
        ("name", c_ubyte * 16),
        ("serial", c_ubyte * 16),
        ("version", c_uint),
        ("standard", c_uint),
        ("asymmetric", c_uint * 2),
        ("symmetric", c_uint),
        ("hashes", c_uint),
        ("buffer", c_uint),
    )


FUNCTIONS: Final[Mapping[str, tuple[object, ...]]] = {
    "SDF_OpenDevice": (POINTER(c_void_p),),
    "SDF_CloseDevice": (c_void_p,),
    "SDF_OpenSession": (c_void_p, POINTER(c_void_p)),
    "SDF_CloseSession": (c_void_p,),
    "SDF_GetDeviceInfo": (c_void_p, POINTER(DeviceRecord)),
    "SDF_GenerateRandom": (c_void_p, c_uint, c_void_p),
    "SDF_GetPrivateKeyAccessRight": (c_void_p, c_uint, c_char_p, c_uint),
    "SDF_ReleasePrivateKeyAccessRight": (c_void_p, c_uint),
    "SDF_ExportSignPublicKey_ECC": (c_void_p, c_uint, POINTER(EccPublicKey)),
    "SDF_InternalSign_ECC": (c_void_p, c_uint, c_char_p, c_uint, POINTER(EccSignature)),
}


# What a library has besides, if it decrypts: the second with or without the number of an algorithm.
_DECRYPT: Final = "SDF_InternalDecrypt_ECC"
_CIPHER_AND_ANSWER: Final = (c_void_p, c_void_p, POINTER(c_uint))


def add_decryption(loaded: ctypes.CDLL, library: str, *, with_algorithm: bool) -> None:
    """Declare the functions of encryption keys; KeyRefused if the library lacks one."""
    head = (c_void_p, c_uint, c_uint) if with_algorithm else (c_void_p, c_uint)
    wanted = {
        "SDF_ExportEncPublicKey_ECC": FUNCTIONS["SDF_ExportSignPublicKey_ECC"],
        _DECRYPT: (*head, *_CIPHER_AND_ANSWER),
    }
    try:
        for name, arguments in wanted.items():
            function = getattr(loaded, name)
            function.restype, function.argtypes = c_uint, arguments
    except AttributeError as error:
        raise KeyRefused(f"{library} does not decrypt: {error}") from None


def cipher_of(point: bytes, check: bytes, body: bytes) -> bytes:
    """Write an ECCCipher: the coordinates right-aligned in 64 octets each, C3, the size of C2, C2."""
    x, y = (point[at : at + _VALUE].rjust(_FIELD, b"\x00") for at in (1, 1 + _VALUE))
    return x + y + check + bytes(c_uint(len(body))) + body


def load(library: str) -> ctypes.CDLL:
    """Load a vendor's library; KeyRefused if it cannot be, or lacks a function."""
    try:
        loaded = ctypes.CDLL(library)
        for name, arguments in FUNCTIONS.items():
            function = getattr(loaded, name)
            function.restype, function.argtypes = c_uint, arguments
    except (OSError, AttributeError) as error:
        raise KeyRefused(f"{library} cannot be loaded as an SDF library (GM/T 0018): {error}") from None
    return loaded


def value_of(field: "ctypes.Array[c_ubyte]") -> bytes:
    """Give the 32 octets of a right-aligned field; ValueError if there is more in it, or it is aligned otherwise."""
    octets = bytes(field)
    if any(octets[:-_VALUE]):
        raise ValueError("the field holds more than 256 bits")
    return octets[-_VALUE:]


def text_of(field: "ctypes.Array[c_ubyte]") -> str:
    """Give the text of a field that zeros or blanks fill up."""
    return bytes(field).split(b"\x00")[0].decode("utf-8", "replace").strip()
