"""Readers of the public key infrastructure: DER itself, names, keys, certificates, requests, lists, OCSP."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from crypto import ber, der
from crypto.chain import build_chain
from crypto.crl import RevocationList, make_crl
from crypto.digests import SHA1, SM3
from crypto.keys import PublicKey
from crypto.names import NameParts, fold_name, name
from crypto.ocsp import CertId, CertStatus, ResponseStatus, SingleAnswer, make_request, parse_request
from crypto.ocsp_answer import OcspAnswer, OcspTemplate, parse_answer, refusal, verify_answer
from crypto.revoked import RevocationReason, Revoked
from crypto.signatures import scheme_of
from crypto.sm2 import signature_from_der
from crypto.suites import ED25519, RS256, SUITES
from crypto.vaults.pkcs8 import private_key_info, read_private_key_info
from crypto.x509 import OCSP_RESPONDER, PROFILES, Certificate, make_csr, parse_csr
from tests.crypto.authority import NOW, Authority
from tests.fuzz.keys import FixedVault
from tests.fuzz.shapes import DER, PEM
from tests.fuzz.target import Target

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NONCE = bytes(range(32))
SERIALS = (0xABCDEF, 200, 1 << 158)
RSA_SPKI = der.sequence(
    der.sequence(der.oid(RS256.key_oid), der.null()),
    der.bit_string(der.sequence(der.integer((1 << 2047) + 12345), der.integer(65537))),
)
"""A key that nobody has: for readers that look at its form."""


def certificates(authority: Authority) -> list[bytes]:
    """Give a certificate of each profile."""
    made = [authority.root, authority.sub_ca, authority.signer]
    made += [authority.issue(f"{row.name} 持有者", row, authority.sub_ca) for row in PROFILES.values() if not row.ca]
    return [each.certificate.raw for each in made]


def foreign_certificates(corpus: Path | None) -> list[bytes]:
    """Give others' certificates as DER."""
    found = sorted((corpus / "ofd" / "certs").glob("*.pem")) if corpus else []
    return [Certificate.from_pem(path.read_bytes()).raw for path in found]


def public_keys(*authorities: Authority) -> list[bytes]:
    vault = FixedVault()
    edwards = vault.public_key(vault.generate(ED25519)).spki
    return [*(each.signer.certificate.spki for each in authorities), edwards, RSA_SPKI]


def targets(sm2: Authority, p256: Authority, corpus: Path | None) -> Iterator[Target]:
    """Give the rows, over the certificates of two authorities."""
    own = [*certificates(sm2), *certificates(p256)]
    shown = [*own, *foreign_certificates(corpus)]
    yield Target(name="der", seeds=shown, ways=DER, read=lambda data: walk(der.parse(data)))
    yield Target(name="ber", seeds=[*own, *map(indefinite, own)], ways=DER, read=ber.definite, check=is_definite)
    subjects = [Certificate.from_der(raw).subject for raw in shown]
    names = [*subjects, name("某某,局+=", "\\组织 #", "11440300007542000X")]
    yield Target(name="name", seeds=names, ways=DER, read=read_name)
    keys = public_keys(sm2, p256)
    yield Target(name="public-key", seeds=keys, ways=DER, read=PublicKey.from_spki, check=use_key)
    yield Target(name="private-key", seeds=list(private_keys()), ways=DER, read=read_private_key_info)
    values = [key.sign_digest(one, bytes(32)) for key in (FixedVault(),) for one in map(key.generate, [sm2.suite] * 4)]
    yield Target(name="sm2-signature", seeds=values, ways=DER, read=signature_from_der)
    schemes = [der.sequence(der.oid(row.signature_oid), row.signature_parameters) for row in SUITES.values()]
    yield Target(name="signature-scheme", seeds=schemes, ways=DER, read=lambda data: scheme_of(der.parse(data)))
    yield Target(
        name="certificate", seeds=shown, ways=DER, read=Certificate.from_der, check=use_certificate(own, sm2, p256)
    )
    pem = [Certificate.from_der(raw).pem().encode() for raw in shown]
    yield Target(name="pem", seeds=pem, ways=PEM, read=Certificate.from_pem, check=use_certificate(own, sm2, p256))
    requests = [make_csr(name("申请人", "机关"), each.key("申请人")) for each in (sm2, p256)]
    yield Target(name="csr", seeds=requests, ways=DER, read=parse_csr, check=lambda csr, _: csr.subject_text)
    yield from _lists(sm2, p256)
    yield from _ocsp(sm2, p256)


def _lists(sm2: Authority, p256: Authority) -> Iterator[Target]:
    lists = [listed(authority, count) for authority in (sm2, p256) for count in (0, 3, 40)]
    check = believes_lists(lists, sm2, p256)
    yield Target(name="crl", seeds=[each.raw for each in lists], ways=DER, read=RevocationList.from_der, check=check)
    pem = [each.pem().encode() for each in lists]
    yield Target(name="crl-pem", seeds=pem, ways=PEM, read=RevocationList.from_pem, check=check)


def _ocsp(sm2: Authority, p256: Authority) -> Iterator[Target]:
    certificate, issuer = sm2.signer.certificate, sm2.sub_ca.certificate
    ids = [CertId.of(certificate.serial, issuer, digest=digest) for digest in (SHA1, SM3)]
    requests = [make_request(ids, nonce=NONCE), make_request(ids[:1]), make_request(ids * 16, nonce=NONCE[:1])]

    def named(read: Any, _: bytes) -> None:
        for each in read.asked:
            each.names(certificate, issuer)

    yield Target(name="ocsp-request", seeds=requests, ways=DER, read=parse_request, check=named)
    answers = [*_answers(sm2), *_answers(p256), refusal(ResponseStatus.TRY_LATER)]
    yield Target(name="ocsp-answer", seeds=answers, ways=DER, read=parse_answer, check=believes_answers(answers, sm2))


def _answers(authority: Authority) -> Iterator[bytes]:
    issuer = authority.sub_ca.certificate
    appointed = authority._once("OCSP 应答器", OCSP_RESPONDER, authority.sub_ca)
    serial = authority.signer.certificate.serial
    for holder in (appointed, authority.sub_ca):
        template = OcspTemplate(holder.certificate, holder.signer, issuer=issuer)
        for revoked in (None, Revoked(serial=serial, at=NOW - DAY, reason=RevocationReason.SUPERSEDED)):
            said = SingleAnswer(
                cert_id=CertId.of(serial, issuer),
                status=CertStatus.GOOD if revoked is None else CertStatus.REVOKED,
                revoked=revoked,
                this_update=NOW - HOUR,
                next_update=NOW + DAY,
            )
            yield template.answer([said], produced_at=NOW, nonce=NONCE)


# --- what must hold --------------------------------------------------------------------------------------------


def walk(node: der.Node) -> None:
    """Read every value as everything that its tag may be read as."""
    if node.tag & 0x20:
        for member in node:
            walk(member)
        return
    readers: dict[int, Callable[[], object]] = {
        der.BOOLEAN: node.as_bool,
        der.INTEGER: node.as_int,
        der.BIT_STRING: node.as_bits,
        der.OID: node.as_oid,
        der.UTC_TIME: node.as_time,
        der.GENERALIZED_TIME: node.as_time,
    }
    readers.get(node.tag, lambda: node.content)()
    if node.tag in (der.UTF8, der.PRINTABLE, der.T61, der.IA5, der.VISIBLE, der.BMP):
        node.as_text()


def indefinite(raw: bytes) -> bytes:
    """Write the outer two levels with indefinite lengths."""
    inner = b"".join(b"\x30\x80" + each.content + b"\0\0" if each.tag == 0x30 else each.raw for each in der.parse(raw))
    return b"\x30\x80" + inner + b"\0\0"


def is_definite(read: tuple[bytes, int], data: bytes) -> None:
    written, used = read
    assert 2 <= used <= len(data)
    assert der.parse(written).raw == written
    assert ber.definite(written) == (written, len(written))


def read_name(data: bytes) -> None:
    parts = NameParts.from_der(data)
    assert parts.text == NameParts.from_der(data).text
    parts.value("2.5.4.3")
    assert fold_name(data) == parts.folded()


def use_key(key: PublicKey, data: bytes) -> None:
    assert key.spki == data
    for suite in SUITES.values():
        assert not key.verify(suite, b"message", bytes(64))
    assert key.pem()
    assert key.fingerprint


def private_keys() -> Iterator[bytes]:
    vault = FixedVault()
    for suite in (SUITES["SM2-SM3"], SUITES["ES256"]):
        key = vault.generate(suite)
        yield private_key_info(suite, vault.secret(key), vault.public_key(key).point)


def use_certificate(own: list[bytes], *authorities: Authority) -> Callable[[Certificate, bytes], None]:
    anchors = [each.root.certificate for each in authorities]
    middle = [each.sub_ca.certificate for each in authorities]
    signed = {Certificate.from_der(raw).tbs for raw in own}

    def check(read: Certificate, _: bytes) -> None:
        shown = (read.subject_text, read.issuer_text, read.common_name, read.organisation, read.fingerprint, read.pem())
        assert all(isinstance(each, str | None) for each in shown)
        assert isinstance(hash((read.key_usage, read.is_ca, read.path_length, read.extended_key_usage)), int)
        assert isinstance(hash((read.subject_key_id, read.authority_key_id, read.crl_urls, read.ocsp_urls)), int)
        read.valid_at(NOW)
        found = build_chain(read, intermediates=middle, anchors=anchors, at=NOW)
        assert not found.trusted or read.tbs in signed

    return check


def listed(authority: Authority, count: int) -> RevocationList:
    return make_crl(
        issuer=authority.sub_ca.certificate,
        issuer_key=authority.sub_ca.signer,
        number=7,
        this_update=NOW - HOUR,
        next_update=NOW + 7 * DAY,
        revoked=[
            Revoked(serial=(*SERIALS, *range(1000, 1100))[at], at=NOW - DAY, reason=RevocationReason(at % 7))
            for at in range(count)
        ],
    )


def believes_lists(lists: list[RevocationList], *authorities: Authority) -> Callable[[RevocationList, bytes], None]:
    """Make the check that nothing is believed but what was signed."""
    signed = {each.tbs for each in lists}

    def check(read: RevocationList, _: bytes) -> None:
        for serial in (*SERIALS, 1005, 5):
            read.entry(serial)
            read.revoked_at(serial, NOW)
        read.current_at(NOW)
        assert read.pem()
        for authority in authorities:
            read.covers(authority.signer.certificate)
            assert not read.issued_by(authority.sub_ca.certificate) or read.tbs in signed

    return check


def believes_answers(answers: list[bytes], authority: Authority) -> Callable[[OcspAnswer, bytes], None]:
    signed = {parse_answer(raw).tbs for raw in answers}
    certificate, issuer = authority.signer.certificate, authority.sub_ca.certificate

    def check(read: OcspAnswer, _: bytes) -> None:
        problems = verify_answer(read, certificate, issuer=issuer, at=NOW, nonce=NONCE)
        assert problems or read.tbs in signed

    return check
