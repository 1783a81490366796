"""Offices: who answers OCSP, who stamps and who signs records in an authority's name, each renewed in time."""

from collections.abc import Iterator
from datetime import timedelta
from threading import Lock

from crypto.keys import KeyId, KeyVault, VaultSigner
from crypto.revoked import RevocationReason
from crypto.x509 import Certificate, make_csr, name
from kernel.clock import Clock
from seal.pki.ca import Authority
from seal.pki.errors import AuthorityNotReady, UnknownAuthority
from seal.pki.ledger import Office
from seal.pki.policy import RECORDS, RESPONDER, TIMESTAMPING, IssuingPolicy
from seal.pki.responder import OcspResponder
from seal.pki.tsa import TimestampAuthority

TSA_POLICY = "2.25.19718282773481511875392535996368227536"
"""The policy that our time-stamps name: an arc of its own (ITU-T X.667); docs/operations.md says what it promises."""
_ROLES: dict[str, tuple[IssuingPolicy, str]] = {
    "ocsp": (RESPONDER, "OCSP"),
    "tsa": (TIMESTAMPING, "TSA"),
    "records": (RECORDS, "Records"),
}
_LEFT = 3  # Who has less than this part of the certificate's time left is followed by another, with a new key.
_DAY = timedelta(days=1)


class Offices:
    """The offices of one authority; any number of processes may fill and use them."""

    def __init__(self, authority: Authority, vault: KeyVault, clock: Clock) -> None:
        self._authority = authority
        self._vault = vault
        self._clock = clock
        self._lock = Lock()
        self._responder: tuple[int, OcspResponder] | None = None
        self._stamper: tuple[int, TimestampAuthority] | None = None

    def fill(self) -> int:
        """Appoint where nobody is, or not for long any more; give how many were appointed."""
        return sum(self._fill(role) for role in _ROLES)

    def holders(self) -> Iterator[tuple[str, KeyId, Certificate]]:
        """Give who is appointed: role, key and certificate."""
        for role in _ROLES:
            office = self._authority.ledger.office(role)
            if office is not None:
                yield role, KeyId(office.key), self._certificate(office)

    def responder(self) -> OcspResponder:
        """Give the responder; UnknownAuthority as long as none is appointed."""
        office = self._holder("ocsp")
        with self._lock:
            if self._responder is None or self._responder[0] != office.number:
                certificate, signer = self._certificate(office), VaultSigner(self._vault, KeyId(office.key))
                made = OcspResponder(self._authority, self._clock, certificate=certificate, signer=signer)
                self._responder = (office.number, made)
            return self._responder[1]

    def stamper(self) -> TimestampAuthority:
        """Give the time-stamp authority; UnknownAuthority as long as none is appointed."""
        office = self._holder("tsa")
        with self._lock:
            if self._stamper is None or self._stamper[0] != office.number:
                certificate, signer = self._certificate(office), VaultSigner(self._vault, KeyId(office.key))
                chain = self._authority.chain
                made = TimestampAuthority(certificate, chain, signer, self._clock, policy=TSA_POLICY)
                self._stamper = (office.number, made)
            return self._stamper[1]

    def records(self) -> tuple[VaultSigner, Certificate]:
        """Give who signs records, such as exports of a ledger; UnknownAuthority as long as nobody is appointed."""
        office = self._holder("records")
        return VaultSigner(self._vault, KeyId(office.key)), self._certificate(office)

    def _holder(self, role: str) -> Office:
        office = self._authority.ledger.office(role)
        if office is None:
            raise UnknownAuthority("Nobody is appointed here to do this.")
        if self._authority.ledger.revoked(office.serial) is not None:
            raise AuthorityNotReady("Who did this was revoked, and a successor is not appointed yet.")
        return office

    def _certificate(self, office: Office) -> Certificate:
        found = self._authority.ledger.certificate(office.serial)
        if found is None:
            raise AuthorityNotReady("the ledger does not have the certificate that it names")
        return found

    def _fill(self, role: str) -> bool:
        policy, words = _ROLES[role]
        held = self._authority.ledger.office(role)
        if held is not None and self._lasts(held, policy):
            return False
        key = self._vault.generate(self._authority.suite)
        organisation = self._authority.certificate.organisation or ""
        number = 1 if held is None else held.number + 1
        subject = name(f"{organisation} {words} {self._authority.suite.name} {number}", organisation)
        certificate = self._authority.issue(make_csr(subject, VaultSigner(self._vault, key)), policy, by="service")
        try:
            self._authority.ledger.appoint(role, Office(number=number, key=key, serial=certificate.serial))
        except FileExistsError:
            # Another process was faster: its appointment stands, ours ends before it began.
            self._authority.revoke(certificate.serial, RevocationReason.SUPERSEDED, by="service", why="not appointed")
            return False
        return True

    def _lasts(self, office: Office, policy: IssuingPolicy) -> bool:
        certificate = self._certificate(office)
        if self._authority.ledger.revoked(office.serial) is not None or self._clock.now() < certificate.not_before:
            return False
        # Near its own end the authority cannot give more time than it has: then who is there stays.
        longest = min(self._clock.now() + policy.validity, self._authority.certificate.not_after)
        more = longest - certificate.not_after
        left = certificate.not_after - self._clock.now()
        return left > policy.validity / _LEFT or more < _DAY
