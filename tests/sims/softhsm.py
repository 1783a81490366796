"""SoftHSM for tests: a PKCS #11 module with tokens of its own in a folder."""

import shutil
import subprocess
from pathlib import Path

PIN = "softhsm-user-pin"
MODULES = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/pkcs11/libsofthsm2.so", "/usr/lib/pkcs11/libsofthsm2.so")


class NoSoftHsm(Exception):
    """There is no SoftHSM on this machine; the text is the one line to skip with."""


def module() -> str:
    """Give the path of the module."""
    found = next((path for path in MODULES if Path(path).exists()), None)
    if found is None or shutil.which("softhsm2-util") is None:
        raise NoSoftHsm("the PKCS #11 vault is tested with SoftHSM: install softhsm2")
    return found


def configure(folder: Path) -> Path:
    """Write the configuration that SOFTHSM2_CONF has to name."""
    (folder / "tokens").mkdir()
    path = folder / "softhsm2.conf"
    path.write_text(f"directories.tokendir = {folder / 'tokens'}\nobjectstore.backend = file\nlog.level = ERROR\n")
    return path


def make_token(label: str) -> None:
    """Make a token, by the configuration of the environment."""
    pins = ["--so-pin", "softhsm-so-pin", "--pin", PIN]
    subprocess.run(
        ["softhsm2-util", "--init-token", "--free", "--label", label, *pins], check=True, capture_output=True
    )
