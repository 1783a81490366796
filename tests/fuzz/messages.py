"""Readers of signed messages: CMS and GB/T 35275, time-stamps asked for, given and judged."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from crypto.cms import CmsTemplate, SignedData, parse_signed_data, verify_signer
from crypto.digests import SHA256, SM3, DigestAlgorithm
from crypto.timestamp import parse_token, verify_token
from crypto.timestamp_build import Imprint, TokenTemplate
from crypto.timestamp_exchange import (
    Failure,
    granted,
    make_request,
    parse_request,
    parse_response,
    rejection,
)
from crypto.x509 import TSA
from tests.crypto.authority import NOW, Authority
from tests.fuzz.shapes import DER
from tests.fuzz.target import Target

DATA = b"the signature value"
CONTENT = "准予行政许可决定书".encode()
_NONCE = 1 << 63


def stamp(authority: Authority, digest: DigestAlgorithm = SHA256, data: bytes = DATA) -> bytes:
    holder = authority._once("时间戳", TSA, authority.sub_ca)
    template = TokenTemplate(
        holder.certificate, authority.chain, holder.signer, policy="1.2.156.10197.99.1", accuracy=timedelta(seconds=1)
    )
    return template.token(Imprint.of(digest.oid, digest.digest(data)), serial=77, at=NOW, nonce=_NONCE)


def signed(authority: Authority, profile: str = "rfc5652") -> bytes:
    gm = profile == "gbt35275"
    template = CmsTemplate(
        authority.signer.certificate, authority.chain, authority.suite, "gbt35275" if gm else "rfc5652"
    )
    digest = authority.suite.digest.digest(CONTENT)
    attributes = template.attributes(digest, signing_time=NOW) if gm else template.attributes(digest)
    return template.assemble(attributes, authority.signer.signer.sign(attributes))


def targets(sm2: Authority, p256: Authority, corpus: Path | None) -> Iterator[Target]:
    """Give the rows, over messages signed under two authorities."""
    tokens = [stamp(each, digest) for each in (sm2, p256) for digest in (SHA256, SM3)]
    messages = [signed(sm2), signed(p256), tokens[0]]
    gm = [signed(sm2, "gbt35275")]
    if corpus:
        found = corpus / "ofd" / "detached" / "shandong_gov_v4_plus_gbt35275" / "Doc_0" / "Signs" / "Sign_3"
        gm.append((found / "SignedValue.dat").read_bytes())
    attributes = {each.signed_attributes_raw for raw in (*messages, *gm) for each in parse_signed_data(raw).signers}

    def judged(read: SignedData, _: bytes) -> None:
        for each in read.signers:
            assert isinstance(hash((each.message_digest, each.content_type, each.timestamp_token)), int)
            assert isinstance(hash((each.signing_time, each.signing_certificate_matches)), int)
            problems = verify_signer(read, each, lambda digest: digest.digest(CONTENT))
            assert problems or each.signed_attributes_raw in attributes

    yield Target(name="cms", seeds=messages, ways=DER, read=parse_signed_data, check=judged)
    yield Target(name="gbt35275", seeds=gm, ways=DER, read=parse_signed_data, check=judged)
    yield from _stamps(tokens)


def _stamps(tokens: list[bytes]) -> Iterator[Target]:
    contents = {parse_token(raw).signed.encapsulated for raw in tokens}

    def holds(read: Any, _: bytes) -> None:
        problems = verify_token(read, lambda algorithm: algorithm.digest(DATA))
        assert problems or read.signed.encapsulated in contents

    def answered(read: Any, data: bytes) -> None:
        assert (read.token is None) == (not read.status.granted)
        if read.token is not None:
            holds(read.token, data)

    imprint = Imprint.of(SM3.oid, SM3.digest(DATA))
    requests = [
        make_request(imprint, nonce=_NONCE, policy="1.2.3"),
        make_request(imprint, wants_certificates=False),
    ]
    responses = [*map(granted, tokens), rejection(Failure.BAD_ALGORITHM, "不受理")]
    yield Target(name="timestamp-token", seeds=tokens, ways=DER, read=parse_token, check=holds)
    yield Target(name="timestamp-request", seeds=requests, ways=DER, read=parse_request)
    yield Target(name="timestamp-response", seeds=responses, ways=DER, read=parse_response, check=answered)
