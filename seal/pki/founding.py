"""Founding: the twins, for SM2 and for P-256 a root and the intermediate below it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from crypto.keys import KeyVault
from crypto.suites import ES256, SM2_SM3, KeyKind, Suite
from crypto.x509 import name
from kernel.clock import Clock
from seal.pki.ca import Addresses, Authority
from seal.pki.journal import Journal, NoJournal
from seal.pki.ledger import Ledger
from seal.pki.policy import INTERMEDIATE

TWINS: tuple[Suite, ...] = (SM2_SM3, ES256)
"""The suites that every installation has an authority of."""
ROOT_LIST_LIFE = timedelta(days=365)

AddressesOf = Callable[[str], Addresses]
JournalOf = Callable[[str], Journal]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hierarchy:
    """A root and the intermediate below it, of one suite."""

    root: Authority
    intermediate: Authority


def root_name(suite: Suite) -> str:
    """Name the root of a suite, as its addresses and records do."""
    return f"root-{suite.key.value}"


def found(  # noqa: PLR0913 - two places, two vaults, and what they are called
    root_folder: Path,
    folder: Path,
    *,
    root_vault: KeyVault,
    vault: KeyVault,
    clock: Clock,
    organisation: str,
    addresses: AddressesOf = lambda _: Addresses(),
    journal: JournalOf = lambda _: NoJournal(),
) -> dict[KeyKind, Hierarchy]:
    """Found the twins: a root and an intermediate it certified for each suite, and the first lists of both.

    ``root_folder`` and ``root_vault`` may be taken offline afterwards, until the root's list ends. ``addresses`` and
    ``journal`` are asked for by name: ``sm2``, ``root-sm2``. Cut off, it is called again and goes on; FileExistsError
    where all is founded already.
    """
    if all(_has_certificate(folder / suite.key.value) for suite in TWINS):
        raise FileExistsError(f"{folder} has its authorities already")
    made = {}
    for suite in TWINS:
        kind, top = suite.key.value, root_name(suite)
        here, above = folder / kind, root_folder / kind
        root = _root(above, root_vault, clock, addresses(top), journal(top), suite, organisation)
        if not _has_certificate(here):
            below = Authority.request(
                here,
                vault,
                clock,
                suite=suite,
                subject=name(f"{organisation} {suite.name} CA", organisation),
            )
            issued = next(
                (each for each in root.ledger.certificates() if each.spki == below.signer.public_key.spki), None
            )
            signed = Authority(here, vault, clock, addresses(kind), journal(kind))
            signed.install(issued or root.issue(below.csr, INTERMEDIATE), (root.certificate,))
        below = Authority(here, vault, clock, addresses(kind), journal(kind))
        below.take_list_above(root.latest_list() or root.publish(life=ROOT_LIST_LIFE))
        if below.latest_list() is None:
            below.publish()
        made[suite.key] = Hierarchy(root=root, intermediate=below)
    return made


def _root(  # noqa: PLR0913, PLR0917 - where, with what key, and what it is called
    folder: Path,
    vault: KeyVault,
    clock: Clock,
    addresses: Addresses,
    journal: Journal,
    suite: Suite,
    organisation: str,
) -> Authority:
    if _has_certificate(folder):
        return Authority(folder, vault, clock, addresses, journal)
    subject = name(f"{organisation} {suite.name} Root CA", organisation)
    return Authority.create_root(
        folder, vault, clock, suite=suite, subject=subject, addresses=addresses, journal=journal
    )


def _has_certificate(folder: Path) -> bool:
    return (folder / "authority.json").exists() and bool(Ledger(folder).path())
