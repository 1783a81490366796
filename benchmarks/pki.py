"""CMS messages, OCSP answers and time-stamp tokens from templates, against one raw signature of the same key."""

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.row import Contender, Row, cpu_microseconds
from crypto.cms_build import CmsTemplate
from crypto.digests import SHA256
from crypto.keys import VaultSigner
from crypto.ocsp import CertId, CertStatus, SingleAnswer
from crypto.ocsp_answer import OcspTemplate
from crypto.suites import ES256, SM2_SM3, Suite
from crypto.timestamp_build import Imprint, TokenTemplate
from crypto.vaults.soft import SoftVault
from crypto.x509 import ROOT, SIGNER, TSA, Certificate, CertificateProfile, make_certificate, name

ROUNDS, TIMES = 40, 25
# An answer or a token costs at most two raw signatures, a message 1.2 of them.
REACH, REACH_CMS = 0.5, 1 / 1.2
NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
MESSAGE = bytes(range(200))


def rows() -> list[dict[str, object]]:
    """Measure; a few seconds."""
    with tempfile.TemporaryDirectory() as folder:
        vault = SoftVault.create(Path(folder) / "vault", "a throw-away passphrase")
        return [row.as_dict() for suite in (SM2_SM3, ES256) for row in _rows(vault, suite)]


def _rows(vault: SoftVault, suite: Suite) -> list[Row]:
    signer = VaultSigner(vault, vault.generate(suite))
    root = _certificate(signer, ROOT, None, None)
    stamper = VaultSigner(vault, vault.generate(suite))
    authority = _certificate(stamper, TSA, root, signer)
    template = TokenTemplate(authority, (), stamper, policy="1.2.3.4")
    answers = OcspTemplate(root, signer, issuer=root)
    said = SingleAnswer(
        cert_id=CertId.of(77, root), status=CertStatus.GOOD, this_update=NOW, next_update=NOW + timedelta(days=1)
    )
    imprint = Imprint.of(SHA256.oid, SHA256.digest(MESSAGE))
    message = CmsTemplate(_certificate(signer, SIGNER, root, signer), (root,), suite)

    def cms() -> bytes:
        attributes = message.attributes(imprint.digest)
        return message.assemble(attributes, signer.sign(attributes))

    ours = (
        ("CMS message", cms, REACH_CMS),
        ("OCSP answer", lambda: answers.answer([said], produced_at=NOW, nonce=bytes(32)), REACH),
        ("time-stamp token", lambda: template.token(imprint, serial=1 << 158, at=NOW, nonce=1 << 63), REACH),
    )
    runs = (lambda: signer.sign(MESSAGE), *(run for _, run, _ in ours))
    raw, *made = cpu_microseconds([Contender(run=run, times=TIMES) for run in runs], rounds=ROUNDS)
    return [
        Row(work=f"{suite.name} {work}", unit="µs CPU", ours=spread, peer="raw signature", theirs=raw, reach=reach)
        for (work, _, reach), spread in zip(ours, made, strict=True)
    ]


def _certificate(
    own: VaultSigner, profile: CertificateProfile, issuer: Certificate | None, issuer_key: VaultSigner | None
) -> Certificate:
    return make_certificate(
        subject=name(f"Bench {profile.name}"),
        public_key=own.public_key,
        issuer=issuer,
        issuer_key=issuer_key or own,
        serial=1,
        not_before=NOW,
        not_after=NOW + timedelta(days=30),
        profile=profile,
    )
