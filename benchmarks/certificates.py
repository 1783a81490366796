"""Certificates, chains and a revocation list of 100,000 entries, against `cryptography` doing the same."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.x509.verification import Criticality, ExtensionPolicy, PolicyBuilder, Store

from benchmarks.row import Contender, Row, Spread, cpu_microseconds
from crypto.chain import build_chain
from crypto.crl import RevocationList, make_crl
from crypto.keys import VaultSigner
from crypto.revoked import RevocationReason, Revoked
from crypto.suites import ES256
from crypto.vaults.soft import SoftVault
from crypto.x509 import ROOT, SIGNER, SUB_CA, Certificate, CertificateProfile, make_certificate, name

ROUNDS, TIMES = 40, 10
NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
ENTRIES = 100_000
# Reading is Python here and Rust there; what is asked again and again must not be slower.
REACH_READ, REACH_AGAIN, REACH_CHAIN, REACH_LOOK_UP = 0.1, 1.0, 0.5, 100.0


@dataclass(frozen=True)
class _Holder:
    certificate: Certificate
    signer: VaultSigner


def rows() -> list[dict[str, object]]:
    """Measure; about ten seconds, half of them to write the list."""
    with tempfile.TemporaryDirectory() as folder:
        vault = SoftVault.create(Path(folder) / "vault", "a throw-away passphrase")
        root = _issue(vault, ROOT, None)
        ca = _issue(vault, SUB_CA, root)
        leaf = _issue(vault, SIGNER, ca)
        measured = [*_reading(leaf.certificate), _chain(leaf, ca, root), *_list(ca)]
    return [row.as_dict() for row in measured]


def _issue(vault: SoftVault, profile: CertificateProfile, issuer: _Holder | None) -> _Holder:
    own = VaultSigner(vault, vault.generate(ES256))
    made = make_certificate(
        subject=name(f"Bench {profile.name}", "某某市人民政府"),
        public_key=own.public_key,
        issuer=None if issuer is None else issuer.certificate,
        issuer_key=own if issuer is None else issuer.signer,
        serial=1 << 100,
        not_before=NOW - timedelta(days=1),
        not_after=NOW + timedelta(days=300),
        profile=profile,
    )
    return _Holder(made, own)


def _reading(certificate: Certificate) -> list[Row]:
    raw = certificate.raw
    # Another certificate each time, or it would be remembered: the last octet belongs to the signature.
    others = iter([raw[:-3] + number.to_bytes(3, "big") for number in range(2 * ROUNDS * TIMES)])

    def theirs() -> object:
        read = x509.load_der_x509_certificate(raw)
        extensions = read.extensions
        return read.subject, read.issuer, read.serial_number, read.not_valid_after_utc, read.public_key(), extensions

    def ours(octets: bytes) -> object:
        read = Certificate.from_der(octets)
        return read.subject_text, read.issuer, read.serial, read.not_after, read.public_key, read.extensions

    first, again, peer = _measured(lambda: ours(next(others)), lambda: ours(raw), theirs)
    shared = {"unit": "µs CPU", "peer": "cryptography", "theirs": peer}
    return [
        Row(work="read a certificate, first time", ours=first, reach=REACH_READ, **shared),
        Row(work="read a certificate, met before", ours=again, reach=REACH_AGAIN, **shared),
    ]


def _chain(leaf: _Holder, ca: _Holder, root: _Holder) -> Row:
    """Both build leaf, CA, root from certificates already read, and verify both signatures."""
    path = (leaf.certificate, ca.certificate, root.certificate)
    foreign_leaf, foreign_ca, foreign_root = (x509.load_der_x509_certificate(each.raw) for each in path)
    cas = ExtensionPolicy.permit_all().require_present(x509.BasicConstraints, Criticality.AGNOSTIC, None)
    judge = (
        PolicyBuilder()
        .store(Store([foreign_root]))
        .time(NOW)
        .extension_policies(ca_policy=cas, ee_policy=ExtensionPolicy.permit_all())
        .build_client_verifier()
    )

    def ours() -> object:
        return build_chain(leaf.certificate, intermediates=(ca.certificate,), anchors=(root.certificate,), at=NOW)

    def theirs() -> object:
        return judge.verify(foreign_leaf, [foreign_ca])

    assert build_chain(leaf.certificate, intermediates=(ca.certificate,), anchors=(root.certificate,), at=NOW).trusted
    mine, peer = _measured(ours, theirs)
    return Row(
        work="build a chain of three", unit="µs CPU", ours=mine, peer="cryptography", theirs=peer, reach=REACH_CHAIN
    )


def _list(ca: _Holder) -> list[Row]:
    written = make_crl(
        issuer=ca.certificate,
        issuer_key=ca.signer,
        number=1,
        this_update=NOW,
        next_update=NOW + timedelta(days=1),
        revoked=(
            Revoked(serial=(number << 64) + 7, at=NOW, reason=RevocationReason.KEY_COMPROMISE)
            for number in range(1, ENTRIES + 1)
        ),
    )
    foreign = x509.load_der_x509_crl(written.raw)
    serial = (ENTRIES // 2 << 64) + 7
    found, theirs = written.entry(serial), foreign.get_revoked_certificate_by_serial_number(serial)
    assert found is not None
    assert theirs is not None
    assert found.at == theirs.revocation_date_utc
    mine, peer = _measured(
        lambda: written.entry(serial), lambda: foreign.get_revoked_certificate_by_serial_number(serial), rounds=5
    )
    read, peer_read = _measured(
        lambda: RevocationList.from_der(written.raw).entry(serial),
        lambda: x509.load_der_x509_crl(written.raw).get_revoked_certificate_by_serial_number(serial),
        rounds=5,
        times=1,
    )
    work = f"serial in a list of {ENTRIES:,}"
    return [
        Row(work=work, unit="µs CPU", ours=mine, peer="cryptography", theirs=peer, reach=REACH_LOOK_UP),
        Row(
            work=f"read the list, then one {work[:6]}",
            unit="µs CPU",
            ours=read,
            peer="cryptography",
            theirs=peer_read,
            reach=REACH_READ,
        ),
    ]


def _measured(*runs: Callable[[], object], rounds: int = ROUNDS, times: int = TIMES) -> tuple[Spread, ...]:
    return cpu_microseconds([Contender(run=run, times=times) for run in runs], rounds=rounds)
