"""Forging sealed packages: every protected octet is there, and yet some reader would show something else."""

import struct
import zlib
from collections.abc import Callable
from typing import Any

import pytest

from seal.formats.ofd import verify_ofd
from seal.formats.ofd.archive import Archive, ArchiveError, write_archive
from seal.model import Report, Verdict

PAGE = "Doc_0/Pages/Page_0/Content.xml"
EVIL = b"<Page>something else</Page>"
LIST = "Doc_0/Signs/Signatures.xml"
Unpack = Callable[[bytes], dict[str, bytes]]
Complaints = Callable[[Report], list[str]]


def _record(
    name: bytes, packed: bytes, content: bytes, *, method: int = 0, flags: int = 0, extra: bytes = b""
) -> bytes:
    sums = (0, 0, 0) if flags & 8 else (zlib.crc32(content), len(packed), len(content))
    head = struct.pack("<4s5H3L2H", b"PK\x03\x04", 20, flags, method, 0, 33, *sums, len(name), len(extra))
    return head + name + extra + packed


def with_entry(
    document: bytes, name: bytes, packed: bytes, content: bytes, *, method: int = 0, flags: int = 0, extra: bytes = b""
) -> bytes:
    """Add an entry to an archive as no honest writer would."""
    at = document.rindex(b"PK\x05\x06")
    count, size, start = struct.unpack_from("<H2L", document, at + 10)
    listed = struct.pack(
        "<4s6H3L5H2L",
        *(b"PK\x01\x02", 20, 20, flags, method, 0, 33, zlib.crc32(content), len(packed), len(content)),
        *(len(name), len(extra), 0, 0, 0, 0, start),
    )
    record = _record(name, packed, content, method=method, flags=flags, extra=extra)
    directory = document[start : start + size] + listed + name + extra
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, count + 1, count + 1, len(directory), start + len(record), 0)
    return document[:start] + record + directory + end


def _deflated(content: bytes) -> bytes:
    engine = zlib.compressobj(6, zlib.DEFLATED, -15)
    return engine.compress(content) + engine.flush()


def _behind_the_data(document: bytes) -> bytes:
    packed = _deflated(b"x")
    descriptor = struct.pack("<4s3L", b"PK\x07\x08", zlib.crc32(b"x"), len(packed), 1)
    return with_entry(document, b"x", packed + descriptor + _record(PAGE.encode(), EVIL, EVIL), b"x", method=8, flags=8)


def _behind_a_folder(document: bytes) -> bytes:
    record = _record(PAGE.encode(), EVIL, EVIL)
    return with_entry(document, b"x/", record, record)


def _second_name(document: bytes) -> bytes:
    extra = struct.pack("<2HBL", 0x7075, 5 + len(PAGE), 1, zlib.crc32(b"x")) + PAGE.encode()
    return with_entry(document, b"x", EVIL, EVIL, extra=extra)


def _comment_that_lies(document: bytes) -> bytes:
    return document[:-2] + b"\x05\x00"


def _archive_in_an_entry(document: bytes) -> bytes:
    inner = write_archive({"OFD.xml": EVIL})
    # Its comment is all that follows in the outer file, so that it ends where the file ends, and the outer does not.
    outer = with_entry(document, b"x", inner, inner) + b"\n"
    rest = len(outer) - outer.index(inner) - len(inner)
    inner = inner[:-2] + struct.pack("<H", rest)
    return with_entry(document, b"x", inner, inner) + b"\n"


def _locator_in_a_comment(document: bytes) -> bytes:
    at = document.rindex(b"PK\x05\x06")
    start = struct.unpack_from("<L", document, at + 16)[0]
    last = document.rindex(b"PK\x01\x02")
    comment = b"PK\x06\x07" + bytes(16)
    directory = bytearray(document[start:at] + comment)
    struct.pack_into("<H", directory, last - start + 32, len(comment))
    end = bytearray(document[at:])
    struct.pack_into("<L", end, 12, len(directory))
    return document[:start] + bytes(directory) + bytes(end)


@pytest.mark.parametrize(
    "forge",
    [_behind_the_data, _behind_a_folder, _second_name, _comment_that_lies, _archive_in_an_entry, _locator_in_a_comment],
)
def test_an_archive_that_other_readers_would_unpack_otherwise_is_invalid(
    forge: Callable[[bytes], bytes], workshop: Any, complaints: Complaints
) -> None:
    report = verify_ofd(forge(workshop.document), workshop.bureau.trust)
    assert complaints(report) == ["PACKAGE_MALFORMED"]


@pytest.mark.parametrize("content", [EVIL, write_archive({"OFD.xml": EVIL})])
def test_an_added_entry_of_the_honest_kind_is_a_mere_note(content: bytes, workshop: Any) -> None:
    forged = with_entry(workshop.document, b"x", content, content)
    assert verify_ofd(forged, workshop.bureau.trust).verdict is Verdict.VALID


@pytest.mark.parametrize(
    "name",
    [
        "doc_0/pages/page_0/content.xml",
        f"{PAGE}.",
        f"{PAGE} ",
        f"{PAGE}::$DATA",
        PAGE.replace("C", "\uff23"),
        PAGE.replace("t", "t\u200d"),
        "Doc_0/DOCUME~1.XML",
        "Doc_0/DO2F4A~1.XML",
    ],
)
def test_another_name_for_a_protected_file_is_invalid(name: str, workshop: Any, complaints: Complaints) -> None:
    report = verify_ofd(workshop.resealed(files={name: EVIL}), workshop.bureau.trust)
    assert complaints(report) == ["PACKAGE_MALFORMED"]


@pytest.mark.parametrize("name", ["Doc_0/~$cument.xml", "Doc_0/OTHERS~1.XML", "DOCUME~1.XML"])
def test_a_short_name_of_another_file_is_a_mere_note(name: str, workshop: Any) -> None:
    assert verify_ofd(workshop.resealed(files={name: b"x"}), workshop.bureau.trust).verdict is Verdict.VALID


@pytest.mark.parametrize(("flags", "codes"), [(0, ["SHOWN_CONTENT_UNCOVERED"]), (0x0800, [])])
def test_a_name_that_readers_decode_in_two_ways_is_looked_for_in_both(
    flags: int, codes: list[str], workshop: Any, plain: bytes, unpack: Unpack, complaints: Complaints
) -> None:
    """What is 文件 in UTF-8 is 鏂囦欢 in GBK, which is what a Chinese Windows takes for granted."""
    files = unpack(plain)
    files["Doc_0/Res.xml"] = "<Res>鏂囦欢.xml</Res>".encode()
    sealed = workshop.bureau.sealed(write_archive(files))
    forged = with_entry(sealed, "Doc_0/文件.xml".encode(), EVIL, EVIL, flags=flags)
    assert complaints(verify_ofd(forged, workshop.bureau.trust)) == codes


@pytest.mark.parametrize("location", ["Annots/All.xml", "/Annots/all.xml", "Annots\\All.xml"])
def test_a_file_that_the_sealed_document_waited_for_keeps_it_from_being_valid(
    location: str, workshop: Any, plain: bytes, unpack: Unpack, complaints: Complaints
) -> None:
    files = unpack(plain)
    waiting = f"<ofd:Annotations>{location}</ofd:Annotations></ofd:Document>".encode()
    files["Doc_0/Document.xml"] = files["Doc_0/Document.xml"].replace(b"</ofd:Document>", waiting)
    sealed = workshop.bureau.sealed(write_archive(files))
    assert verify_ofd(sealed, workshop.bureau.trust).verdict is Verdict.VALID
    forged = write_archive({**unpack(sealed), "Doc_0/Annots/All.xml": EVIL})
    assert complaints(verify_ofd(forged, workshop.bureau.trust)) == ["SHOWN_CONTENT_UNCOVERED"]


def test_an_earlier_seal_taken_out_of_the_list_is_missed(workshop: Any, unpack: Unpack, complaints: Complaints) -> None:
    twice = unpack(workshop.bureau.sealed(workshop.document, mark=workshop.bureau.mark(page=1)))
    rows = twice[LIST].split(b"<ofd:Signature ")
    forged = write_archive({**twice, LIST: rows[0] + b"<ofd:Signature " + rows[2]})
    report = verify_ofd(forged, workshop.bureau.trust)
    assert len(report.signatures) == 1
    assert complaints(report) == ["SIGNATURE_REMOVED"]


def test_an_archive_with_a_second_end_record_is_refused() -> None:
    honest = write_archive({"a": b"1"})
    with pytest.raises(ArchiveError):
        Archive(honest + honest[honest.rindex(b"PK\x05\x06") :])
