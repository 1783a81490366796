"""Signed messages: made and judged."""

import base64
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from crypto import cms_names, der
from crypto.cms import CmsProblem, CmsTemplate, Profile, parse_signed_data, with_timestamp
from crypto.digests import SM3
from crypto.errors import CmsError, SuiteRefused
from crypto.suites import ES256, SM2_SM3
from crypto.x509 import SIGNER, Certificate
from tests.crypto.authority import Authority, Holder
from tests.crypto.messages import CONTENT, PROFILES, judge, sign, template

# --- making ------------------------------------------------------------------------------------------------------


def test_what_is_signed_verifies(authority: Authority) -> None:
    assert judge(sign(authority)) == set()


def test_another_content_does_not(authority: Authority) -> None:
    assert judge(sign(authority), CONTENT + b" ") == {CmsProblem.DIGEST_MISMATCH}


def test_signer_and_chain_are_enclosed_and_the_signer_is_bound(authority: Authority) -> None:
    signed = parse_signed_data(sign(authority))
    (signer,) = signed.signers

    assert signed.certificates == (authority.signer.certificate, *authority.chain)
    assert signed.encapsulated is None
    assert signed.content_type == cms_names.DATA
    assert signer.certificate == authority.signer.certificate
    assert signer.signing_certificate_matches is True
    assert signer.message_digest == authority.suite.digest.digest(CONTENT)


def test_a_pades_signature_carries_no_signing_time(authority: Authority) -> None:
    made = template(authority)

    assert parse_signed_data(sign(authority)).signers[0].signing_time is None
    with pytest.raises(CmsError, match="no signing time"):
        made.attributes(bytes(authority.suite.digest.size), signing_time=datetime(2026, 11, 22, tzinfo=UTC))


def test_attributes_are_in_der_order(authority: Authority) -> None:
    attributes = der.parse(template(authority).attributes(bytes(authority.suite.digest.size)))

    assert attributes.raw == der.set_of(member.raw for member in attributes)


@pytest.mark.parametrize("profile", PROFILES)
def test_no_message_is_longer_than_its_limit(sm2: Authority, profile: Profile) -> None:
    made = template(sm2, profile)
    time = datetime(2026, 11, 22, tzinfo=UTC) if profile == "gbt35275" else None

    for number in range(32):
        attributes = made.attributes(SM3.digest(bytes((number,))), signing_time=time)
        message = made.assemble(attributes, sm2.signer.signer.sign(attributes))
        assert made.size_limit() - 8 <= len(message) <= made.size_limit()


def test_the_limit_of_an_rsa_message_is_its_size(rsa: Authority) -> None:
    assert len(sign(rsa)) == template(rsa).size_limit()


def test_a_gbt_35275_message_has_its_own_names_and_a_signing_time(sm2: Authority) -> None:
    made = template(sm2, "gbt35275")
    time = datetime(2026, 11, 22, 8, tzinfo=UTC)
    attributes = made.attributes(SM3.digest(CONTENT), signing_time=time)
    message = made.assemble(attributes, sm2.signer.signer.sign(attributes))

    signed = parse_signed_data(message)

    assert signed.gm
    assert signed.content_type == cms_names.GM_DATA
    assert signed.signers[0].signature_oid == SM2_SM3.aliases[0]
    assert signed.signers[0].signing_time == time
    assert judge(message) == set()
    assert judge(message, CONTENT[1:]) == {CmsProblem.DIGEST_MISMATCH}


@pytest.mark.parametrize("profile", PROFILES)
def test_a_time_stamp_goes_beside_the_signature_and_leaves_it_as_it_was(sm2: Authority, profile: Profile) -> None:
    made = template(sm2, profile)
    attributes = made.attributes(SM3.digest(CONTENT))
    message = made.assemble(attributes, sm2.signer.signer.sign(attributes))
    token = der.sequence(der.integer(7))

    stamped = with_timestamp(message, token)

    (before,), (after,) = parse_signed_data(message).signers, parse_signed_data(stamped).signers
    assert (before.timestamp_token, after.timestamp_token) == (None, token)
    assert after.signature == before.signature
    assert judge(stamped) == set()
    with pytest.raises(CmsError, match="once"):
        with_timestamp(stamped, token)


def test_a_template_refuses_a_suite_its_key_cannot_sign_with(sm2: Authority, p256: Authority) -> None:
    with pytest.raises(SuiteRefused, match="a sm2 key does not sign with ES256"):
        CmsTemplate(sm2.signer.certificate, (), ES256)
    with pytest.raises(CmsError):
        CmsTemplate(p256.signer.certificate, (), ES256, "gbt35275")
    with pytest.raises(CmsError):
        template(sm2).attributes(bytes(20))


# --- judging -----------------------------------------------------------------------------------------------------


def test_zero_octets_may_follow_and_nothing_else(sm2: Authority) -> None:
    message = sign(sm2)

    assert judge(message + bytes(1000)) == set()
    with pytest.raises(CmsError):
        parse_signed_data(message + b"\x00\x01")


def test_a_raw_sm2_value_verifies_too(sm2: Authority) -> None:
    made = template(sm2)
    attributes = made.attributes(SM3.digest(CONTENT))
    r, s = (node.as_int().to_bytes(32, "big") for node in der.parse(sm2.signer.signer.sign(attributes)))

    assert judge(made.assemble(attributes, r + s)) == set()


def test_a_signature_of_another_key_does_not_verify(authority: Authority) -> None:
    made = template(authority)
    attributes = made.attributes(authority.suite.digest.digest(CONTENT))

    assert judge(made.assemble(attributes, authority.root.signer.sign(attributes))) == {CmsProblem.SIGNATURE_INVALID}


def test_attributes_sent_out_of_order_verify_when_signed_in_order(sm2: Authority) -> None:
    made = template(sm2)
    attributes = made.attributes(SM3.digest(CONTENT))
    value = sm2.signer.signer.sign(attributes)
    reversed_ = der.tlv(der.SET, *(member.raw for member in reversed(der.parse(attributes).children())))

    assert judge(made.assemble(reversed_, value)) == set()


def test_an_exchanged_certificate_of_the_same_key_shows(sm2: Authority) -> None:
    # Same issuer, same serial, same key, other content: only the signed reference tells them apart.
    original = sm2.signer
    serial = original.certificate.serial
    sm2.serials, kept = iter([serial]), sm2.serials  # type: ignore[assignment]
    twin = sm2.issue("冒名者", SIGNER, sm2.sub_ca, key=original.signer)
    sm2.serials = kept
    made = template(sm2)
    attributes = made.attributes(SM3.digest(CONTENT))
    value = original.signer.sign(attributes)
    exchanged = CmsTemplate(twin.certificate, sm2.chain, sm2.suite).assemble(attributes, value)

    assert judge(exchanged) == {CmsProblem.SIGNING_CERTIFICATE_MISMATCH}


def bare(holder: Holder, *certificates: Certificate, attributes: bytes | None, content: bytes | None = None) -> bytes:
    """A GB/T 35275 message made by hand: with any attributes or none, with the content inside or not."""
    certificate = holder.certificate
    digest, method = (der.sequence(der.oid(oid)) for oid in (SM3.oid, SM2_SM3.aliases[0]))
    inside = b"" if content is None else der.explicit(0, der.octet_string(content))
    value = holder.signer.sign(attributes if attributes is not None else content or b"")
    signer = der.sequence(
        der.integer(1),
        der.sequence(certificate.issuer, der.integer(certificate.serial)),
        digest,
        b"" if attributes is None else bytes((0xA0,)) + attributes[1:],
        method,
        der.octet_string(value),
    )
    signed = der.sequence(
        der.integer(1),
        der.set_of([digest]),
        der.sequence(der.oid(cms_names.GM_DATA), inside),
        der.explicit(0, *(each.raw for each in certificates)) if certificates else b"",
        der.set_of([signer]),
    )
    return der.sequence(der.oid(cms_names.GM_SIGNED_DATA), der.explicit(0, signed))


@pytest.mark.parametrize("write", [bytes, base64.b64encode], ids=["plain", "base64"])
def test_a_gbt_35275_message_may_enclose_the_hash_and_sign_that(
    sm2: Authority, write: Callable[[bytes], bytes]
) -> None:
    message = bare(sm2.signer, sm2.signer.certificate, attributes=None, content=write(SM3.digest(CONTENT)))

    assert judge(message) == set()
    assert judge(message, CONTENT[1:]) == {CmsProblem.DIGEST_MISMATCH}


def test_an_enclosed_hash_that_was_exchanged_shows_in_the_signature(sm2: Authority) -> None:
    message = bare(sm2.signer, sm2.signer.certificate, attributes=None, content=SM3.digest(CONTENT))
    exchanged = message.replace(SM3.digest(CONTENT), SM3.digest(b"another"))

    assert judge(exchanged, b"another") == {CmsProblem.SIGNATURE_INVALID}


def test_an_enclosed_hash_with_attributes_binds_both(sm2: Authority) -> None:
    inner = SM3.digest(CONTENT)
    attributes = made_attributes(digest=SM3.digest(inner))

    message = bare(sm2.signer, sm2.signer.certificate, attributes=attributes, content=inner)

    assert judge(message) == set()
    assert judge(message, b"another") == {CmsProblem.DIGEST_MISMATCH}


def made_attributes(*, digest: bytes | None, kind: str | None = cms_names.GM_DATA, again: bytes = b"") -> bytes:
    def attribute(oid: str, value: bytes) -> bytes:
        return der.sequence(der.oid(oid), der.tlv(der.SET, value))

    return der.set_of(
        [
            *([attribute(cms_names.CONTENT_TYPE, der.oid(kind))] if kind else []),
            *([attribute(cms_names.MESSAGE_DIGEST, der.octet_string(digest))] if digest else []),
            *([again] if again else []),
        ]
    )


def test_without_a_certificate_nothing_is_said_until_one_is_supplied(sm2: Authority) -> None:
    message = bare(sm2.signer, attributes=made_attributes(digest=SM3.digest(CONTENT)))

    assert judge(message) == {CmsProblem.CERTIFICATE_MISSING}
    assert judge(message, others=[sm2.root.certificate]) == {CmsProblem.CERTIFICATE_MISSING}
    assert judge(message, others=[sm2.signer.certificate]) == set()
    assert judge(message, b"another", others=[sm2.signer.certificate]) == {CmsProblem.DIGEST_MISMATCH}


@pytest.mark.parametrize(
    ("attributes", "problem"),
    [
        (made_attributes(digest=None), CmsProblem.ATTRIBUTES_MALFORMED),
        (made_attributes(digest=SM3.digest(CONTENT), kind=None), CmsProblem.ATTRIBUTES_MALFORMED),
        (
            made_attributes(
                digest=SM3.digest(CONTENT),
                again=der.sequence(
                    der.oid(cms_names.MESSAGE_DIGEST), der.tlv(der.SET, der.octet_string(SM3.digest(b"other")))
                ),
            ),
            CmsProblem.ATTRIBUTES_MALFORMED,
        ),
        (made_attributes(digest=SM3.digest(CONTENT), kind=cms_names.TST_INFO), CmsProblem.CONTENT_TYPE_MISMATCH),
    ],
    ids=["no digest", "no type", "two digests", "another type"],
)
def test_signed_attributes_must_be_whole(sm2: Authority, attributes: bytes, problem: CmsProblem) -> None:
    assert judge(bare(sm2.signer, sm2.signer.certificate, attributes=attributes)) == {problem}


def test_a_bare_sm2_signature_over_something_outside_cannot_be_judged(sm2: Authority) -> None:
    message = bare(sm2.signer, sm2.signer.certificate, attributes=None)

    assert judge(message) == {CmsProblem.ALGORITHM_UNSUPPORTED}


def test_a_bare_sm2_signature_over_something_inside_is_judged_once_the_caller_vouches_for_it(sm2: Authority) -> None:
    message = bare(sm2.signer, sm2.signer.certificate, attributes=None, content=CONTENT)
    foreign = rebuilt(message, cms_names.DATA)

    assert judge(foreign) == set()
    assert judge(foreign, b"another") == {CmsProblem.ALGORITHM_UNSUPPORTED}


def rebuilt(message: bytes, kind: str) -> bytes:
    """The same message with another content type."""
    outer, wrapped = der.parse(message).children()
    version, digests, content, *rest = wrapped.inner().children()
    inner = der.sequence(der.oid(kind), *(node.raw for node in content.children()[1:]))
    signed = der.sequence(version.raw, digests.raw, inner, *(node.raw for node in rest))
    return der.sequence(outer.raw, der.explicit(0, signed))


def test_a_signer_may_be_named_by_key_identifier(sm2: Authority) -> None:
    message = sign(sm2)
    outer, wrapped = der.parse(message).children()
    *head, infos = wrapped.inner().children()
    version, _, *rest = infos.inner().children()
    by_key = der.implicit(0, sm2.signer.certificate.subject_key_id or b"")
    info = der.sequence(version.raw, by_key, *(node.raw for node in rest))
    signed = der.sequence(*(node.raw for node in head), der.set_of([info]))
    renamed = der.sequence(outer.raw, der.explicit(0, signed))

    assert parse_signed_data(renamed).signers[0].certificate == sm2.signer.certificate
    assert judge(renamed) == set()


def test_two_signers_are_both_shown(sm2: Authority) -> None:
    outer, wrapped = der.parse(sign(sm2)).children()
    *head, infos = wrapped.inner().children()
    twice = der.sequence(*(node.raw for node in head), der.tlv(der.SET, infos.content, infos.content))

    assert len(parse_signed_data(der.sequence(outer.raw, der.explicit(0, twice))).signers) == 2


def test_an_unknown_digest_cannot_be_judged(sm2: Authority) -> None:
    message = sign(sm2).replace(der.oid(SM3.oid), der.oid("1.2.156.10197.1.499"))

    assert judge(message) == {CmsProblem.ALGORITHM_UNSUPPORTED}
