"""Revocation in whole documents: what the verdict says, in the child process and out of it, and who may still seal."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from crypto import der
from crypto.cms import parse_signed_data
from crypto.cms_build import attribute
from crypto.revoked import RevocationReason, Revoked
from crypto.suites import ES256
from crypto.timestamp import parse_token
from crypto.timestamp_build import Imprint, TokenTemplate
from kernel.clock import ManualClock
from seal.errors import SealNotUsable
from seal.formats.pdf import PDF_PADES
from seal.model import Credential, Mark, Report, Verdict
from seal.pki.ledger import Ledger
from seal.placing import AtPoint
from seal.stamps import read_stamp
from seal.trust import Facts, OwnLedgers, OwnWord, Trust, TrustFolder
from seal.trust.embedded import MAX_EMBEDDED, REVOCATION_ARCHIVAL, embedded_facts
from seal.verifying import Verifier, verify_in_process
from tests.seal.conftest import CLERK, House, request
from tests.seal.pdf.making import make_picture, render
from tests.seal.trust.making import AT, DAY, NOW, World, codes, gone

COMPROMISE = RevocationReason.KEY_COMPROMISE


@pytest.fixture(scope="module")
def world() -> World:
    return World()


@pytest.fixture(scope="module")
def sealed(world: World) -> bytes:
    credential = Credential(certificate=world.signer.certificate, chain=(world.ca.certificate,), suite=ES256)
    mark = Mark(seal_name="章", picture=make_picture(), placement=AtPoint.on(1, x_mm=20, y_mm=20))
    return PDF_PADES.prepare(render(), mark, credential, AT).apply(world.signer.signer.sign)


def told(report: Report) -> list[tuple[str, str]]:
    """Give the findings, but the one that says of all these documents that their time is only claimed."""
    (signature,) = report.signatures
    return codes(each for each in signature.findings if each.code != "TIME_NOT_PROVED")


@pytest.fixture
def folder(world: World, tmp_path: Path) -> Path:
    for name in ("crls", "ocsp"):
        (tmp_path / name).mkdir()
    (tmp_path / "root.pem").write_text(world.root.certificate.pem())
    (tmp_path / "crls" / "root.crl").write_bytes(world.root_list.raw)
    return tmp_path


@pytest.fixture
def verifier(folder: Path) -> Iterator[Verifier]:
    made = Verifier(TrustFolder(folder), clock=ManualClock(NOW))
    yield made
    made.close()


def test_new_facts_reach_the_verdict_without_a_restart(
    world: World, sealed: bytes, folder: Path, verifier: Verifier
) -> None:
    unknown = verifier.verify(sealed)
    assert (unknown.verdict, told(unknown)) == (Verdict.INDETERMINATE, [("REVOCATION_UNKNOWN", "indeterminate")])
    (folder / "crls" / "1.crl").write_bytes(world.listed().raw)
    good = verifier.verify(sealed)
    assert (good.verdict, told(good)) == (Verdict.VALID, [])
    (folder / "crls" / "2.crl").write_text(world.listed(gone(world.signer, AT + DAY), number=2).pem())
    assert told(verifier.verify(sealed)) == [("REVOKED_SINCE", "valid")]
    (folder / "ocsp" / "3.ors").write_bytes(world.answered(world.signer, gone(world.signer, AT - DAY)))
    revoked = verifier.verify(sealed)
    assert (revoked.verdict, told(revoked)) == (Verdict.INVALID, [("SIGNER_CERT_REVOKED", "invalid")])


def test_another_time_is_judged_by_the_facts_about_it(
    world: World, sealed: bytes, folder: Path, verifier: Verifier
) -> None:
    (folder / "crls" / "1.crl").write_bytes(world.listed(gone(world.signer, AT + DAY)).raw)
    assert told(verifier.verify(sealed, AT + 2 * DAY)) == [("SIGNER_CERT_REVOKED", "invalid")]
    assert told(verifier.verify(sealed, AT)) == [("REVOKED_SINCE", "valid")]


def test_asking_for_an_earlier_time_does_not_help_a_compromised_key(
    world: World, sealed: bytes, folder: Path, verifier: Verifier
) -> None:
    (folder / "crls" / "1.crl").write_bytes(world.listed(gone(world.signer, AT + DAY, COMPROMISE)).raw)
    for at in (None, AT, AT - DAY):
        assert told(verifier.verify(sealed, at)) == [("SIGNER_KEY_COMPROMISED", "invalid")]


def test_judging_here_and_in_the_child_is_the_same(
    world: World, sealed: bytes, folder: Path, verifier: Verifier
) -> None:
    (folder / "crls" / "1.crl").write_bytes(world.listed(gone(world.signer, AT - DAY), number=3).raw)
    assert verify_in_process(sealed, Trust.load(folder), now=NOW) == verifier.verify(sealed)


# --- facts in the message --------------------------------------------------------------------------------------


def message(world: World, *, crls: bytes = b"", attributes: bytes = b"") -> bytes:
    """A SignedData with lists, and with revocation facts among what was signed."""
    certificate = world.signer.certificate
    algorithm = der.parse(certificate.raw)[1].raw
    digest = der.sequence(der.oid(ES256.digest.oid))
    content = attribute("1.2.840.113549.1.9.3", der.oid("1.2.840.113549.1.7.1"))
    bound = attribute("1.2.840.113549.1.9.4", der.octet_string(bytes(32)))
    signed = der.set_of((content, bound, attributes)) if attributes else der.set_of((content, bound))
    info = der.sequence(
        der.integer(1),
        der.sequence(certificate.issuer, der.integer(certificate.serial)),
        digest,
        bytes((0xA0,)) + signed[1:],
        algorithm,
        der.octet_string(world.signer.signer.sign(signed)),
    )
    body = der.sequence(
        der.integer(1),
        der.set_of((digest,)),
        der.sequence(der.oid("1.2.840.113549.1.7.1")),
        der.explicit(0, certificate.raw),
        der.explicit(1, crls) if crls else b"",
        der.set_of((info,)),
    )
    return der.sequence(der.oid("1.2.840.113549.1.7.2"), der.explicit(0, body))


def facts_of(octets: bytes) -> Facts:
    signed = parse_signed_data(octets)
    return embedded_facts(signed, signed.signers[0])


def test_lists_and_answers_in_the_message_are_found(world: World) -> None:
    first, answer = world.listed(), world.answered(world.signer)
    other = der.tlv(der.context(1), der.oid("1.3.6.1.5.5.7.16.2") + answer)
    archived = der.sequence(der.explicit(0, der.sequence(world.root_list.raw)), der.explicit(1, der.sequence(answer)))
    found = facts_of(message(world, crls=first.raw + other, attributes=attribute(REVOCATION_ARCHIVAL, archived)))
    assert {each.raw for each in found.crls} == {first.raw, world.root_list.raw}
    assert {each.raw for each in found.answers} == {answer}


def test_rubbish_in_the_place_of_facts_is_as_if_it_were_not_there(world: World) -> None:
    for rubbish in (der.integer(1), der.sequence(der.explicit(0, der.integer(1))), der.sequence(der.null())):
        assert not facts_of(message(world, attributes=attribute(REVOCATION_ARCHIVAL, rubbish)))
    assert not facts_of(message(world, crls=der.sequence(der.integer(1)) + der.tlv(der.context(1), der.integer(1))))


def test_of_a_heap_of_facts_in_a_message_only_some_are_read(world: World) -> None:
    heap = world.listed().raw * (MAX_EMBEDDED + 40)
    assert len(facts_of(message(world, crls=heap)).crls) == MAX_EMBEDDED


# --- time stamps -----------------------------------------------------------------------------------------------


def stamp(world: World, value: bytes) -> bytes:
    template = TokenTemplate(world.tsa.certificate, (world.ca.certificate,), world.tsa.signer, policy="1.2.156.1.1")
    imprint = Imprint.of(ES256.digest.oid, ES256.digest.digest(value))
    return template.token(imprint, serial=1, at=AT, nonce=None)


@pytest.mark.parametrize(
    ("entry", "proved", "expected"),
    [
        (None, True, []),
        (-1, False, ["TIMESTAMP_INVALID", "TSA_CERT_REVOKED"]),
        (1, True, ["REVOKED_SINCE"]),
        ("compromise", False, ["TIMESTAMP_UNTRUSTED"]),
        ("silence", False, ["TIMESTAMP_UNTRUSTED"]),
    ],
)
def test_a_time_stamp_proves_its_time_as_long_as_its_maker_was_good(
    world: World, entry: int | str | None, proved: bool, expected: list[str]
) -> None:
    entries: list[Revoked] = []
    if isinstance(entry, int):
        entries = [gone(world.tsa, AT + entry * DAY)]
    elif entry == "compromise":
        entries = [gone(world.tsa, AT + DAY, COMPROMISE)]
    trust = world.trust() if entry == "silence" else world.trust(world.listed(*entries))
    token, value = stamp(world, b"value"), b"value"
    assert parse_token(token).gen_time == AT
    read = read_stamp(token, covered=value, trust=trust)
    assert read.time == (AT if proved else None)
    assert [each.code for each in read.findings] == expected


# --- our own authorities, and sealing --------------------------------------------------------------------------


@pytest.fixture
def ledgers(world: World, tmp_path: Path) -> Ledger:
    ledger = Ledger.create(tmp_path / "ca" / "p256", suite="ES256", key="none")
    ledger.install((world.ca.certificate, world.root.certificate))
    return ledger


def test_what_our_own_authority_revokes_counts_at_once(
    world: World, sealed: bytes, folder: Path, ledgers: Ledger
) -> None:
    source = TrustFolder(folder, own=OwnLedgers(folder / "ca"))
    verifier = Verifier(source, clock=ManualClock(NOW))
    try:
        assert told(verifier.verify(sealed)) == []
        ledgers.revoke(gone(world.signer, AT - DAY), by="operator", why="lost")
        assert told(verifier.verify(sealed)) == [("SIGNER_CERT_REVOKED", "invalid")]
    finally:
        verifier.close()


def revoked_house(house: House, at: timedelta) -> Trust:
    certificate = house.authority.keys[0].certificate
    entry = Revoked(serial=certificate.serial, at=house.clock.now() + at)
    word = OwnWord(issuer=house.trust.anchors[0], revoked={certificate.serial: entry})
    return Trust(anchors=house.trust.anchors, facts=Facts(own=(word,)), now=house.clock.now())


def test_nobody_seals_with_a_certificate_that_is_revoked_by_then(house: House, pdf: bytes) -> None:
    service = house.service()
    service._preparer._trust = lambda: revoked_house(house, -timedelta(days=1))
    before = house.actions()
    with pytest.raises(SealNotUsable, match="revoked 2026-11-21"):
        service.seal(request(pdf), CLERK)
    assert house.actions() == before
    service._preparer._trust = lambda: revoked_house(house, timedelta(days=1))
    assert service.seal(request(pdf), CLERK).report.verdict is Verdict.VALID
