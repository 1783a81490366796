"""A certificate authority for development: two roots, a seal maker, and signers' certificates for the asking."""

import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypedDict

from crypto.keys import KeyId, KeyVault, VaultSigner
from crypto.suites import ES256, SM2_SM3, Suite
from crypto.x509 import ROOT, SEAL_MAKER, SIGNER, Certificate, make_certificate, name, random_serial
from kernel.clock import Clock
from seal.register import SealMaker, SigningKey
from seal.trust import Trust

_FILE = "dev-ca.json"
_ROOT_YEARS, _MAKER_YEARS, _SIGNER_YEARS = 20, 10, 3
_DAYS_A_YEAR = 365
_BACKDATED = timedelta(hours=1)  # a verifier whose clock is a little behind still finds the certificate valid
_SUITES = (SM2_SM3, ES256)


class DevelopmentOnly(UserWarning):
    """Something is in use that must never run outside development."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Holder:
    key: KeyId
    certificate: Certificate


class _HolderFile(TypedDict):
    key: str
    certificate: str


class DevCa:
    """Issues to whoever asks, checks nobody and revokes nothing: for development only, and says so when built.

    Its keys are in ``vault``; its certificates and their keys' names in one file of ``folder``.
    """

    def __init__(self, vault: KeyVault, clock: Clock, holders: Mapping[str, _Holder]) -> None:
        warnings.warn("DevCa issues certificates without any check: development only", DevelopmentOnly, stacklevel=3)
        self._vault = vault
        self._clock = clock
        self._holders = dict(holders)

    @classmethod
    def create(cls, folder: Path, vault: KeyVault, clock: Clock) -> "DevCa":
        """Make the roots and the seal maker; refuses (FileExistsError) a folder that has them already."""
        if (folder / _FILE).exists():
            raise FileExistsError(f"{folder / _FILE} exists: open it, or choose another folder")
        now = clock.now()
        holders: dict[str, _Holder] = {}
        for suite in _SUITES:
            key = vault.generate(suite)
            root = make_certificate(
                subject=name(f"Xinyin Development Root {suite.name}", "Xinyin Development"),
                public_key=vault.public_key(key),
                issuer=None,
                issuer_key=VaultSigner(vault, key),
                serial=random_serial(),
                not_before=now - _BACKDATED,
                not_after=_after(now, _ROOT_YEARS),
                profile=ROOT,
            )
            holders[suite.name] = _Holder(key=key, certificate=root)
        key = vault.generate(SM2_SM3)
        maker = make_certificate(
            subject=name("Xinyin Development Seal Maker", "Xinyin Development"),
            public_key=vault.public_key(key),
            issuer=holders[SM2_SM3.name].certificate,
            issuer_key=VaultSigner(vault, holders[SM2_SM3.name].key),
            serial=random_serial(),
            not_before=now - _BACKDATED,
            not_after=_after(now, _MAKER_YEARS),
            profile=SEAL_MAKER,
        )
        holders["maker"] = _Holder(key=key, certificate=maker)
        folder.mkdir(parents=True, exist_ok=True)
        rows = {
            role: _HolderFile(key=holder.key, certificate=holder.certificate.pem()) for role, holder in holders.items()
        }
        with (folder / _FILE).open("x", encoding="utf-8") as file:
            json.dump(rows, file, indent=2)
        return cls(vault, clock, holders)

    @classmethod
    def open(cls, folder: Path, vault: KeyVault, clock: Clock) -> "DevCa":
        """Take up the authority that ``create`` left in ``folder``."""
        rows: dict[str, _HolderFile] = json.loads((folder / _FILE).read_text("utf-8"))
        holders = {
            role: _Holder(key=KeyId(row["key"]), certificate=Certificate.from_pem(row["certificate"]))
            for role, row in rows.items()
        }
        return cls(vault, clock, holders)

    def trust(self) -> Trust:
        """Give what a verifier needs to believe this authority's certificates."""
        return Trust(anchors=tuple(self.root(suite) for suite in _SUITES))

    def root(self, suite: Suite) -> Certificate:
        """Give the root of one suite."""
        return self._holders[suite.name].certificate

    def maker(self) -> SealMaker:
        """Give the seal maker that signs e-seals."""
        holder = self._holders["maker"]
        return SealMaker(signer=VaultSigner(self._vault, holder.key), certificate=holder.certificate)

    def issue(
        self, suite: Suite, *, common_name: str, organisation: str, organisation_id: str | None = None
    ) -> SigningKey:
        """Make a key in the vault and a signer's certificate for it; a government seal's CN is its number."""
        now = self._clock.now()
        key = self._vault.generate(suite)
        issuer = self._holders[suite.name]
        certificate = make_certificate(
            subject=name(common_name, organisation, organisation_id),
            public_key=self._vault.public_key(key),
            issuer=issuer.certificate,
            issuer_key=VaultSigner(self._vault, issuer.key),
            serial=random_serial(),
            not_before=now - _BACKDATED,
            not_after=_after(now, _SIGNER_YEARS),
            profile=SIGNER,
        )
        return SigningKey(suite=suite, key=key, certificate=certificate, chain=())

    def issue_for_seal(self, seal: str, *, owner: str, owner_name: str) -> tuple[SigningKey, ...]:
        """Make both keys a seal signs with: SM2 and P-256."""
        return tuple(
            self.issue(suite, common_name=seal, organisation=owner_name, organisation_id=owner) for suite in _SUITES
        )


def _after(now: datetime, years: int) -> datetime:
    return now + timedelta(days=_DAYS_A_YEAR * years)
