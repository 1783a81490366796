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


def accepts_crl(pem: str, issuer: Certificate) -> bool:
    """Whether a revocation list (P-256 or RSA) verifies under ``issuer``."""
    with tempfile.TemporaryDirectory(prefix="xinyin-judge-") as folder:
        crl, trusted = _write(folder, pem.encode(), issuer.pem().encode())
        answer = _run("crl", "-noout", "-CAfile", trusted, "-in", crl)
    # Version 3.0 leaves with 0 whatever it finds.
    return answer.returncode == 0 and b"verify OK" in answer.stdout + answer.stderr


def ocsp_status(answer: bytes, certificate: Certificate, issuer: Certificate, anchor: Certificate) -> str:
    """What an OCSP answer (P-256 or RSA) says of ``certificate``: its status, or "refused" when not believed."""
    with tempfile.TemporaryDirectory(prefix="xinyin-judge-") as folder:
        response, leaf, ca, trusted = _write(
            folder, answer, *(each.pem().encode() for each in (certificate, issuer, anchor))
        )
        asked = ("-issuer", ca, "-cert", leaf, "-CAfile", trusted, "-verify_other", ca, "-no_check_time")
        told = _run("ocsp", "-respin", response, "-no_nonce", "-validity_period", "999999999", *asked)
    said = (told.stdout + told.stderr).decode()
    status = next((line.split(": ")[1] for line in said.splitlines() if line.startswith(leaf)), "none")
    return status if "Response verify OK" in said else "refused"


def reads_ocsp_request(request: bytes) -> str:
    """What openssl reads in an OCSP request."""
    with tempfile.TemporaryDirectory(prefix="xinyin-judge-") as folder:
        (file,) = _write(folder, request)
        return _run("ocsp", "-reqin", file, "-req_text").stdout.decode()


def accepts_timestamp(response: bytes, request: bytes, anchor: Certificate, chain: tuple[Certificate, ...]) -> bool:
    """Whether a time-stamp response (P-256 or RSA) answers ``request`` and chains to ``anchor``."""
    with tempfile.TemporaryDirectory(prefix="xinyin-judge-") as folder:
        between = "".join(each.pem() for each in chain)
        answer, query, trusted, others = _write(
            folder, response, request, anchor.pem().encode(), (between or anchor.pem()).encode()
        )
        files = ("-in", answer, "-queryfile", query, "-CAfile", trusted, "-untrusted", others)
        told = _run("ts", "-verify", "-no_check_time", *files)
    return told.returncode == 0 and b"Verification: OK" in told.stdout + told.stderr


def accepts_sm2_signature(public_key_pem: str, message: bytes, signature: bytes) -> bool:
    """Whether a DER signature over ``message`` is the SM2 key's, under the default identifier."""
    with tempfile.TemporaryDirectory(prefix="xinyin-judge-") as folder:
        key, data, value = _write(folder, public_key_pem.encode(), message, signature)
        answer = _run("dgst", "-sm3", "-verify", key, "-sigopt", _DISTID, "-signature", value, data)
    return answer.returncode == 0


def accepts_raw_sm2(public_key_pem: str, message: bytes, signature: bytes, signer_id: bytes) -> bool:
    """Whether a DER signature over ``message`` is the SM2 key's under ``signer_id``, by the raw-message command."""
    with tempfile.TemporaryDirectory(prefix="xinyin-judge-") as folder:
        key, data, value = _write(folder, public_key_pem.encode(), message, signature)
        how = ("-rawin", "-digest", "sm3", "-pkeyopt", f"hexdistid:{signer_id.hex()}")
        answer = _run("pkeyutl", "-verify", "-pubin", "-inkey", key, "-in", data, "-sigfile", value, *how)
    return answer.returncode == 0


def signs_raw_sm2(private_key_pem: bytes, message: bytes, signer_id: bytes) -> bytes:
    """Give the DER signature that openssl makes over ``message`` under ``signer_id``."""
    with tempfile.TemporaryDirectory(prefix="xinyin-judge-") as folder:
        key, data = _write(folder, private_key_pem, message)
        how = ("-rawin", "-digest", "sm3", "-pkeyopt", f"hexdistid:{signer_id.hex()}")
        answer = _run("pkeyutl", "-sign", "-inkey", key, "-in", data, *how)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


def sm3(contents: list[bytes]) -> list[str]:
    """Give the SM3 of each content in hexadecimal."""
    with tempfile.TemporaryDirectory(prefix="xinyin-judge-") as folder:
        answer = _run("dgst", "-sm3", "-r", *_write(folder, *contents))
    return [line.split()[0] for line in answer.stdout.decode().splitlines()]


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
