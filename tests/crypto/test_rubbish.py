"""Input made to be misread, or to cost more than it weighs: refused as what it is, and soon."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from crypto import cms_names, der
from crypto.certificate import Certificate
from crypto.cms import CmsProblem, parse_signed_data
from crypto.cms_build import attribute, signing_certificate_v2
from crypto.digests import MD5, SHA1, SHA256, SHA512, DigestAlgorithm
from crypto.errors import CertificateError, CmsError, CryptoError, DerError, TokenError
from crypto.jose import JwtSigner, verify_signature
from crypto.jwk import decode, encode
from crypto.names import MAX_NAME, fold_name
from crypto.signatures import scheme_of
from crypto.timestamp import parse_token, verify_token
from crypto.timestamp_exchange import parse_response
from crypto.x509 import TSA
from tests.crypto.authority import Authority

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
_PSS = "1.2.840.113549.1.1.10"
_MGF1 = "1.2.840.113549.1.1.8"


def read_time(text: bytes, tag: int = der.GENERALIZED_TIME) -> datetime:
    return der.parse(der.tlv(tag, text)).as_time()


@pytest.mark.parametrize(
    ("tag", "text"),
    [
        (der.GENERALIZED_TIME, b"2026112208Z"),
        (der.GENERALIZED_TIME, b"2026112208000Z"),
        (der.GENERALIZED_TIME, b"20261122080000.-5Z"),
        (der.GENERALIZED_TIME, b"20261122080000.1_2Z"),
        (der.GENERALIZED_TIME, b"20261122080000.Z"),
        (der.GENERALIZED_TIME, b"20261122080000+8"),
        (der.GENERALIZED_TIME, b"20261122080060Z"),
        (der.GENERALIZED_TIME, b"00010101000000+0800"),
        (der.GENERALIZED_TIME, "２０２６１１２２０８００００Z".encode()),
        (der.UTC_TIME, b"26112208Z"),
        (der.UTC_TIME, b"20261122080000Z"),
    ],
)
def test_a_time_that_could_be_read_in_two_ways_is_refused(tag: int, text: bytes) -> None:
    with pytest.raises(DerError):
        read_time(text, tag)


def test_times_as_signers_write_them_are_read() -> None:
    assert read_time(b"20261122120000Z") == NOON
    assert read_time(b"202611221200Z") == NOON
    assert read_time(b"20261122200000.000+0800") == NOON
    assert read_time(b"20261122120000.25Z") == NOON.replace(microsecond=250_000)
    assert read_time(b"2611221200Z", der.UTC_TIME) == NOON
    assert read_time(b"261122070000-0500", der.UTC_TIME) == NOON


@pytest.mark.parametrize("content", [b"", b"\0\0"])
def test_a_boolean_of_no_or_two_octets_says_nothing(content: bytes) -> None:
    with pytest.raises(DerError):
        der.parse(der.tlv(der.BOOLEAN, content)).as_bool()


@pytest.mark.parametrize("value", [0, 127, 128, -1, -128, -129, -32768, 1 << 255])
def test_integers_are_written_in_the_fewest_octets_and_read_back(value: int) -> None:
    written = der.integer(value)
    assert der.parse(written).as_int() == value
    assert len(written) == 3 or written[2] not in (0, 0xFF) or (written[2] ^ written[3]) & 0x80


def test_an_integer_too_long_to_be_written_out_is_refused() -> None:
    longest = der.parse(der.tlv(der.INTEGER, b"\x7f" * der.MAX_INTEGER)).as_int()
    assert len(str(longest)) < 4300
    with pytest.raises(DerError, match="INTEGER"):
        der.parse(der.tlv(der.INTEGER, b"\x7f" * (der.MAX_INTEGER + 1))).as_int()


def test_a_response_with_an_endless_status_is_refused() -> None:
    endless = der.tlv(der.INTEGER, b"\x80" * 2000)
    with pytest.raises(CmsError):
        parse_response(der.sequence(der.sequence(endless)))


def test_a_value_of_very_many_members_is_refused() -> None:
    with pytest.raises(DerError, match="members"):
        der.parse(der.sequence(der.null() * (der.MAX_MEMBERS + 1))).children()


def test_an_endless_object_identifier_is_refused() -> None:
    with pytest.raises(DerError):
        der.parse(der.tlv(der.OID, b"\x01" * (der.MAX_OID + 1))).as_oid()


def test_a_name_too_large_to_be_remembered_is_refused() -> None:
    with pytest.raises(DerError):
        fold_name(der.sequence(der.tlv(der.SET, der.sequence(der.oid("2.5.4.3"), der.utf8("x" * MAX_NAME)))))


def signed_by_nobody(attributes: bytes) -> bytes:
    sid = der.sequence(der.sequence(), der.integer(1))
    digest, method = (der.sequence(der.oid(oid)) for oid in (SHA256.oid, "1.2.840.10045.4.3.2"))
    signer = der.sequence(
        der.integer(1), sid, digest, der.explicit(0, attributes), method, der.octet_string(b""), der.explicit(1, b"")
    )
    content = der.sequence(der.oid(cms_names.DATA))
    signed = der.sequence(der.integer(1), der.set_of((digest,)), content, der.tlv(der.SET, signer))
    return der.sequence(der.oid(cms_names.SIGNED_DATA), der.explicit(0, signed))


def test_a_signer_with_very_many_attribute_values_is_refused() -> None:
    one = der.sequence(der.oid("1.2.3"), der.tlv(der.SET, der.null() * 2))
    assert len(parse_signed_data(signed_by_nobody(one * 500)).signers[0].attributes["1.2.3"]) == 1000
    with pytest.raises(CmsError, match="values"):
        parse_signed_data(signed_by_nobody(one * 600))


def test_pem_with_letters_of_another_alphabet_is_refused() -> None:
    for text in ("证书", "证书".encode(), b"\xff"):
        body = text if isinstance(text, bytes) else text.encode()
        with pytest.raises(CertificateError):
            Certificate.from_pem(b"-----BEGIN CERTIFICATE-----\n" + body + b"\n-----END CERTIFICATE-----\n")


def remade(certificate: Certificate, change: Callable[[list[bytes]], None]) -> bytes:
    """Change the fields of the certificate's signed part, and leave the signature as it was."""
    outer = der.parse(certificate.raw)
    fields = [node.raw for node in outer[0]]
    change(fields)
    return der.sequence(der.sequence(*fields), outer[1].raw, outer[2].raw)


def test_an_extension_without_members_is_refused_as_no_certificate(p256: Authority) -> None:
    def empty(fields: list[bytes]) -> None:
        fields[-1] = der.explicit(3, der.sequence(der.sequence()))

    with pytest.raises(CertificateError):
        Certificate.from_der(remade(p256.signer.certificate, empty))


def test_a_certificate_with_very_many_extensions_is_refused(p256: Authority) -> None:
    def many(fields: list[bytes]) -> None:
        fields[-1] = der.explicit(3, der.sequence(*(der.sequence(der.oid(f"1.2.{n}"), b"\4\0") for n in range(129))))

    with pytest.raises(CertificateError, match="extensions"):
        Certificate.from_der(remade(p256.signer.certificate, many))


def test_a_ca_flag_without_a_value_makes_no_ca(p256: Authority) -> None:
    def flag(fields: list[bytes]) -> None:
        value = der.sequence(der.tlv(der.BOOLEAN, b""))
        fields[-1] = der.explicit(3, der.sequence(der.sequence(der.oid("2.5.29.19"), der.octet_string(value))))

    read = Certificate.from_der(remade(p256.signer.certificate, flag))
    assert not read.is_ca
    assert read.extensions.not_understood


def pss(mask: str = _MGF1, digest: str = SHA256.oid, salt: int = 32) -> bytes:
    hashed = der.sequence(der.oid(digest), der.null())
    return der.sequence(
        der.oid(_PSS),
        der.sequence(
            der.explicit(0, hashed),
            der.explicit(1, der.sequence(der.oid(mask), hashed)),
            der.explicit(2, der.integer(salt)),
        ),
    )


def test_a_mask_function_other_than_mgf1_is_not_judged_as_mgf1() -> None:
    assert scheme_of(der.parse(pss())) is not None
    assert scheme_of(der.parse(pss(mask="1.2.840.113549.1.1.99"))) is None


@pytest.mark.parametrize("outside", [pss(digest=SHA512.oid), pss(digest=SHA1.oid), pss(salt=20)])
def test_parameters_outside_the_signed_part_must_be_those_inside(rsa: Authority, outside: bytes) -> None:
    parts = der.parse(rsa.signer.certificate.raw)
    fields = [node.raw for node in parts[0]]
    fields[2] = pss()
    inside = der.sequence(*fields)
    assert Certificate.from_der(der.sequence(inside, pss(), parts[2].raw)).scheme == scheme_of(der.parse(pss()))
    with pytest.raises(CertificateError):
        Certificate.from_der(der.sequence(inside, outside, parts[2].raw))


@pytest.mark.parametrize("depth", [40, 20_000])
def test_deep_nesting_is_refused_in_either_length_form(depth: int) -> None:
    definite = b""
    for _ in range(min(depth, 200)):
        definite = der.sequence(definite)
    for rubbish in (definite, b"\x30\x80" * depth, b"\x24\x80" * depth + b"\0\0" * depth):
        with pytest.raises(CryptoError):
            parse_signed_data(rubbish)


@pytest.mark.parametrize("claims", [b'{"sub":"\\ud800"}', b'{"\\udc00":1}', b'{"n":1e999}', b'{"n":[-1e400]}'])
def test_claims_that_cannot_be_written_again_are_refused(p256: Authority, claims: bytes) -> None:
    signer = p256.signer.signer
    header = JwtSigner(signer, "k").sign({}).split(".")[0]
    signed = f"{header}.{encode(claims)}"
    r, s = (member.as_int() for member in der.parse(signer.sign(signed.encode())))
    token = f"{signed}.{encode(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"
    assert decode(token.split(".")[1]) == claims
    with pytest.raises(TokenError, match="JSON"):
        verify_signature(token, keys={"k": signer.public_key}, typ="JWT")


def stamped(authority: Authority, algorithm: DigestAlgorithm, data: bytes) -> bytes:
    holder = authority.issue("时间戳", TSA, authority.sub_ca)
    imprint = der.sequence(der.sequence(der.oid(algorithm.oid)), der.octet_string(algorithm.digest(data)))
    said = der.sequence(der.integer(1), der.oid("1.2.3"), imprint, der.integer(1), der.generalized_time(NOON))
    attributes = der.set_of(
        (
            attribute(cms_names.CONTENT_TYPE, der.oid(cms_names.TST_INFO)),
            attribute(cms_names.MESSAGE_DIGEST, der.octet_string(SHA256.digest(said))),
            signing_certificate_v2(holder.certificate, holder.signer.suite),
        )
    )
    signer = der.sequence(
        der.integer(1),
        der.sequence(holder.certificate.issuer, der.integer(holder.certificate.serial)),
        der.sequence(der.oid(SHA256.oid)),
        der.tlv(der.context(0), *(member.raw for member in der.parse(attributes))),
        der.sequence(der.oid(holder.signer.suite.signature_oid)),
        der.octet_string(holder.signer.sign(attributes)),
    )
    content = der.sequence(der.oid(cms_names.TST_INFO), der.explicit(0, der.octet_string(said)))
    certificates = der.explicit(0, holder.certificate.raw)
    signed = der.sequence(der.integer(3), der.set_of(()), content, certificates, der.tlv(der.SET, signer))
    return der.sequence(der.oid(cms_names.SIGNED_DATA), der.explicit(0, signed))


def test_a_time_stamp_over_a_weak_digest_says_so(p256: Authority) -> None:
    for algorithm, problems in ((SHA256, ()), (SHA1, (CmsProblem.WEAK_DIGEST,)), (MD5, (CmsProblem.WEAK_DIGEST,))):
        token = parse_token(stamped(p256, algorithm, b"data"))
        assert verify_token(token, lambda digest: digest.digest(b"data")) == problems
