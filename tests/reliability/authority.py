"""A certification authority's ledger under processes that issue, revoke and publish, killed again and again."""

from functools import partial
from pathlib import Path
from random import Random

from crypto.crl import RevocationList
from crypto.keys import VaultSigner
from crypto.revoked import RevocationReason
from crypto.suites import ES256
from crypto.vaults.soft import KdfCost, SoftVault
from crypto.x509 import make_csr, name
from kernel.clock import SystemClock
from seal.pki.ca import Authority
from seal.pki.errors import AlreadyRevoked, AuthorityNotReady
from seal.pki.founding import found
from seal.pki.policy import SEAL_SIGNER
from tests.reliability.killing import Tell, killed_at_random, rounds, whole

_PASSPHRASE = "correct horse"
_OWNER = "11440300007542000X"


def loop(folder: Path, seconds: float, rng: Random) -> dict[str, int]:
    """Kill until the time is over; AssertionError if the ledger forgets or contradicts itself."""
    whole(lambda _: _found(folder))
    issued: set[int] = set()
    revoked: set[int] = set()
    kills = lists = 0
    for _number in rounds(seconds):
        issue, publish = partial(_issue, folder), partial(_publish, folder)
        children = killed_at_random(rng, (issue, issue, publish, publish), longest=0.3)
        kills += sum(child.killed for child in children)
        told = [fact for child in children for fact in child.lines]
        issued |= {fact["issued"] for fact in told if "issued" in fact}
        revoked |= {fact["revoked"] for fact in told if "revoked" in fact}
        numbers = [fact["list"] for fact in told if "list" in fact]
        assert len(set(numbers)) == len(numbers), "two lists have one number"
        (lists,) = whole(partial(_look, folder, issued, revoked))
    return {"kills": kills, "certificates": len(issued), "revocations": len(revoked), "lists": lists}


def _open(folder: Path) -> tuple[Authority, SoftVault]:
    vault = SoftVault.open(folder / "vault", _PASSPHRASE)
    return Authority(folder / "ca" / ES256.key.value, vault, SystemClock()), vault


def _found(folder: Path) -> None:
    cheap = KdfCost(passes=1, memory_kib=64, lanes=1)
    vault = SoftVault.create(folder / "vault", _PASSPHRASE, cost=cheap)
    found(folder / "root", folder / "ca", root_vault=vault, vault=vault, clock=SystemClock(), organisation="某某市")


def _issue(folder: Path, tell: Tell) -> None:
    """Issue certificates, and revoke every second one."""
    authority, vault = _open(folder)
    signer = VaultSigner(vault, vault.generate(ES256))
    request = make_csr(name("44030000000001", "某某局", _OWNER), signer)
    tell({})
    while True:
        first = authority.issue(request, SEAL_SIGNER).serial
        tell({"issued": first})
        tell({"issued": authority.issue(request, SEAL_SIGNER).serial})
        authority.revoke(first, RevocationReason.SUPERSEDED, by="loop", why="to see")
        tell({"revoked": first})


def _publish(folder: Path, tell: Tell) -> None:
    authority, _ = _open(folder)
    tell({})
    while True:
        try:
            tell({"list": authority.publish().number})
        except AuthorityNotReady:
            continue  # others published eight times while it tried; that is an answer


def _look(folder: Path, issued: set[int], revoked: set[int], tell: Tell) -> None:
    authority, _ = _open(folder)
    for serial in issued:
        status, found_revoked = authority.status(serial)
        assert status.name == ("REVOKED" if found_revoked else "GOOD")
        assert serial not in revoked or found_revoked is not None, "a revocation is gone"
    for serial in sorted(revoked)[:3]:
        try:
            authority.revoke(serial, RevocationReason.SUPERSEDED, by="loop", why="again")
        except AlreadyRevoked:
            continue
        raise AssertionError("a certificate was revoked twice")
    latest = authority.publish()
    assert all(latest.entry(serial) is not None for serial in revoked), "a list lacks a revocation"
    lists = folder / "ca" / ES256.key.value / "lists"
    numbers = sorted(int(path.stem) for path in lists.glob("[0-9]*.crl"))
    assert numbers == list(range(1, len(numbers) + 1)), "a number was left out"
    before: set[int] = set()
    for number in numbers[-20:]:
        each = RevocationList.from_der((lists / f"{number}.crl").read_bytes())
        assert each.issued_by(authority.certificate)
        listed = {serial for serial in revoked if each.entry(serial)}
        assert before <= listed, "a list forgot what an earlier one said"
        before = listed
    tell(len(numbers))
