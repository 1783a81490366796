"""What other writers do: every odd encoding met in the field is read as it was meant, or told by its code."""

import base64
import re
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from crypto.der import (
    bit_string,
    boolean,
    explicit,
    generalized_time,
    ia5,
    integer,
    octet_string,
    oid,
    parse,
    printable,
    sequence,
    utc_time,
    utf8,
)
from crypto.digests import MD5, SHA1, SHA256, DigestAlgorithm, sm3
from crypto.sm2 import signature_from_der
from seal.formats.ofd import verify_ofd
from seal.formats.ofd.archive import write_archive
from seal.model import Report, Verdict
from tests.sims.ofd_workshop import AT, FIRST, Workshop, findings_of, plain_document, unpacked
from tests.sims.ofd_writing import (
    AS_V5,
    Change,
    FirstGeneration,
    Times,
    remade,
    replaced,
    seal_info,
    v5_seal,
    with_extensions,
)

Complaints = Callable[[Report], list[str]]
LIST = "Doc_0/Signs/Signatures.xml"


def judged(workshop: Workshop, document: bytes) -> tuple[Verdict, set[str]]:
    """Give the verdict, and the codes beyond what is noted of every document here."""
    report = verify_ofd(document, workshop.bureau.trust)
    return report.verdict, {finding.code for finding in findings_of(report)} - {"REVOCATION_NOT_OFFERED"}


HOLDS: tuple[Verdict, set[str]] = (Verdict.VALID, set())


# --- the first generation --------------------------------------------------------------------------------------


def first(workshop: Workshop, made: FirstGeneration) -> bytes:
    return workshop.resealed(seal=made.seal, tbs=made.tbs, value=made.value)


@pytest.mark.parametrize("times", [utc_time, generalized_time, lambda at: ia5(at.strftime("%Y-%m-%d %H:%M:%S"))])
def test_a_version_1_seal_may_write_its_dates_in_any_type(workshop: Workshop, times: Times) -> None:
    document = first(workshop, FirstGeneration(workshop.bureau, times=times))
    assert judged(workshop, document) == HOLDS
    assert verify_ofd(document, workshop.bureau.trust).signatures[0].format == "ofd-ses-v1"


@pytest.mark.parametrize("wrap", [bytes, lambda row: explicit(0, row), octet_string])
@pytest.mark.parametrize("critical", [(), (boolean(value=False),), (boolean(value=True),)])
def test_version_1_extensions_may_be_bare_tagged_or_in_octets(
    workshop: Workshop, wrap: Change, critical: tuple[bytes, ...]
) -> None:
    rows = sequence(sequence(oid("1.2.3"), *critical, octet_string(b"x")))
    document = first(workshop, FirstGeneration(workshop.bureau, extensions=wrap(rows)))
    noted = {"UNKNOWN_CRITICAL_EXTENSION"} if critical == (boolean(value=True),) else set()
    assert judged(workshop, document) == (Verdict.VALID, noted)


def test_version_1_certificate_names_allow_nobody(workshop: Workshop) -> None:
    named = FirstGeneration(workshop.bureau, listed=sequence(ia5("44030000000001")))
    assert judged(workshop, first(workshop, named)) == (Verdict.INVALID, {"SIGNER_NOT_IN_SEAL"})


def test_version_1_sign_info_may_be_in_a_bit_string(workshop: Workshop) -> None:
    assert judged(workshop, first(workshop, FirstGeneration(workshop.bureau, wrapped=bit_string))) == HOLDS


@pytest.mark.parametrize(
    ("claimed", "meant"),
    [
        (bit_string(b"2026-11-22 16:00:00"), AT),
        (bit_string(b"2026-11-22T08:00:00.377Z"), AT + timedelta(milliseconds=377)),
        (bit_string(b"20261122160000"), AT),
        (bit_string(b"20261122080000Z"), AT),
        (bit_string(utc_time(AT)), AT),
        (bit_string(generalized_time(AT)), AT),
        (utc_time(AT), AT),
        (generalized_time(AT), AT),
        (utf8("2026-11-22 16:00:00"), AT),
    ],
)
def test_a_version_1_time_may_be_a_text(workshop: Workshop, claimed: bytes, meant: datetime) -> None:
    document = first(workshop, FirstGeneration(workshop.bureau, claimed=claimed))
    assert judged(workshop, document) == HOLDS
    assert verify_ofd(document, workshop.bureau.trust).signatures[0].time == meant


# --- the later generations -------------------------------------------------------------------------------------


@pytest.mark.parametrize("stamped", [False, True])
def test_a_version_5_seal_is_read_with_and_without_a_time_stamp(workshop: Workshop, stamped: bool) -> None:
    seal = v5_seal(workshop.bureau, (lambda _: b"none") if stamped else None)
    document = workshop.resealed(seal=seal, tbs=AS_V5)
    expected = (Verdict.INVALID, {"TIMESTAMP_INVALID"}) if stamped else HOLDS
    assert judged(workshop, document) == expected
    assert verify_ofd(document, workshop.bureau.trust).signatures[0].format == "ofd-ses-v5"


@pytest.mark.parametrize("critical", [None, False, True])
@pytest.mark.parametrize("tagged", [False, True])
def test_extensions_are_read_however_their_default_is_written(
    workshop: Workshop, critical: bool | None, tagged: bool
) -> None:
    parts = [oid("1.2.156.10197.6.7.2.2.1"), octet_string(b"2.1")]
    if critical is not None:
        parts.insert(1, boolean(critical))
    rows = sequence(sequence(*parts))
    info = with_extensions(seal_info(workshop.bureau), explicit(0, rows) if tagged else rows)
    document = workshop.resealed(seal=remade(workshop.bureau, info))
    assert judged(workshop, document) == (Verdict.VALID, {"UNKNOWN_CRITICAL_EXTENSION"} if critical else set())


def test_the_signatures_own_extensions_are_read_too(workshop: Workshop) -> None:
    row = sequence(oid("1.3.6.1.5.5.7.1.4"), boolean(value=True), octet_string(b"x"))

    def extended(tbs: bytes) -> bytes:
        return sequence(*(field.raw for field in parse(tbs)), explicit(0, sequence(row)))

    document = workshop.resealed(tbs=extended)
    assert judged(workshop, document) == (Verdict.VALID, {"UNKNOWN_CRITICAL_EXTENSION"})


@pytest.mark.parametrize("label", ["SM3", "1.2.156.10197.1.401", "anything"])
@pytest.mark.parametrize(("digest", "codes"), [(sm3, set()), (MD5.digest, {"SIGNER_NOT_IN_SEAL"})])
def test_a_signer_may_be_listed_by_the_sm3_of_its_certificate(
    workshop: Workshop, label: str, digest: Change, codes: set[str]
) -> None:
    listed = sequence(sequence(printable(label), octet_string(digest(workshop.bureau.signer.certificate.raw))))
    info = replaced((2, 3), listed)(replaced((2, 2), integer(2))(seal_info(workshop.bureau)))
    document = workshop.resealed(seal=remade(workshop.bureau, info))
    assert judged(workshop, document) == (Verdict.INVALID if codes else Verdict.VALID, codes)


def raw(place: int) -> Change:
    """Write the value at ``place`` as r and s, 32 octets each, instead of DER."""
    return lambda der: replaced((place,), bit_string(signature_from_der(parse(der)[place].as_bits())))(der)


def test_values_may_be_der_or_raw(workshop: Workshop) -> None:
    seal = raw(3)(workshop.bureau.seal())
    assert judged(workshop, workshop.resealed(seal=seal)) == HOLDS
    assert judged(workshop, workshop.resealed(value=raw(3))) == HOLDS
    assert judged(workshop, workshop.resealed(seal=seal, value=raw(3))) == HOLDS


@pytest.mark.parametrize("method", ["1.2.156.10197.1.501", "1.2.156.10197.501", "1.2.156.10197.1.301.1"])
def test_the_algorithm_may_be_named_by_any_identifier_in_use(workshop: Workshop, method: str) -> None:
    seal = remade(workshop.bureau, seal_info(workshop.bureau), method=method)
    document = workshop.resealed(seal=seal, value=replaced((2,), oid(method)))
    assert judged(workshop, document) == HOLDS


# --- the package -----------------------------------------------------------------------------------------------


def digested(workshop: Workshop, algorithm: DigestAlgorithm, method: str | None) -> bytes:
    """Seal with references by another digest algorithm, called ``method``."""
    seal = workshop.bureau.seal()
    files = {**unpacked(workshop.document), f"{FIRST}/Seal.esl": seal}

    def digest(match: re.Match[bytes]) -> bytes:
        return match[1] + base64.b64encode(algorithm.digest(files[match[2].decode()])) + b"<"

    def change(xml: bytes) -> bytes:
        made = re.sub(rb'(FileRef="/([^"]+)"><ofd:CheckValue>)[^<]*<', digest, xml)
        named = b"" if method is None else f' CheckMethod="{method}"'.encode()
        return re.sub(rb' CheckMethod="[^"]*"', named, made)

    return workshop.resealed(seal=seal, signature_xml=change)


def sm3_named(workshop: Workshop, name: str) -> bytes:
    named = f'CheckMethod="{name}"'.encode()
    return workshop.resealed(signature_xml=lambda xml: re.sub(rb'CheckMethod="[^"]*"', named, xml))


@pytest.mark.parametrize("name", ["SM3", "sm3", "1.2.156.10197.1.401", "1.2.156.10197.1.401.2"])
def test_sm3_goes_by_several_names(workshop: Workshop, name: str) -> None:
    assert judged(workshop, sm3_named(workshop, name)) == HOLDS


@pytest.mark.parametrize(
    ("algorithm", "name", "codes"),
    [
        (MD5, None, {"WEAK_DIGEST"}),
        (MD5, "MD5", {"WEAK_DIGEST"}),
        (SHA1, "SHA1", {"WEAK_DIGEST"}),
        (SHA1, "SHA-1", {"WEAK_DIGEST"}),
        (SHA256, "SHA256", set()),
    ],
)
def test_references_by_other_digests_are_compared_and_weak_ones_noted(
    workshop: Workshop, algorithm: DigestAlgorithm, name: str | None, codes: set[str]
) -> None:
    assert judged(workshop, digested(workshop, algorithm, name)) == (Verdict.VALID, codes)


NAMESPACES: dict[str, Change] = {
    "other namespace": lambda xml: xml.replace(b"http://www.ofdspec.org/2016", b"http://www.ofdspec.org"),
    "no namespace": lambda xml: re.sub(rb' xmlns:ofd="[^"]*"', b"", xml).replace(b"ofd:", b""),
    "other prefix": lambda xml: xml.replace(b"xmlns:ofd", b"xmlns:etc").replace(b"ofd:", b"etc:"),
    "default prefix": lambda xml: xml.replace(b"xmlns:ofd", b"xmlns").replace(b"ofd:", b""),
}


@pytest.mark.parametrize("change", NAMESPACES.values(), ids=NAMESPACES)
def test_elements_are_known_by_their_own_names(workshop: Workshop, change: Change) -> None:
    files = unpacked(plain_document())
    files = {path: change(content) if path.endswith(".xml") else content for path, content in files.items()}
    assert judged(workshop, workshop.bureau.sealed(write_archive(files))) == HOLDS
    listed = unpacked(workshop.document)[LIST]
    assert judged(workshop, workshop.resealed(signature_xml=change, files={LIST: change(listed)})) == HOLDS


def refs(change: Callable[[bytes], bytes]) -> Change:
    """Change every location that Signature.xml writes."""

    def write(xml: bytes) -> bytes:
        xml = re.sub(rb'(FileRef=")([^"]*)', lambda m: m[1] + change(m[2]), xml)
        return re.sub(rb"(<ofd:(?:BaseLoc|SignedValue)>)([^<]*)", lambda m: m[1] + change(m[2]), xml)

    return write


LOCATIONS: dict[str, Callable[[bytes], bytes]] = {
    "backslashes": lambda location: location.replace(b"/", b"\\"),
    "no leading slash": lambda location: location.lstrip(b"/"),
    "wrong case": bytes.upper,
    "from its own folder": lambda location: b"../../.." + location,
    "detours": lambda location: location.replace(b"/Doc_0/", b"/Doc_0/./Pages/../"),
    "blanks around": lambda location: b"  " + location + b" ",
}


@pytest.mark.parametrize("change", LOCATIONS.values(), ids=LOCATIONS)
def test_files_are_found_by_every_way_of_writing_their_place(
    workshop: Workshop, change: Callable[[bytes], bytes]
) -> None:
    assert judged(workshop, workshop.resealed(signature_xml=refs(change))) == HOLDS
    listed = re.sub(rb'(BaseLoc=")([^"]*)', lambda m: m[1] + change(m[2]), unpacked(workshop.document)[LIST])
    if b".." not in listed or b"Pages" in listed:  # the list lies one folder higher than the signature
        assert judged(workshop, workshop.resealed(files={LIST: listed})) == HOLDS


@pytest.mark.parametrize("location", [b"/Doc_0/Document.xml", b"doc_0\\document.XML", b"./Doc_0/Document.xml"])
def test_the_documents_root_is_found_as_files_are(workshop: Workshop, location: bytes) -> None:
    files = unpacked(plain_document())
    files["OFD.xml"] = re.sub(rb"(<ofd:DocRoot>)[^<]*", lambda m: m[1] + location, files["OFD.xml"])
    assert judged(workshop, workshop.bureau.sealed(write_archive(files))) == HOLDS


@pytest.mark.parametrize("number", [b"1", b"001", b"s001", b"sig-1"])
def test_the_id_of_a_signature_may_be_written_in_any_way(workshop: Workshop, number: bytes) -> None:
    listed = re.sub(rb'( ID=")[^"]*', lambda m: m[1] + number, unpacked(workshop.document)[LIST])
    listed = listed.replace(b' Type="Seal"', b"")
    assert judged(workshop, workshop.resealed(files={LIST: listed})) == HOLDS


@pytest.mark.parametrize("junk", [b"\x00", b"some bytes of a vendor\r\n", bytes(4096)])
def test_octets_before_the_archive_are_passed_over(workshop: Workshop, junk: bytes) -> None:
    assert judged(workshop, junk + workshop.document) == HOLDS


def test_a_seal_element_is_not_needed(workshop: Workshop) -> None:
    def without(xml: bytes) -> bytes:
        xml = re.sub(rb"<ofd:Seal>.*?</ofd:Seal>", b"", xml)
        return re.sub(rb'<ofd:Reference FileRef="[^"]*Seal.esl">.*?</ofd:Reference>', b"", xml)

    document = workshop.resealed(signature_xml=without, files={f"{FIRST}/Seal.esl": None})
    assert judged(workshop, document) == HOLDS


@pytest.mark.parametrize("text", [b"20201010151120", b"2020-04-22 16:22:44", b"", b"yesterday"])
def test_the_time_written_in_the_file_is_not_the_time_of_sealing(workshop: Workshop, text: bytes) -> None:
    def change(xml: bytes) -> bytes:
        return re.sub(rb"(<ofd:SignatureDateTime>)[^<]*", lambda m: m[1] + text, xml)

    document = workshop.resealed(signature_xml=change)
    assert judged(workshop, document) == HOLDS
    assert verify_ofd(document, workshop.bureau.trust).signatures[0].time == AT
