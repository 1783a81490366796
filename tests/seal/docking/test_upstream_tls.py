"""Mutual TLS with a department's system: each side proves itself, or nothing is signed."""

import ssl
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from crypto.keys import KeyId
from crypto.suites import SM2_SM3
from kernel.clock import ManualClock
from seal.docking.errors import UpstreamUnavailable
from seal.docking.upstream.vault import Upstream, UpstreamVault
from tests.crypto.authority import NOT_AFTER, NOT_BEFORE, Holder
from tests.sims.upstream import UpstreamSimulator

KEY = KeyId("upstream-dept-seal-01")


def self_signed(folder: Path, called: str) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    named = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, called)])
    made = (
        x509.CertificateBuilder(named, named, key.public_key(), x509.random_serial_number(), NOT_BEFORE, NOT_AFTER)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate, private = folder / f"{called}.pem", folder / f"{called}.key"
    certificate.write_bytes(made.public_bytes(Encoding.PEM))
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return certificate, private


def test_who_has_no_certificate_is_not_answered_and_a_stranger_is_not_asked(
    tmp_path: Path, holders: dict[str, Holder], far_clock: ManualClock
) -> None:
    server, ours, other = (self_signed(tmp_path, called) for called in ("server", "ours", "other"))
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(*server)
    serving.load_verify_locations(ours[0])
    serving.verify_mode = ssl.CERT_REQUIRED

    held = holders["seal-01"]
    keys = {"seal-01": (held.signer, held.certificate)}

    def vault(believed: Path, shown: tuple[Path, Path] | None) -> UpstreamVault:
        context = ssl.create_default_context(cafile=str(believed))
        if shown is not None:
            context.load_cert_chain(*shown)
        upstream = Upstream(
            name="dept", url=department.url, keys={"seal-01": held.certificate}, timeout=timedelta(seconds=5)
        )
        return UpstreamVault(upstream, clock=far_clock, tls=context)

    with UpstreamSimulator(keys, keys["seal-01"], far_clock.now, tls=serving) as department:
        good = vault(server[0], ours)
        assert good.public_key(KEY).verify_digest(SM2_SM3, bytes(32), good.sign_digest(KEY, bytes(32)))
        for believed, shown in ((server[0], None), (server[0], other), (other[0], ours)):
            with pytest.raises(UpstreamUnavailable):
                vault(believed, shown).sign_digest(KEY, bytes(32))
        assert department.asked == 1
