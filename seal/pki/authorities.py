"""The authorities of one installation: opened from their folder, their offices filled, their lists never over."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import structlog

from crypto.crl import RevocationList
from crypto.errors import CryptoError
from crypto.keys import KeyId, KeyVault, VaultSigner
from crypto.suites import KeyKind, Suite
from crypto.vaults.files import make_folder, write_once
from crypto.x509 import Certificate
from kernel.audit import AuditLog
from kernel.clock import Clock
from kernel.db import Database
from kernel.errors import Refusal
from seal.pki.ca import LIST_LIFE, Addresses, Authority
from seal.pki.errors import CertificateRequestRefused, UnknownAuthority
from seal.pki.founding import ROOT_LIST_LIFE, TWINS, Hierarchy, found
from seal.pki.journal import Act, AuditJournal, Journal
from seal.pki.offices import TSA_POLICY, Offices
from seal.pki.outside import Asked, Outside, Purpose, without_root
from seal.pki.responder import OcspResponder
from seal.pki.tsa import TimestampAuthority

PATH = "/pki"
_ROOT = "root-"
_SUITES = {suite.key.value: suite for suite in TWINS}
_log = structlog.get_logger("xinyin.pki")


class Authorities:
    """What of certification this installation has, by name: ``sm2``, ``p256``, and ``root-sm2`` for the root above.

    ``public_url`` is the origin at which ``seal.pki.api`` is reached; certificates name it if ``addressed``. Safe to
    share between threads; other processes see what was founded or installed when they start.
    """

    def __init__(  # noqa: PLR0913 - its dependencies
        self,
        folder: Path,
        *,
        vault: KeyVault,
        clock: Clock,
        db: Database,
        audit: AuditLog,
        public_url: str,
        addressed: bool = True,
    ) -> None:
        self._folder = folder
        self._vault = vault
        self._clock = clock
        self._db = db
        self._audit = audit
        self._public_url = public_url
        self._addressed = addressed
        self._outside = Outside(folder / "outside", vault, self.journal("outside"))
        self._bought: dict[str, TimestampAuthority] = {}
        self._open: dict[str, Authority] = {}
        self._offices: dict[str, Offices] = {}
        self._take_up()

    def _take_up(self) -> None:
        for kind in _SUITES:
            if kind not in self._open and (self._folder / kind / "certificate.pem").exists():
                authority = self._authority(self._folder / kind, self._vault, kind)
                self._offices[kind] = Offices(authority, self._vault, self._clock)
                self._open[kind] = authority

    def _authority(self, folder: Path, vault: KeyVault, name: str) -> Authority:
        return Authority(folder, vault, self._clock, self.addresses(name), self.journal(name))

    def addresses(self, authority: str) -> Addresses:
        """Say where the certificates of an authority are asked for; a root has no responder, for it is offline."""
        if not self._addressed:
            return Addresses()
        at = f"{self._public_url}{PATH}"
        ocsp = () if authority.startswith(_ROOT) else (f"{at}/ocsp/{authority}",)
        return Addresses(crl_urls=(f"{at}/crl/{authority}.crl",), ocsp_urls=ocsp)

    def journal(self, authority: str) -> Journal:
        """Give the journal of an authority."""
        return AuditJournal(self._db, self._audit, self._clock, authority)

    # --- beginning ---

    def found(self, root_folder: Path, root_vault: KeyVault, organisation: str) -> Mapping[KeyKind, Hierarchy]:
        """Found the twins below roots of our own, and fill their offices; see ``founding.found``.

        CertificateRequestRefused for a root's folder within our own, or the other way round.
        """
        own, above = self._folder.resolve(), root_folder.resolve()
        if own.is_relative_to(above) or above.is_relative_to(own):
            raise CertificateRequestRefused("a root's folder is apart from the authorities' below it")
        made = found(
            root_folder,
            self._folder,
            root_vault=root_vault,
            vault=self._vault,
            clock=self._clock,
            organisation=organisation,
            addresses=self.addresses,
            journal=self.journal,
        )
        self._take_up()
        self.keep()
        return made

    def begin(self, suite: Suite, subject: bytes) -> Authority:
        """Make an authority that waits for a certificate from outside, or give the one that waits.

        FileExistsError where there is one that has its certificate.
        """
        folder = self._folder / suite.key.value
        Authority.request(folder, self._vault, self._clock, suite=suite, subject=subject)
        return self._authority(folder, self._vault, suite.key.value)

    def install(self, path: tuple[Certificate, ...], *, by: str) -> str:
        """Give a certificate from outside, with its issuers, to whoever asked for it; say who that is."""
        asked = self._outside.for_key(path[0])
        if asked is not None:
            self._outside.install(asked, path[0], path[1:], by=by)
            return f"{asked.purpose.value} {asked.id}"
        kind = path[0].public_key.kind.value
        if kind not in _SUITES or not (self._folder / kind / "request.der").exists():
            raise UnknownAuthority("Nobody here asked for a certificate with this key.")
        self._authority(self._folder / kind, self._vault, kind).install(path[0], path[1:], by=by)
        self._take_up()
        self.keep()
        return f"authority {kind}"

    def root(self, root_folder: Path, root_vault: KeyVault, kind: str) -> Authority:
        """Open an offline root that was brought here."""
        if not (root_folder / kind / "certificate.pem").exists():
            raise UnknownAuthority("There is no root of this kind in the folder.")
        return self._authority(root_folder / kind, root_vault, f"{_ROOT}{kind}")

    def publish_root(self, root: Authority, *, by: str) -> RevocationList:
        """Publish a root's list, and keep it here to be offered when the root is gone again."""
        made = root.publish(life=ROOT_LIST_LIFE, by=by)
        self.get(root.suite.key.value).take_list_above(made)
        return made

    def trusted_in(self, folder: Path) -> None:
        """Have a trust folder believe our authorities: the roots as anchors, what is below on the way to them."""
        make_folder(folder / "intermediates")
        for kind, authority in self._open.items():
            for place, certificate in (
                (folder / f"root-{kind}.pem", authority.path[-1]),
                (folder / "intermediates" / f"{kind}.pem", authority.certificate),
            ):
                with suppress(FileExistsError):
                    write_once(place, certificate.pem().encode())

    # --- asking ---

    @property
    def outside(self) -> Outside:
        """Certificates asked for at authorities elsewhere."""
        return self._outside

    @property
    def names(self) -> tuple[str, ...]:
        """The authorities that work; none before one was founded or certified."""
        return tuple(self._open)

    def get(self, authority: str) -> Authority:
        """Give an authority by name; UnknownAuthority if it is none of ours or waits for its certificate."""
        try:
            return self._open[authority]
        except KeyError:
            raise UnknownAuthority("There is no such authority here.") from None

    def lost_revocations(self, authority: str) -> tuple[str, ...]:
        """Give the serials that were revoked by the audit log, and are not by the ledger."""
        revoked = {f"{each.serial:x}" for each in self.get(authority).ledger.all_revoked()}
        return tuple(each for each in self.journal(authority).completed(Act.REVOKE) if each not in revoked)

    def having(self, serial: int) -> str | None:
        """Say who issued a serial."""
        return next((name for name, each in self._open.items() if each.ledger.issued(serial)), None)

    def signing(self) -> Iterator[tuple[str, KeyId, Certificate]]:
        """Give every key of the vault that signs here with the certificate it signs under, and what it is for."""
        for name, authority in self._open.items():
            yield f"authority {name}", authority.signer.key, authority.certificate
            for role, key, certificate in self._offices[name].holders():
                yield f"{role} {name}", key, certificate
        for each in self._outside.all():
            if each.purpose is Purpose.TSA and each.path:
                yield f"tsa {each.suite.key.value} {each.id}", each.key, each.path[0]

    def paths(self) -> Iterator[tuple[str, tuple[Certificate, ...]]]:
        """Give by name each authority's certificate and those above it, the roots' too."""
        for name, authority in self._open.items():
            yield name, authority.path
            if authority.path[-1].self_issued:
                yield f"{_ROOT}{name}", authority.path[-1:]

    def list_of(self, authority: str) -> RevocationList:
        """Give the newest list of an authority or of the root above it; UnknownAuthority if none is here."""
        ledger = self.get(authority.removeprefix(_ROOT)).ledger
        found_ = ledger.list_above() if authority.startswith(_ROOT) else ledger.last_list()
        if found_ is None:
            raise UnknownAuthority("There is no revocation list of this authority here.")
        return found_

    def responder(self, authority: str) -> OcspResponder:
        """Give who answers for an authority."""
        self.get(authority)
        return self._offices[authority].responder()

    def stamper(self, authority: str) -> TimestampAuthority:
        """Give who stamps under a suite: with a certificate installed from outside if there is one."""
        bought = self._bought_for(authority)
        if bought is not None:
            if bought.id not in self._bought:
                self._bought[bought.id] = self._stamping(bought)
            return self._bought[bought.id]
        self.get(authority)
        return self._offices[authority].stamper()

    def records(self, authority: str) -> tuple[VaultSigner, Certificate]:
        """Give who signs records for an authority, and under which certificate."""
        self.get(authority)
        return self._offices[authority].records()

    def _bought_for(self, authority: str) -> Asked | None:
        if authority not in _SUITES:
            return None
        return self._outside.newest(Purpose.TSA, _SUITES[authority], self._clock.now())

    def _stamping(self, bought: Asked) -> TimestampAuthority:
        chain, signer = without_root(bought.path[1:]), self._outside.signer(bought)
        return TimestampAuthority(bought.path[0], chain, signer, self._clock, policy=TSA_POLICY)

    # --- going on ---

    def keep(self) -> int:
        """Do what is due: end records that were cut off, fill offices, publish lists; give how much was done.

        One authority that cannot, for its vault or its disk does not answer, does not hold up the others.
        """
        done = self._tried("outside", self._outside.settle)
        for name, authority in self._open.items():
            done += self._tried(name, authority.settle)
            done += self._tried(name, self._offices[name].fill)
            done += self._tried(name, lambda authority=authority: self._publish_due(authority))  # type: ignore[misc]
        return done

    @staticmethod
    def _tried(name: str, chore: Callable[[], int]) -> int:
        try:
            return chore()
        except (Refusal, CryptoError, OSError):
            _log.exception("authority_neglected", authority=name)
            return 0

    def _publish_due(self, authority: Authority) -> int:
        last = authority.latest_list()
        # Half of its life before a list ends: enough for somebody to see that publishing fails.
        # One from a time to come, of a clock that was ahead, is one that verifiers do not take.
        now = self._clock.now()
        if last is not None and last.current_at(now) and (last.next_update or now) - now > LIST_LIFE / 2:
            return 0
        authority.publish(by="service")
        return 1
