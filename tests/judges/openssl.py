"""The openssl command as an independent judge; skips where it is not installed."""

import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from crypto.sm2 import DEFAULT_ID
from crypto.x509 import Certificate

_DISTID = f"distid:{DEFAULT_ID.decode()}"


def accepts_certificate(certificate: Certificate, issuer: Certificate) -> bool:
    """Whether ``certificate`` verifies under ``issuer``, one step (the SM2 identifier reaches only the leaf)."""
    with tempfile.TemporaryDirectory(prefix="xinyin-judge-") as folder:
        trusted, leaf = _write(folder, issuer.pem().encode(), certificate.pem().encode())
        identifier = ("-vfyopt", _DISTID) if certificate.public_key.kind.value == "sm2" else ()
        answer = _run("verify", "-partial_chain", "-no_check_time", *identifier, "-trusted", trusted, leaf)
    return answer.returncode == 0


def accepts_csr(request: bytes, *, sm2: bool) -> bool:
    """Whether a DER certification request verifies under its own key."""
    with tempfile.TemporaryDirectory(prefix="xinyin-judge-") as folder:
        (file,) = _write(folder, request)
        identifier = ("-vfyopt", _DISTID) if sm2 else ()
        answer = _run("req", "-verify", "-noout", "-inform", "DER", *identifier, "-in", file)
    # Version 3.0 leaves with 0 whatever it finds.
    return answer.returncode == 0 and b"verify OK" in answer.stdout + answer.stderr


def accepts_cms(message: bytes, content: bytes, anchor: Certificate) -> bool:
    """Whether a detached CMS (P-256 or RSA) over ``content`` verifies, and its signer chains to ``anchor``."""
    with tempfile.TemporaryDirectory(prefix="xinyin-judge-") as folder:
        cms, data, trusted = _write(folder, message, content, anchor.pem().encode())
        verify = ("cms", "-verify", "-binary", "-no_check_time", "-purpose", "any")
        answer = _run(*verify, "-inform", "DER", "-in", cms, "-content", data, "-CAfile", trusted)
    return answer.returncode == 0


def accepts_sm2_signature(public_key_pem: str, message: bytes, signature: bytes) -> bool:
    """Whether a DER signature over ``message`` is the SM2 key's, under the default identifier."""
    with tempfile.TemporaryDirectory(prefix="xinyin-judge-") as folder:
        key, data, value = _write(folder, public_key_pem.encode(), message, signature)
        answer = _run("dgst", "-sm3", "-verify", key, "-sigopt", _DISTID, "-signature", value, data)
    return answer.returncode == 0


def text_of(certificate: Certificate) -> str:
    """What openssl reads in a certificate."""
    with tempfile.TemporaryDirectory(prefix="xinyin-judge-") as folder:
        (file,) = _write(folder, certificate.raw)
        return _run("x509", "-text", "-noout", "-inform", "DER", "-in", file).stdout.decode()


def _run(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl judge: the command is missing")
    return subprocess.run([openssl, *arguments], capture_output=True, check=False, timeout=60)


def _write(folder: str, *contents: bytes) -> list[str]:
    files = []
    for number, content in enumerate(contents):
        file = Path(folder) / f"file{number}"
        file.write_bytes(content)
        files.append(str(file))
    return files
