"""Time stamps on signatures: what they prove, what spoils them, and what is told of it."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from crypto.cms import CmsProblem
from crypto.digests import SHA256, SM3
from crypto.errors import CryptoError
from crypto.suites import SM2_SM3
from crypto.timestamp import TimestampProblem
from crypto.timestamp_build import Imprint, TokenTemplate
from crypto.x509 import TSA
from seal.formats.pdf.findings import Code
from seal.model import Verdict
from seal.stamps import TOKEN_FINDINGS, judge_token, read_stamp
from seal.trust import Trust
from tests.crypto.authority import Authority as Issuer

from .conftest import Authority

AT = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
VALUE = b"a signature's value"
Make = Callable[..., bytes]


@pytest.fixture(scope="module")
def issuer(authority: Authority) -> Issuer:
    return Issuer(authority.vault, SM2_SM3)


@pytest.fixture(scope="module")
def trust(issuer: Issuer) -> Trust:
    return Trust(anchors=(issuer.root.certificate,))


@pytest.fixture(scope="module")
def token(issuer: Issuer) -> Make:
    holder = issuer.issue("时间戳", TSA, issuer.sub_ca)
    template = TokenTemplate(holder.certificate, issuer.chain, holder.signer, policy="1.2.3.4")

    def make(stamped: bytes = VALUE, **fields: Any) -> bytes:
        imprint = Imprint.of(SM3.oid, SM3.digest(stamped))
        return template.token(**{"imprint": imprint, "serial": 1, "at": AT, **fields})

    return make


def test_without_a_token_nothing_is_proved_and_nothing_is_wrong(trust: Trust) -> None:
    stamp = read_stamp(None, covered=VALUE, trust=trust)
    assert (stamp.time, stamp.findings) == (None, ())


def test_a_good_token_proves_its_time(trust: Trust, token: Make) -> None:
    stamp = read_stamp(token(), covered=VALUE, trust=trust)
    assert (stamp.time, stamp.findings) == (AT, ())


def test_what_is_wrong_with_a_token_is_named_once_and_proves_nothing(trust: Trust, token: Make) -> None:
    sound = token()
    spoiled: Mapping[str, tuple[bytes, Trust, str, Verdict]] = {
        "other octets": (token(b"other"), trust, "DATA_HASH_MISMATCH", Verdict.INVALID),
        "value": (sound[:-1] + bytes([sound[-1] ^ 1]), trust, "SIGNATURE_INVALID", Verdict.INVALID),
        "maker not enclosed": (token(with_certificates=False), trust, "TSA_CERT_MISSING", Verdict.VALID),
        "maker unknown": (sound, Trust(anchors=()), "TSA_CERT_UNTRUSTED", Verdict.VALID),
        "both": (token(b"other"), Trust(anchors=()), "DATA_HASH_MISMATCH, TSA_CERT_UNTRUSTED", Verdict.INVALID),
    }
    for name, (octets, believed, detail, verdict) in spoiled.items():
        stamp = read_stamp(octets, covered=VALUE, trust=believed)
        (finding,) = stamp.findings
        code = "TIMESTAMP_INVALID" if verdict is Verdict.INVALID else "TIMESTAMP_UNTRUSTED"
        assert (stamp.time, finding.code, finding.verdict, finding.detail) == (None, code, verdict, detail), name


@pytest.mark.parametrize("rubbish", [b"", b"rubbish", b"\x30\x00"])
def test_what_is_no_token_is_invalid_on_a_signature_and_unreadable_by_itself(trust: Trust, rubbish: bytes) -> None:
    (finding,) = read_stamp(rubbish, covered=VALUE, trust=trust).findings
    assert (finding.code, finding.verdict) == ("TIMESTAMP_INVALID", Verdict.INVALID)
    with pytest.raises(CryptoError):
        judge_token(rubbish, lambda digest: digest.digest(VALUE), trust)


def test_a_token_by_itself_is_judged_with_the_names_of_a_signature(trust: Trust, token: Make) -> None:
    imprint = Imprint.of(SHA256.oid, SHA256.digest(b"other"))
    judged = judge_token(token(imprint=imprint), lambda digest: digest.digest(VALUE), trust)
    assert judged.proved is None
    assert [each.code for each in judged.findings if each.verdict is not Verdict.VALID] == ["DATA_HASH_MISMATCH"]


def test_every_problem_of_a_token_has_its_finding_and_a_pdf_knows_each_of_them() -> None:
    assert set(TOKEN_FINDINGS) == {*CmsProblem, *TimestampProblem}
    assert {Code[code].value[0] is verdict for code, verdict in TOKEN_FINDINGS.values()} == {True}
