"""`xinyin ca`: an authority is founded, issues, revokes and publishes, and the audit log tells of all of it."""

import re
from pathlib import Path

import pytest
import sqlalchemy as sa

from crypto.certificate import pem_bodies
from crypto.crl import RevocationList
from crypto.keys import VaultSigner
from crypto.suites import ES256, SM2_SM3
from crypto.vaults.soft import SoftVault
from crypto.x509 import Certificate, make_csr, name, parse_csr
from kernel.audit import AuditLog, entries
from kernel.clock import SystemClock
from kernel.db import Database
from seal.pki.ca import Authority
from seal.pki.founding import found
from seal.pki.policy import INTERMEDIATE, SEAL_SIGNER, TIMESTAMPING
from tests.admin.conftest import Done, Xinyin
from tests.cheap import CHEAP

OWNER = "11440300007542000X"
ROOT_PHRASE = "the root's own passphrase\n"


class Office:
    """A data folder, and the commands on it."""

    def __init__(self, xinyin: Xinyin, folder: Path) -> None:
        self._xinyin = xinyin
        self.folder = folder
        self.home = folder / "home"
        self.root = folder / "safe"
        self.applicants = SoftVault.create(folder / "applicants", "correct horse", cost=CHEAP)
        self.run("migrate")

    def run(self, *words: object, typed: str = "") -> Done:
        done = self.attempt(*words, typed=typed)
        assert done.code == 0, done.err
        return done

    def attempt(self, *words: object, typed: str = "") -> Done:
        return self._xinyin(*words, typed=typed, home=self.home, vault_passphrase="correct horse battery")

    def found(self) -> "Office":
        self.run("ca", "found", "--root", self.root, "--organisation", "某某市", typed=ROOT_PHRASE)
        return self

    def csr(self, suite: object = SM2_SM3, common_name: str = "44030000000001") -> Path:
        chosen = ES256 if suite is ES256 else SM2_SM3
        signer = VaultSigner(self.applicants, self.applicants.generate(chosen))
        file = self.folder / f"{signer.key}.csr"
        file.write_text(parse_csr(make_csr(name(common_name, "某某局", OWNER), signer)).pem())
        return file

    def issue(self, *words: object, csr: Path | None = None) -> list[Certificate]:
        out = self.folder / f"{len(list(self.folder.glob('*.pem')))}.pem"
        self.run("ca", "issue", "--csr", csr or self.csr(), "--policy", "signer", "--out", out, *words)
        return certificates(out)

    def database(self) -> Database:
        return Database(f"sqlite:///{self.home / 'xinyin.db'}")

    def actions(self, serial: int) -> list[str]:
        database = self.database()
        with database.read() as conn:
            assert AuditLog().verify(conn).holds
            found_ = conn.execute(
                sa.select(entries.c.action).where(entries.c.target.endswith(f"/{serial:x}")).order_by(entries.c.seq)
            )
            told = list(found_.scalars())
        database.dispose()
        return told


def certificates(file: Path) -> list[Certificate]:
    return [Certificate.from_der(each) for each in pem_bodies(file.read_bytes(), "CERTIFICATE")]


@pytest.fixture
def bare(xinyin: Xinyin, tmp_path: Path) -> Office:
    return Office(xinyin, tmp_path)


@pytest.fixture
def office(bare: Office) -> Office:
    return bare.found()


def test_an_authority_is_founded_and_trusted_and_its_root_goes_away(office: Office) -> None:
    listed = office.run("ca", "list").out

    for kind in ("sm2", "p256"):
        assert f"root-{kind}" in listed
        root, ca = (
            certificates(office.home / "trust" / each)[0] for each in (f"root-{kind}.pem", f"intermediates/{kind}.pem")
        )
        assert ca.issued_by(root)
    assert "list 1" in listed
    moved = office.root.rename(office.folder / "elsewhere")
    assert office.issue()[0].common_name == "44030000000001"
    again = office.attempt("ca", "found", "--root", moved, "--organisation", "x", typed=ROOT_PHRASE)
    assert (again.code, "already" in again.err) == (64, True)


def test_a_certificate_is_issued_shown_revoked_and_listed(office: Office) -> None:
    leaf, ca, root = office.issue()
    serial = f"{leaf.serial:x}"

    assert leaf.issued_by(ca)
    assert ca.issued_by(root)
    assert leaf.crl_urls == ("http://127.0.0.1:8000/pki/crl/sm2.crl",)
    assert "good" in office.run("ca", "status", serial).out
    office.run("ca", "revoke", serial, "--reason", "key_compromise", "--why", "钥匙丢失")
    told = office.attempt("ca", "status", serial)
    assert (told.code, "key_compromise" in told.out) == (1, True)
    assert serial in office.run("ca", "list", "--certificates").out
    newest = RevocationList.from_der((office.home / "ca" / "sm2" / "lists" / "2.crl").read_bytes())
    assert newest.entry(leaf.serial) is not None
    assert office.actions(leaf.serial) == [
        "seal.certificate.issue_intended",
        "seal.certificate.issued",
        "seal.certificate.revocation_intended",
        "seal.certificate.revoked",
    ]
    twice = office.attempt("ca", "revoke", serial, "--reason", "superseded", "--why", "x")
    assert (twice.code, "certificate_already_revoked" in twice.err) == (64, True)


def test_the_authority_is_chosen_by_the_requests_key(office: Office) -> None:
    assert office.issue(csr=office.csr(ES256))[1].public_key.kind is ES256.key


def test_a_pair_is_issued_with_the_encryption_key_made_here_or_there(office: Office) -> None:
    for more in ((), ("--encryption-csr", office.csr())):
        signing, encryption, *_ = office.issue("--pair", *more)
        assert signing.subject == encryption.subject
        assert encryption.key_usage == frozenset({"key_encipherment", "data_encipherment", "key_agreement"})
        assert f"{encryption.serial:x}" in office.run("ca", "status", f"{signing.serial:x}").out


def test_a_certificate_whose_file_was_lost_is_had_again(office: Office) -> None:
    leaf, *_ = office.issue()
    again = office.folder / "again.crt"

    office.run("ca", "status", f"{leaf.serial:x}", "--out", again)

    assert certificates(again)[0] == leaf


def test_the_root_comes_back_to_publish_and_to_revoke_an_authority(office: Office) -> None:
    ca = certificates(office.home / "ca" / "sm2" / "certificate.pem")[0]

    assert "root-sm2 list 2" in office.run("ca", "publish", "--root", office.root, typed=ROOT_PHRASE).out
    revoke = ("ca", "revoke", f"{ca.serial:x}", "--reason", "ca_compromise", "--why", "x", "--root", office.root)
    office.run(*revoke, typed=ROOT_PHRASE)
    newest = RevocationList.from_der((office.home / "ca" / "sm2" / "above" / "3.crl").read_bytes())
    assert newest.entry(ca.serial) is not None
    wrong = office.attempt("ca", "publish", "--root", office.root, typed="another passphrase\n")
    assert wrong.code == 64


def test_a_licensed_authority_may_stand_above_ours(bare: Office) -> None:
    csr, given = bare.folder / "ca.csr", bare.folder / "given.crt"
    vault = bare.applicants
    above = Authority.create_root(
        bare.folder / "above", vault, SystemClock(), suite=SM2_SM3, subject=name("国家根", "某某中心")
    )
    words = ("ca", "request", "--for", "authority", "--name", "某某市 CA", "--organisation", "某某市", "--out")

    bare.run(*words, csr)
    assert bare.attempt("ca", "issue", "--csr", bare.csr(), "--policy", "signer", "--out", given).code == 64
    made = above.issue(parse_csr(pem_bodies(csr.read_bytes(), "CERTIFICATE REQUEST")[0]).raw, INTERMEDIATE)
    given.write_text(made.pem() + above.certificate.pem())
    crl = bare.folder / "above.crl"
    crl.write_bytes(above.publish().raw)
    bare.run("ca", "install", given, "--crl", crl)

    assert bare.issue()[0].issued_by(made)
    assert "root-sm2" in bare.run("ca", "list").out
    assert bare.attempt("ca", "install", given).code == 64


def test_a_seals_and_a_stampers_certificate_come_from_outside(bare: Office) -> None:
    outside = found(
        bare.folder / "r",
        bare.folder / "c",
        root_vault=bare.applicants,
        vault=bare.applicants,
        clock=SystemClock(),
        organisation="持牌机构",
    )[SM2_SM3.key]
    ca = outside.intermediate
    for purpose, policy in (("seal", SEAL_SIGNER), ("tsa", TIMESTAMPING)):
        csr, given = bare.folder / f"{purpose}.csr", bare.folder / f"{purpose}.crt"
        words = ("--name", "44030000000007", "--organisation", "某某局", "--organisation-id", OWNER, "--out", csr)
        bare.run("ca", "request", "--for", purpose, *words)
        raw = pem_bodies(csr.read_bytes(), "CERTIFICATE REQUEST")[0]
        given.write_text("".join(each.pem() for each in (ca.issue(raw, policy), *ca.path)))
        assert f"installed for {purpose}" in bare.run("ca", "install", given).out
    assert len(re.findall("outside", bare.run("ca", "list").out)) == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("revoke", "xyz", "--reason", "superseded", "--why", "x"), "hexadecimal"),
        (("revoke", "5", "--reason", "superseded", "--why", "x"), "no certificate"),
        (("revoke", "5", "--reason", "certificate_hold", "--why", "x"), "--reason is one of"),
        (("revoke", "5", "--reason", "superseded", "--why", "x", "--since", "then"), "--since"),
        (("revoke", "5", "--reason", "superseded", "--why", "x", "--since", "2026-01-01"), "zone"),
        (("status", "5"), "no certificate"),
        (("issue", "--csr", "none.csr", "--policy", "signer", "--out", "o.pem"), "No such file"),
        (("issue", "--csr", "none.csr", "--policy", "root", "--out", "o.pem"), "--policy is one of"),
        (("issue", "--csr", "none.csr", "--policy", "tsa", "--pair", "--out", "o.pem"), "--pair goes with"),
        (("issue", "--csr", "none.csr", "--policy", "signer", "--out", "nowhere/o.pem"), "not a folder"),
        (("publish",), "no authority here"),
        (("install", "none.pem"), "No such file"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(bare: Office, words: tuple[str, ...], said: str) -> None:
    done = bare.attempt("ca", *words)

    assert (done.code, said in done.err) == (64, True), done.err
    assert done.err.count("\n") == 1
