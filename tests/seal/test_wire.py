"""Reports between processes: what was written is read, anything else is refused."""

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seal.model import Finding, Report, SealFacts, SignatureReport, TimeSource, Verdict
from seal.wire import decode_report, encode_report

instants = st.datetimes(min_value=datetime(1950, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
texts = st.text(max_size=40)
findings = st.builds(Finding, code=texts, verdict=st.sampled_from(Verdict), detail=texts)
seals = st.builds(
    SealFacts,
    id=texts,
    name=texts,
    kind=st.integers(),
    picture_type=texts,
    picture=st.binary(max_size=40),
    valid_from=instants,
    valid_to=instants,
)
signatures = st.builds(
    SignatureReport,
    format=texts,
    signer=st.none() | texts,
    seal=st.none() | seals,
    time=st.none() | instants,
    time_source=st.none() | st.sampled_from(TimeSource),
    findings=st.lists(findings, max_size=3).map(tuple),
    reason=st.none() | texts,
)
reports = st.builds(
    Report,
    signatures=st.lists(signatures, max_size=3).map(tuple),
    findings=st.lists(findings, max_size=3).map(tuple),
)


@given(reports)
def test_a_report_comes_through_as_it_was(report: Report) -> None:
    assert decode_report(encode_report(report)) == report


@given(reports, st.integers(min_value=0), st.integers(min_value=1, max_value=255))
def test_changed_octets_give_a_report_or_a_plain_refusal(report: Report, where: int, mask: int) -> None:
    octets = bytearray(encode_report(report))
    octets[where % len(octets)] ^= mask
    with suppress(ValueError):
        assert isinstance(decode_report(bytes(octets)), Report)


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"signatures": {}, "findings": []}',
        b'{"signatures": [], "findings": [{"code": 1, "verdict": "valid", "detail": ""}]}',
        b'{"signatures": [], "findings": [{"code": "A", "verdict": "splendid", "detail": ""}]}',
        b'{"signatures": [], "findings": [' + b"[" * 100_000,
        b'{"signatures": [[]], "findings": []}',
    ],
)
def test_what_is_no_report_is_refused(octets: bytes) -> None:
    with pytest.raises(ValueError, match="not a report"):
        decode_report(octets)
