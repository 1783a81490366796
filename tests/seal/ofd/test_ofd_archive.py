"""ZIP archives: what is refused, what is tolerated, and that a rewritten one is still an archive."""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.errors import DerError
from seal.errors import DocumentRefused
from seal.formats.ofd import Page, Text, verify_ofd, write_simple_ofd
from seal.formats.ofd.archive import Archive, ArchiveError, ArchiveTooLarge, Limits, write_archive
from seal.formats.ofd.package import OfdPackage, PackageError, parse_xml
from seal.model import Verdict
from seal.ses import parse_ses_signature, parse_seseal
from seal.trust import Trust

UNTRUSTED = Trust(anchors=())
MIB = 1024 * 1024
NAMES = st.text("abcXYZ中文01._-", min_size=1, max_size=8).filter(lambda name: name.strip("."))
FILES = st.dictionaries(st.lists(NAMES, min_size=1, max_size=3).map("/".join), st.binary(max_size=400), max_size=6)


def zipped(files: dict[str, bytes], **how: Any) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", **how) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def contents(data: bytes) -> dict[str, bytes]:
    archive = Archive(data)
    return {entry.path: archive.read(entry) for entry in archive.entries}


def no_folder_is_a_file(files: dict[str, bytes]) -> bool:
    return not any(other.startswith(f"{path}/") for path in files for other in files)


@given(FILES.filter(no_folder_is_a_file))
def test_what_is_written_is_read_back_by_us_and_by_others(files: dict[str, bytes]) -> None:
    data = write_archive(files)
    assert contents(data) == files
    with zipfile.ZipFile(io.BytesIO(data)) as other:
        assert other.testzip() is None
        assert {name: other.read(name) for name in other.namelist()} == files


@given(FILES, FILES, st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]))
def test_a_rewritten_archive_holds_the_changes_and_the_rest(
    before: dict[str, bytes], changes: dict[str, bytes], compression: int
) -> None:
    made = Archive(zipped(before, compression=compression)).rewritten(changes)
    assert contents(made) == {**before, **changes}
    with zipfile.ZipFile(io.BytesIO(made)) as other:
        assert other.testzip() is None


def test_archives_written_to_a_stream_are_read_and_kept() -> None:
    class Stream(io.RawIOBase):
        def __init__(self) -> None:
            self.data = bytearray()

        def writable(self) -> bool:
            return True

        def write(self, data: Any) -> int:
            self.data += bytes(data)
            return len(data)

    stream = Stream()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("a", "b"):
            archive.writestr(name, name.encode() * 100)
    data = bytes(stream.data)
    assert contents(data) == {"a": b"a" * 100, "b": b"b" * 100}
    assert contents(Archive(data).rewritten({"c": b"c"})) == {"a": b"a" * 100, "b": b"b" * 100, "c": b"c"}


def test_zip64_sizes_are_read() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive, archive.open("big", "w", force_zip64=True) as entry:
        entry.write(b"not so big")
    assert contents(buffer.getvalue()) == {"big": b"not so big"}


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_names_that_were_never_marked_as_utf_8_are_understood(encoding: str) -> None:
    name = "这是一个中文目录".encode(encoding)
    place_holder = b"A" * len(name)
    data = zipped({place_holder.decode(): b"x"}).replace(place_holder, name)
    assert list(contents(data)) == ["这是一个中文目录"]


# --- refusals --------------------------------------------------------------------------------------------------


def flags_changed(data: bytes, at: int, value: int) -> bytes:
    return data[:at] + struct.pack("<H", value) + data[at + 2 :]


def test_a_bomb_is_refused_by_its_declared_size_before_anything_is_inflated() -> None:
    data = zipped({f"{n}": bytes(60 * MIB) for n in range(5)}, compression=zipfile.ZIP_DEFLATED)
    assert len(data) < MIB
    with pytest.raises(ArchiveTooLarge):
        Archive(data)


def test_a_gigabyte_in_a_megabyte_is_refused() -> None:
    giga = 1024 * MIB
    engine = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = bytes(16 * MIB)
    crc, packed = 0, b""
    for _ in range(4):
        crc, packed = zlib.crc32(block, crc), packed + engine.compress(block)
    packed += engine.flush()
    honest = zipped({"OFD.xml": b""})
    end = honest.index(b"PK\x01\x02")
    for declared in (giga, 10):
        # One says how large it is; the other lies, and is held to what it says.
        sizes = struct.pack("<3L", crc, len(packed), declared)
        local = honest[:14] + sizes + honest[26:end] + packed
        central = honest[end : end + 16] + sizes + honest[end + 28 : -22]
        tail = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, len(central), len(local), 0)
        report = verify_ofd(local + central + tail, UNTRUSTED)
        assert report.verdict is Verdict.INVALID
        assert [finding.code for finding in report.findings] == ["PACKAGE_MALFORMED"]


@pytest.mark.parametrize(
    "limits",
    [Limits(archive=100), Limits(entries=1), Limits(entry=50), Limits(total=150), Limits(ratio=2, ratio_floor=50)],
)
def test_every_limit_is_held(limits: Limits) -> None:
    data = zipped({"a": bytes(100), "b": bytes(100)}, compression=zipfile.ZIP_DEFLATED)
    Archive(data)
    with pytest.raises(ArchiveTooLarge):
        Archive(data, limits)


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    "names", [["a", "a"], ["a/b", "a\\b"], ["/a", "a"], ["a/./b", "a/b"], ["../a"], ["a/../../b"], ["C:/a"], ["a\x01"]]
)
def test_names_that_mean_two_things_or_leave_the_package_are_refused(names: list[str]) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(name, b"")
    with pytest.raises(ArchiveError):
        Archive(buffer.getvalue())


def test_a_record_that_only_a_streaming_reader_would_see_is_refused() -> None:
    hidden = zipped({"OFD.xml": b"<other/>"})
    record = hidden[: hidden.index(b"PK\x01\x02")]
    data = zipped({"OFD.xml": b"<OFD/>", "a": b"a"})
    middle, end = data.index(b"PK\x03\x04", 4), data.index(b"PK\x01\x02")
    offset = data.index(b"PK\x01\x02", end + 4) + 42
    for place in (0, middle, end):
        tail = data[place:]
        made = data[:place] + record + tail
        if place == middle:
            at = offset + len(record)
            made = made[:at] + struct.pack("<L", middle + len(record)) + made[at + 4 :]
        if place:
            made = made[:-6] + struct.pack("<L", end + len(record)) + made[-2:]
        with pytest.raises(ArchiveError):
            Archive(made)


def test_encrypted_and_strangely_packed_entries_are_refused() -> None:
    data = zipped({"a": b"a"})
    central = data.index(b"PK\x01\x02")
    for local_at, central_at, value in ((6, 8, 1), (8, 10, 12)):
        made = flags_changed(flags_changed(data, local_at, value), central + central_at, value)
        with pytest.raises(ArchiveError):
            Archive(made)


def test_content_that_is_not_as_declared_is_refused() -> None:
    data = zipped({"a": b"content"})
    archive = Archive(data.replace(b"content", b"cOntent"))
    with pytest.raises(ArchiveError, match="CRC"):
        archive.read(archive.entries[0])


# --- XML -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "xml",
    [
        b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
        b"<!DOCTYPE a><a/>",
        "<!DOCTYPE a><a/>".encode("utf-16"),
        b"<a>&undefined;</a>",
        b"<a>" * 300 + b"</a>" * 300,
        b"",
        b"\x00",
        b"<a",
    ],
)
def test_xml_with_a_document_type_or_damage_is_refused(xml: bytes) -> None:
    with pytest.raises(PackageError):
        parse_xml(xml, "a.xml")


def test_locations_mean_the_root_or_the_files_own_folder() -> None:
    package = OfdPackage(write_archive({"Doc_0/a.xml": b"", "Doc_0/Signs/b.xml": b"", "Doc_0/Case.XML": b""}))
    within = "Doc_0/Signs/b.xml"
    for location, meant in {
        "/Doc_0/a.xml": "Doc_0/a.xml",
        "b.xml": "Doc_0/Signs/b.xml",
        "../a.xml": "Doc_0/a.xml",
        "..\\a.xml": "Doc_0/a.xml",
        "Doc_0/a.xml": "Doc_0/a.xml",
        "/doc_0/case.xml": "Doc_0/Case.XML",
        "/../../Doc_0/a.xml": "Doc_0/a.xml",
        "/a.xml": None,
        "": None,
    }.items():
        assert package.locate(location, within) == meant


def test_names_that_differ_by_case_only_are_found_by_their_exact_names_alone() -> None:
    package = OfdPackage(write_archive({"a.xml": b"", "A.xml": b""}))
    assert [package.find(name) for name in ("a.xml", "A.xml", "a.XML")] == ["a.xml", "A.xml", None]


# --- anything at all -------------------------------------------------------------------------------------------


@given(st.binary(max_size=300))
def test_arbitrary_octets_are_answered_never_raised(data: bytes) -> None:
    for octets in (data, b"PK\x03\x04" + data + b"PK\x05\x06" + data[:18].ljust(18, b"\0")):
        assert verify_ofd(octets, UNTRUSTED).verdict is Verdict.INVALID
    for read in (parse_seseal, parse_ses_signature):
        with pytest.raises(DerError):
            read(data)


@settings(deadline=None)
@given(drawn=st.data())
def test_damaged_parts_of_a_sealed_package_are_findings_never_crashes(
    drawn: st.DataObject, workshop: Any, unpack: Callable[[bytes], dict[str, bytes]]
) -> None:
    files = unpack(workshop.document)
    path = drawn.draw(st.sampled_from(sorted(files)))
    before, content = files[path], bytearray(files[path])
    for _ in range(drawn.draw(st.integers(1, 4))):
        place = drawn.draw(st.integers(0, max(len(content) - 1, 0)))
        if drawn.draw(st.booleans()):
            content[place : place + 1] = drawn.draw(st.binary(min_size=1, max_size=2))
        else:
            del content[place : place + drawn.draw(st.integers(1, 40))]
    files[path] = bytes(content)
    document = write_archive(files)
    report = verify_ofd(document, workshop.bureau.trust)
    # The list of signatures is open to later ones; all else is protected or is the protection.
    if files[path] != before and not path.endswith("Signatures.xml"):
        assert report.verdict is not Verdict.VALID
    with suppress(DocumentRefused):
        workshop.bureau.sealed(document)


def test_a_simple_document_is_refused_without_a_page_or_a_proper_id() -> None:
    page = Page(items=(Text(x_mm=1, y_mm=10, text="一", size_mm=4),))
    day = date(2026, 11, 22)
    with pytest.raises(ValueError, match="page"):
        write_simple_ofd([], doc_id="0" * 32, title="", created=day)
    with pytest.raises(ValueError, match="DocID"):
        write_simple_ofd([page], doc_id="1", title="", created=day)
    assert write_simple_ofd([page], doc_id="0" * 32, title="t", created=day) == write_simple_ofd(
        [page], doc_id="0" * 32, title="t", created=day
    )
