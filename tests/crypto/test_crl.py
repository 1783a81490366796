"""Revocation lists: made, read, believed and not believed, looked up at a time."""

from datetime import timedelta

import pytest

from crypto import der, extensions
from crypto.crl import CRL_NUMBER, RevocationList, make_crl
from crypto.errors import CertificateError
from crypto.issuing import algorithm_identifier, choose_time
from crypto.revoked import RevocationReason, Revoked
from crypto.x509 import ROOT, CertificateProfile
from tests.crypto.authority import NOW, Authority, Holder
from tests.judges import bouncycastle, openssl

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
REVOKED = (
    Revoked(serial=0xABCDEF, at=NOW - DAY, reason=RevocationReason.KEY_COMPROMISE, invalid_since=NOW - 3 * DAY),
    Revoked(serial=200, at=NOW - 2 * HOUR),
    Revoked(serial=1 << 158, at=NOW - HOUR, reason=RevocationReason.CERTIFICATE_HOLD),
)


def listed(issuer: Holder, *revoked: Revoked, number: int = 7) -> RevocationList:
    return make_crl(
        issuer=issuer.certificate,
        issuer_key=issuer.signer,
        number=number,
        this_update=NOW - HOUR,
        next_update=NOW + 7 * DAY,
        revoked=revoked,
    )


def remade(issuer: Holder, *, entries: bytes = b"", said: bytes = b"", next_update: bytes | None = None) -> bytes:
    """A list made by hand, well signed."""
    algorithm = algorithm_identifier(issuer.signer.suite)
    tbs = der.sequence(
        der.integer(1),
        algorithm,
        issuer.certificate.subject,
        choose_time(NOW - HOUR),
        choose_time(NOW + DAY) if next_update is None else next_update,
        der.sequence(entries) if entries else b"",
        der.explicit(0, der.sequence(said)) if said else b"",
    )
    return der.sequence(tbs, algorithm, der.bit_string(issuer.signer.sign(tbs)))


def test_a_list_says_who_was_revoked_when_and_why(authority: Authority) -> None:
    made = listed(authority.sub_ca, *REVOKED)

    read = RevocationList.from_der(made.raw)

    assert [read.entry(each.serial) for each in REVOKED] == list(REVOKED)
    assert read.entry(99) is None
    assert (len(read), read.number, read.this_update, read.next_update) == (3, 7, NOW - HOUR, NOW + 7 * DAY)
    assert read.authority_key_id == authority.sub_ca.certificate.subject_key_id
    assert read.issued_by(authority.sub_ca.certificate)
    assert read.covers(authority.signer.certificate)
    assert not read.not_understood


def test_a_list_survives_pem(p256: Authority) -> None:
    made = listed(p256.sub_ca, *REVOKED)

    assert RevocationList.from_pem(made.pem()) == made


def test_an_empty_list_is_a_list(sm2: Authority) -> None:
    assert len(RevocationList.from_der(listed(sm2.sub_ca).raw)) == 0


@pytest.mark.parametrize("bits", [161, 40_000])
def test_a_number_beyond_what_lists_have_is_no_list(sm2: Authority, bits: int) -> None:
    said = extensions.extension(CRL_NUMBER, der.integer(1 << (bits - 1)))
    with pytest.raises(CertificateError, match="20 octets"):
        RevocationList.from_der(remade(sm2.sub_ca, said=said))


def test_half_a_pem_block_is_not_passed_over(sm2: Authority) -> None:
    whole = listed(sm2.sub_ca).pem()
    for text in ("-----BEGIN X509 CRL-----", whole[:-40], whole + whole[: len(whole) // 2]):
        with pytest.raises(CertificateError, match="cut short"):
            RevocationList.from_pem(text)


def test_a_serial_is_looked_up_as_of_a_time(sm2: Authority) -> None:
    made = listed(sm2.sub_ca, *REVOKED)

    assert made.revoked_at(200, NOW - 3 * HOUR) is None
    assert made.revoked_at(200, NOW - 2 * HOUR) == REVOKED[1]


def test_a_key_known_to_be_compromised_counts_from_then(sm2: Authority) -> None:
    made = listed(sm2.sub_ca, *REVOKED)

    assert made.revoked_at(0xABCDEF, NOW - 2 * DAY) == REVOKED[0]
    assert made.revoked_at(0xABCDEF, NOW - 4 * DAY) is None


def test_a_list_speaks_for_its_own_time(sm2: Authority) -> None:
    made = listed(sm2.sub_ca)

    assert made.current_at(NOW)
    assert not made.current_at(NOW - 2 * HOUR)
    assert not made.current_at(NOW + 8 * DAY)
    assert not RevocationList.from_der(remade(sm2.sub_ca, next_update=b"")).current_at(NOW)


def test_another_authoritys_list_is_not_believed(sm2: Authority, p256: Authority) -> None:
    made = listed(sm2.sub_ca, *REVOKED)
    impostor = sm2.issue(
        "签发 CA", CertificateProfile(name="ca", key_usage=("crl_sign",), ca=True), sm2.root, key=sm2.key("x")
    )

    assert not made.issued_by(sm2.root.certificate)
    assert not made.issued_by(p256.sub_ca.certificate)
    assert not made.issued_by(impostor.certificate)
    assert not made.covers(sm2.sub_ca.certificate)


def test_a_changed_list_is_not_believed(authority: Authority) -> None:
    raw = listed(authority.sub_ca, *REVOKED).raw
    changed = RevocationList.from_der(raw.replace(b"\xab\xcd\xef", b"\xab\xcd\xee"))

    assert changed.entry(0xABCDEF) is None
    assert not changed.issued_by(authority.sub_ca.certificate)


def test_a_certificate_that_may_not_sign_lists_signs_none(sm2: Authority) -> None:
    odd = sm2.issue("怪 CA", CertificateProfile(name="odd", key_usage=("key_cert_sign",), ca=True), sm2.root)

    with pytest.raises(CertificateError, match="may not sign"):
        listed(odd)
    assert not RevocationList.from_der(remade(odd)).issued_by(odd.certificate)


@pytest.mark.parametrize(
    ("number", "delay", "revoked", "why"),
    [
        (-1, DAY, (), "number"),
        (1 << 160, DAY, (), "number"),
        (1, -DAY, (), "over before"),
        (1, DAY, (Revoked(serial=1, at=NOW, reason=RevocationReason.REMOVE_FROM_CRL),), "delta"),
    ],
)
def test_a_list_that_may_not_be_is_not_made(
    p256: Authority, number: int, delay: timedelta, revoked: tuple[Revoked, ...], why: str
) -> None:
    issuer = p256.sub_ca
    with pytest.raises(CertificateError, match=why):
        make_crl(
            issuer=issuer.certificate,
            issuer_key=issuer.signer,
            number=number,
            this_update=NOW,
            next_update=NOW + delay,
            revoked=revoked,
        )
    with pytest.raises(CertificateError, match="not the issuer's"):
        listed(Holder(issuer.certificate, p256.root.signer))


def entry(serial: bytes, *said: bytes, time: bytes | None = None) -> bytes:
    return der.sequence(serial, time or choose_time(NOW), der.sequence(*said) if said else b"")


def test_a_critical_extension_of_one_entry_forbids_the_whole_list(sm2: Authority) -> None:
    indirect = extensions.extension("2.5.29.29", der.sequence(), critical=True)
    read = RevocationList.from_der(remade(sm2.sub_ca, entries=entry(der.integer(5), indirect)))

    assert read.not_understood == {"2.5.29.29"}
    assert not read.covers(sm2.signer.certificate)


@pytest.mark.parametrize(
    "said",
    [
        extensions.extension("2.5.29.27", der.integer(3), critical=True),  # a delta list
        extensions.extension("2.5.29.28", der.sequence(der.implicit(4, b"\xff")), critical=True),  # indirect
        extensions.extension("2.5.29.28", der.sequence(der.implicit(3, b"\x01\x06")), critical=True),  # some reasons
        extensions.extension("2.5.29.28", der.sequence(der.implicit(2, b"\xff")), critical=True),  # CAs only
        extensions.extension("2.5.29.28", der.sequence(der.explicit(0, der.explicit(1))), critical=True),
    ],
)
def test_a_list_about_less_is_not_used(sm2: Authority, said: bytes) -> None:
    read = RevocationList.from_der(remade(sm2.sub_ca, said=said))

    assert not read.covers(sm2.signer.certificate)


def test_a_list_for_users_only_covers_users(sm2: Authority) -> None:
    users = extensions.extension("2.5.29.28", der.sequence(der.implicit(1, b"\xff")), critical=True)

    assert RevocationList.from_der(remade(sm2.sub_ca, said=users)).covers(sm2.signer.certificate)
    assert not RevocationList.from_der(remade(sm2.root, said=users)).covers(sm2.sub_ca.certificate)


def test_a_partial_list_covers_the_certificates_that_point_to_it(sm2: Authority) -> None:
    point = der.explicit(0, der.explicit(0, der.implicit(6, b"http://crl.example/1.crl")))
    part = extensions.extension("2.5.29.28", der.sequence(point), critical=True)

    assert not RevocationList.from_der(remade(sm2.sub_ca, said=part)).covers(sm2.signer.certificate)


def test_odd_entries_are_read(sm2: Authority) -> None:
    long_form = (
        b"\x30\x81\x13" + der.tlv(der.INTEGER, b"\0\0\0\x05") + der.utc_time(NOW)[:-13] + der.utc_time(NOW)[-13:]
    )
    long_form = long_form[:2] + bytes((len(long_form) - 3,)) + long_form[3:]
    unknown = extensions.extension("2.5.29.21", der.tlv(0x0A, b"\x2a"))
    read = RevocationList.from_der(remade(sm2.sub_ca, entries=long_form + entry(der.integer(-6), unknown)))

    assert read.entry(5) == Revoked(serial=5, at=NOW)
    assert read.entry(-6) == Revoked(serial=-6, at=NOW, reason=RevocationReason.UNSPECIFIED)


@pytest.mark.parametrize(
    "entries",
    [
        b"\x30",
        b"\x30\x02\x02\x00",
        b"\x30\x05\x02\x01\x05\x05\x00",
        entry(b"", b"x"),
        b"\x05\x00" * 9,
        b"\x30\x7f" + bytes(9),
    ],
)
def test_entries_that_are_none_are_refused(sm2: Authority, entries: bytes) -> None:
    with pytest.raises(CertificateError):
        RevocationList.from_der(remade(sm2.sub_ca, entries=entries))


def test_an_entry_without_a_real_date_is_refused_when_asked_for(sm2: Authority) -> None:
    entries = entry(der.integer(5), time=der.tlv(der.UTC_TIME, b"261399000000Z"))
    read = RevocationList.from_der(remade(sm2.sub_ca, entries=entries))

    with pytest.raises(CertificateError, match="serial 5"):
        read.entry(5)


def test_very_many_entries_are_refused(sm2: Authority) -> None:
    time = choose_time(NOW)
    many = b"".join(der.sequence(der.integer(serial), time) for serial in range(250_001))
    with pytest.raises(CertificateError, match="250000"):
        RevocationList.from_der(remade(sm2.sub_ca, entries=many))


def test_bouncycastle_believes_our_lists(authority: Authority) -> None:
    made = listed(authority.sub_ca, *REVOKED)
    good, bad = bouncycastle.judge_pki(
        [
            ("crl", made.raw, authority.sub_ca.certificate.raw, der.integer(0xABCDEF)),
            ("crl", made.raw, authority.root.certificate.raw, der.integer(0xABCDEF)),
        ]
    )

    assert good == "valid revoked 1 number 7"
    assert bad.startswith("invalid")


def test_openssl_believes_our_lists(p256: Authority, rsa: Authority) -> None:
    for authority in (p256, rsa):
        made = listed(authority.root, *REVOKED)
        impostor = authority.issue("根证书 Root", ROOT, None, key=authority.key("impostor"))
        assert openssl.accepts_crl(made.pem(), authority.root.certificate)
        assert not openssl.accepts_crl(made.pem(), impostor.certificate)
