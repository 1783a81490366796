"""Signing ledger exports: a detached message of ours over the manifest, one a suite, that others' tools can check."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from crypto.cms import CmsTemplate
from crypto.suites import SM2_SM3
from kernel.errors import Reason, Refusal
from seal.pki.authorities import Authorities
from seal.pki.outside import without_root


class LedgerSignerMissing(Refusal):
    """Nobody here signs exports of the ledger: certification authorities were not founded."""

    reason, code = Reason.UNAVAILABLE, "ledger_signer_missing"


class LedgerSigner(Protocol):
    """Signs manifests of exports. ``sign`` gives each signature by the ending of its file's name, at least one."""

    def sign(self, manifest: bytes, at: datetime) -> Mapping[str, bytes]:
        """Sign ``manifest``; LedgerSignerMissing where nobody is appointed to."""


class OfficeSigner:
    """Signs by the office ``records`` of each authority of ours: ``.p7s`` after RFC 5652, ``.gm.p7s`` after GB/T 35275.

    The first is read by any OpenSSL 3, the second by readers of the national algorithms. The root is not enclosed: who
    checks has it from elsewhere.
    """

    def __init__(self, authorities: Authorities) -> None:
        self._authorities = authorities

    def sign(self, manifest: bytes, at: datetime) -> Mapping[str, bytes]:
        """Sign with one key a suite (LedgerSigner)."""
        signed: dict[str, bytes] = {}
        for name in self._authorities.names:
            signer, certificate = self._authorities.records(name)
            gm = signer.suite is SM2_SM3
            chain = without_root(self._authorities.get(name).path)
            template = CmsTemplate(certificate, chain, signer.suite, "gbt35275" if gm else "rfc5652")
            digest = signer.suite.digest.digest(manifest)
            attributes = template.attributes(digest, signing_time=at if gm else None)
            signed[".gm.p7s" if gm else ".p7s"] = template.assemble(attributes, signer.sign(attributes))
        if not signed:
            raise LedgerSignerMissing("Nobody here signs exports: found authorities first (xinyin ca init).")
        return signed
