"""A small certification authority for tests: root, sub-CA and leaves of any suite, with throw-away keys."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count

from crypto.keys import KeyVault, VaultSigner
from crypto.suites import Suite
from crypto.x509 import ROOT, SIGNER, SUB_CA, Certificate, CertificateProfile, make_certificate, name

NOT_BEFORE, NOT_AFTER = datetime(2026, 1, 1, tzinfo=UTC), datetime(2036, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Holder:
    """A certificate with the key that fits it."""

    certificate: Certificate
    signer: VaultSigner


@dataclass
class Authority:
    """Issues as tests ask; keys of one suite are made once and shared by all holders of the same name."""

    vault: KeyVault
    suite: Suite
    serials: "count[int]" = field(default_factory=lambda: count(1))
    keys: dict[str, VaultSigner] = field(default_factory=dict)
    issued: dict[str, Holder] = field(default_factory=dict)

    @property
    def root(self) -> Holder:
        return self._once("根证书 Root", ROOT, None)

    @property
    def sub_ca(self) -> Holder:
        return self._once("签发 CA", SUB_CA, self.root)

    @property
    def signer(self) -> Holder:
        return self._once("某某局电子印章", SIGNER, self.sub_ca)

    @property
    def chain(self) -> tuple[Certificate, ...]:
        return (self.sub_ca.certificate,)

    def key(self, called: str) -> VaultSigner:
        if called not in self.keys:
            self.keys[called] = VaultSigner(self.vault, self.vault.generate(self.suite))
        return self.keys[called]

    def issue(
        self,
        called: str,
        profile: CertificateProfile,
        issuer: Holder | None,
        *,
        key: VaultSigner | None = None,
        not_before: datetime = NOT_BEFORE,
        not_after: datetime = NOT_AFTER,
    ) -> Holder:
        own = key or self.key(called)
        certificate = make_certificate(
            subject=name(called, "某某市人民政府", "11440300007542000X"),
            public_key=own.public_key,
            issuer=None if issuer is None else issuer.certificate,
            issuer_key=own if issuer is None else issuer.signer,
            serial=next(self.serials),
            not_before=not_before,
            not_after=not_after,
            profile=profile,
        )
        return Holder(certificate, own)

    def _once(self, called: str, profile: CertificateProfile, issuer: Holder | None) -> Holder:
        if called not in self.issued:
            self.issued[called] = self.issue(called, profile, issuer)
        return self.issued[called]
