"""Mutations of whole documents that stay documents: one file of a package, one object of a PDF."""

import io
import re
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from random import Random

from seal.formats.ofd.archive import write_archive
from tests.fuzz.mutators import MAX_INPUT, PLAIN, Mutate, repeated, tokens
from tests.fuzz.shapes import DER

_XML_TOKENS = tokens(
    *(
        b"<a>" * 300,
        b"<ofd:Signature ",
        b"</ofd:OFD>",
        b"<!DOCTYPE a [<!ENTITY b 'c'>]>",
        b"&b;",
        b"&#0;",
        b"<![CDATA[",
        b"]]>",
    ),
    *(
        b"../../../etc/passwd",
        b"/Doc_0/Document.xml",
        b"\\",
        b"//",
        b"%2e%2e/",
        b"C:\\a",
        b"9" * 400,
        b"-1",
        b"1e400",
        b"NaN",
    ),
    *(
        b"xmlns:ofd=''",
        b"<?xml version='1.1'?>",
        b"<xi:include href='a'/>",
        b"\xff\xfe",
        b"\x00",
        "\u202e".encode(),
        b" " * 300,
    ),
)
_ELEMENT = re.compile(rb"<([A-Za-z:]+)[^<>]*?(?:/>|>[^<>]*</\1>)")
_VALUE = re.compile(rb'"[^"]*"|>[^<>]+<')


def xml(rng: Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    """Repeat, drop or move an element, or change a value."""
    found = list(_ELEMENT.finditer(data) if rng.random() < 0.5 else _VALUE.finditer(data))
    if not found:
        return _XML_TOKENS(rng, data, seeds)
    match, other = rng.choice(found), rng.choice(found)
    new = rng.choice(
        (b"", match[0] * 2, repeated(match[0], 300), other[0], match[0][:1] + rng.randbytes(3) + match[0][-1:])
    )
    return data[: match.start()] + new + data[match.end() :]


_XML: tuple[Mutate, ...] = (*PLAIN, *[xml] * 8, *[_XML_TOKENS] * 4)
_PATHS = ("OFD.xml", "../a", "/OFD.xml", "Doc_0\\Document.xml", "a" * 300, "Doc_0/", "ofd.XML", "x.xml\x00", "")


@lru_cache(maxsize=64)
def unpacked(document: bytes) -> Mapping[str, bytes]:
    """Give the files of a package; none if another reader cannot open it."""
    try:
        with zipfile.ZipFile(io.BytesIO(document)) as archive:
            return {entry.filename: archive.read(entry) for entry in archive.infolist() if not entry.is_dir()}
    except (OSError, ValueError, LookupError, RuntimeError, zipfile.BadZipFile, zlib.error, EOFError):
        return {}


def packed_file(rng: Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    """Change, drop, add or rename one file of a package, and pack it well again."""
    files = dict(unpacked(data))
    if not files:
        return rng.choice(PLAIN)(rng, data, seeds)
    path = rng.choice(list(files))
    way = rng.random()
    if way < 0.8:
        ways = DER if path.endswith((".dat", ".esl")) else _XML if path.endswith(".xml") else PLAIN
        files[path] = rng.choice(ways)(rng, files[path], (files[path],))
    elif way < 0.87:
        del files[path]
    elif way < 0.94:
        files[rng.choice((*_PATHS, *files))] = files[path]
    else:
        other = unpacked(rng.choice(seeds))
        files[path] = rng.choice(list(other.values())) if other else b""
    return write_archive(files)[:MAX_INPUT]


_ZIP_TOKENS = tokens(
    b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07", b"\xff" * 4, b"\x01\x00\x10\x00", b"up"
)
OFD: tuple[Mutate, ...] = (*PLAIN, *[packed_file] * 16, *[_ZIP_TOKENS] * 3)


# --- PDF -------------------------------------------------------------------------------------------------------

_PDF_TOKENS = tokens(
    *(
        b"1 0 obj",
        b"endobj",
        b"stream\n",
        b"endstream",
        b"xref\n",
        b"trailer",
        b"startxref\n0\n",
        b"%%EOF",
        b"obj",
        b"1 0 R",
    ),
    *(
        b"<<" * 300,
        b"[" * 300,
        b"(" * 300,
        b">>",
        b"]",
        b"<",
        b"/Kids[1 0 R]",
        b"/Parent 1 0 R",
        b"/Prev 0",
        b"/Length 999999999",
    ),
    *(
        b"/ByteRange[0 1 2 3]",
        b"/Contents<00>",
        b"/Type/Sig",
        b"/Filter/FlateDecode",
        b"/Encrypt 1 0 R",
        b"/W[1 2 1]",
        b"/Index[0 9999999]",
    ),
    *(
        b"/Size 2147483647",
        b"/ObjStm",
        b"/Extends 1 0 R",
        b"/DecodeParms<</Predictor 12/Columns 99999999>>",
        b"-1",
        b"9" * 40,
        b"#00",
    ),
)
_NUMBER = re.compile(rb"-?\d+")
_CONTENTS = re.compile(rb"/Contents\s*<([0-9A-Fa-f]+)>")
_STREAM = re.compile(rb"stream\r?\n(.*?)\r?\nendstream", re.DOTALL)
_NUMBERS = (b"0", b"1", b"-1", b"2147483648", b"18446744073709551616", b"9" * 30, b"1e9", b"65535", b"7", b"3")


def pdf_number(rng: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    """Change one number: a reference, an offset, a length."""
    found = list(_NUMBER.finditer(data))
    if not found:
        return data
    match, other = rng.choice(found), rng.choice(found)
    new = rng.choice((*_NUMBERS, other[0], str(int(match[0][:18].lstrip(b"-") or 0) + rng.choice((-1, 1))).encode()))
    return data[: match.start()] + new + data[match.end() :]


def pdf_signature(rng: Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    """Change the message of a signature and leave its room as it was."""
    found = list(_CONTENTS.finditer(data))
    if not found:
        return pdf_number(rng, data, seeds)
    match = rng.choice(found)
    message = bytes.fromhex(match[1].decode()[: len(match[1]) // 2 * 2]).rstrip(b"\x00")
    new = rng.choice(DER)(rng, message, (message,)).hex().encode()
    return data[: match.start(1)] + new[: len(match[1])].ljust(len(match[1]), b"0") + data[match.end(1) :]


def pdf_stream(rng: Random, data: bytes, seeds: Sequence[bytes]) -> bytes:
    """Change what a stream inflates to; its length fits only by the reader's good will."""
    found = list(_STREAM.finditer(data))
    if not found:
        return pdf_number(rng, data, seeds)
    match = rng.choice(found)
    try:
        inside = zlib.decompress(match[1])
    except zlib.error:
        return pdf_number(rng, data, seeds)
    way: Mutate = rng.choice((*PLAIN, pdf_number, _PDF_TOKENS))
    new = zlib.compress(way(rng, inside, (inside,)))
    head = re.sub(rb"/Length \d+(?!.*/Length)", b"/Length %d" % len(new), data[: match.start()], flags=re.DOTALL)
    return head + b"stream\n" + new + b"\nendstream" + data[match.end() :]


PDF: tuple[Mutate, ...] = (*PLAIN, *[pdf_number] * 6, *[_PDF_TOKENS] * 4, *[pdf_signature] * 3, *[pdf_stream] * 2)
