"""A cryptographic device for tests: the stub library, compiled here, and what can be done to it."""

import ctypes
import shutil
import subprocess
from enum import IntEnum
from pathlib import Path

SOURCE = Path(__file__).with_name("sdf_stub.c")
PIN = "sdf-stub-pin"
COMMUNICATION, HARDWARE, UNKNOWN, WRONG_PIN = 0x01000003, 0x01000004, 0x01000001, 0x01000100
_FLAGS = ("-std=c11", "-D_DEFAULT_SOURCE", "-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC")


class Call(IntEnum):
    """Where the device can be told to fail."""

    OPEN_DEVICE = 0
    OPEN_SESSION = 1
    RIGHT = 2
    EXPORT = 3
    SIGN = 4
    RANDOM = 5
    INFO = 6
    DECRYPT = 7


class Count(IntEnum):
    """What the device counts."""

    DEVICES = 0
    SESSIONS = 1
    PINS = 2
    MISUSES = 3
    OPENED = 4
    MOST_SESSIONS = 5


class NoCompiler(Exception):
    """This machine cannot compile the device; the text is the one line to skip with."""


def compile_device(folder: Path) -> Path:
    """Compile the device; NoCompiler where there is no compiler or no libcrypto 3."""
    compiler = shutil.which("cc")
    if compiler is None:
        raise NoCompiler("the SDF stub needs a C compiler: install gcc")
    library = folder / "libsdf_stub.so"
    command = [compiler, *_FLAGS, "-o", str(library), str(SOURCE), "-l:libcrypto.so.3", "-lpthread"]
    run = subprocess.run(command, check=False, capture_output=True, text=True)
    if "libcrypto.so.3" in run.stderr:
        raise NoCompiler("the SDF stub needs libcrypto.so.3 where the linker looks: install libssl3")
    assert run.returncode == 0, run.stderr
    return library


class Device:
    """One device of its own: each copy of the library has its own keys, handles and failures."""

    def __init__(self, compiled: Path, folder: Path) -> None:
        self.library = str(shutil.copy(compiled, folder / "device.so"))
        self._lib = ctypes.CDLL(self.library)
        self._lib.sdf_stub_fail.argtypes = (ctypes.c_int, ctypes.c_uint, ctypes.c_int)

    def fail(self, call: Call, code: int, times: int = 1) -> None:
        """Let the next ``times`` calls of a kind give ``code``."""
        self._lib.sdf_stub_fail(call, code, times)

    def plug_in_again(self) -> None:
        """Let all that was opened until now be dead."""
        self._lib.sdf_stub_plug_in_again()

    def forget_rights(self) -> None:
        """Let every right to use a key be lost."""
        self._lib.sdf_stub_forget_rights()

    def replace_key(self, index: int) -> None:
        """Put another key in the place of one."""
        self._lib.sdf_stub_replace_key(index)

    def want_algorithm(self, number: int) -> None:
        """Let the device decrypt only where this number stands before the ciphertext; 0 for none."""
        self._lib.sdf_stub_want_algorithm(number)

    def align_left(self) -> None:
        """Put values at the wrong end of their fields."""
        self._lib.sdf_stub_align_left(1)

    def count(self, what: Count) -> int:
        """Tell what the device counted."""
        return int(self._lib.sdf_stub_count(what))
