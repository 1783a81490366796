"""ZIP archives: read within hard limits, rewritten so that untouched entries keep every octet (APPNOTE 6.3).

``zipfile`` is not used: it neither keeps raw records nor sees records that only a streaming reader would show.
"""

import re
import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

_LOCAL, _CENTRAL, _END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
_END64, _LOCATOR64 = b"PK\x06\x06", b"PK\x06\x07"
_CENTRAL_FIELDS = struct.Struct("<4s6H3L5H2L")
_LOCAL_FIELDS = struct.Struct("<4s5H3L2H")
_END_FIELDS = struct.Struct("<4s4H2LH")
_STORED, _DEFLATED = 0, 8
_EMPTY_DEFLATED = 2
"""Octets that nothing deflates to."""
_ENCRYPTED, _DESCRIPTOR, _UTF8 = 0x0001, 0x0008, 0x0800
_SENTINEL = 0xFFFFFFFF
_END_WINDOW = 0xFFFF + _END_FIELDS.size
"""How far before the end of the file its end record can begin."""
_END64_SIZE, _LOCATOR64_SIZE = 56, 20
_ZIP64_EXTRA = 0x0001
_OTHER_NAME_EXTRA = 0x7075
"""Info-ZIP's Unicode path: a second name, which some readers use instead of the first."""
_DOS_EPOCH = 0x0021
"""1980-01-01: new entries carry no time of their own, so the same input gives the same octets."""
_MIB = 1024 * 1024
_PIECE = 4096


class ArchiveError(Exception):
    """The archive cannot be read safely; the text says why in one sentence."""


class ArchiveTooLarge(ArchiveError):
    """The archive goes beyond one of the limits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much of a stranger's archive is looked at; sizes in octets."""

    archive: int = 128 * _MIB
    entries: int = 10_000
    entry: int = 64 * _MIB
    total: int = 256 * _MIB
    ratio: int = 200
    """Inflated to deflated, over the whole archive, once it inflates to more than ``ratio_floor``."""
    ratio_floor: int = 16 * _MIB


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One file of the archive. ``path`` is its name with forward slashes and no leading one."""

    path: str
    method: int
    crc: int
    packed: int
    """Compressed size in octets."""
    size: int
    start: int
    """Where its local record begins."""
    content: int
    """Where its compressed octets begin."""
    end: int
    """Where the next record begins, so that data descriptors travel with their record."""
    central: bytes = field(repr=False)
    other_readings: tuple[str, ...] = ()
    """What the name says to readers that take another encoding for the one in which it is written."""

    @property
    def is_folder(self) -> bool:
        """Tell whether this is a mere folder mark."""
        return self.path.endswith("/")


class Archive:
    """A ZIP archive in memory. Construction refuses what cannot be read safely; contents are inflated when asked."""

    def __init__(self, data: bytes, limits: Limits | None = None) -> None:
        limits = limits or Limits()
        if len(data) > limits.archive:
            raise ArchiveTooLarge(f"the file has {len(data)} octets, more than the {limits.archive} allowed")
        self._data = data
        self.entries = _check_paths(_read_entries(data, limits))
        _check_sizes(self.entries, limits)

    def read(self, entry: Entry) -> bytes:
        """Inflate one entry; its size and CRC must be those declared."""
        packed = self._data[entry.content : entry.content + entry.packed]
        content = packed if entry.method == _STORED else _inflate(packed, entry)
        if len(content) != entry.size or zlib.crc32(content) != entry.crc:
            raise ArchiveError(f"{entry.path}: the content does not have the size and CRC declared for it")
        return content

    def rewritten(self, changes: Mapping[str, bytes]) -> bytes:
        """Give the archive with ``changes`` (path to content) put in place of, or after, what it holds.

        Every other entry is copied octet for octet, in the order of the original; what stood before or after
        the archive proper is left out.
        """
        body = bytearray()
        directory = []
        for entry in sorted(self.entries, key=lambda entry: entry.start):
            if entry.path in changes:
                directory.append(_append(body, entry.path, changes[entry.path]))
            else:
                directory.append(entry.central[:42] + struct.pack("<L", len(body)) + entry.central[46:])
                body += self._data[entry.start : entry.end]
        present = {entry.path for entry in self.entries}
        directory.extend(_append(body, path, content) for path, content in changes.items() if path not in present)
        return _closed(body, directory)


def write_archive(files: Mapping[str, bytes]) -> bytes:
    """Write an archive of ``files`` in their order; the same files give the same octets."""
    body = bytearray()
    return _closed(body, [_append(body, path, content) for path, content in files.items()])


# --- writing ---------------------------------------------------------------------------------------------------


def _append(body: bytearray, path: str, content: bytes) -> bytes:
    name = path.encode()
    deflated = content if _is_dense(content) else _deflated(content, 6)
    method, packed = (_DEFLATED, deflated) if len(deflated) < len(content) else (_STORED, content)
    shared = (_UTF8, method, 0, _DOS_EPOCH, zlib.crc32(content), len(packed), len(content), len(name), 0)
    offset = len(body)
    body += _LOCAL_FIELDS.pack(_LOCAL, 20, *shared) + name + packed
    return _CENTRAL_FIELDS.pack(_CENTRAL, 20, 20, *shared, 0, 0, 0, 0, offset) + name


def _is_dense(content: bytes) -> bool:
    """Tell, by a piece out of its middle, whether deflating is in vain, as with a seal around its picture."""
    middle = (len(content) - _PIECE) // 2
    return middle > _PIECE and len(_deflated(content[middle : middle + _PIECE], 1)) > _PIECE * 0.95


def _deflated(content: bytes, level: int) -> bytes:
    compressor = zlib.compressobj(level, zlib.DEFLATED, -15)
    return compressor.compress(content) + compressor.flush()


def _closed(body: bytearray, directory: list[bytes]) -> bytes:
    listed = b"".join(directory)
    count = len(directory)
    return bytes(body) + listed + _END_FIELDS.pack(_END, 0, 0, count, count, len(listed), len(body), 0)


# --- reading ---------------------------------------------------------------------------------------------------


def _inflate(packed: bytes, entry: Entry) -> bytes:
    engine = zlib.decompressobj(-15)
    try:
        # One octet more than declared is enough to know that the declaration lies.
        content = engine.decompress(packed, entry.size + 1)
    except zlib.error as error:
        raise ArchiveError(f"{entry.path}: the compressed data is damaged") from error
    if engine.unused_data:
        # A streaming reader goes on where the data ends, and may find a record there that is not listed.
        raise ArchiveError(f"{entry.path}: octets follow the compressed data")
    return content


def _read_entries(data: bytes, limits: Limits) -> tuple[Entry, ...]:
    start, end, base, count = _directory(data)
    if count > limits.entries:
        raise ArchiveTooLarge(f"the archive lists {count} entries, more than the {limits.entries} allowed")
    found: list[_Listed] = []
    at = start
    while at < end:
        if len(found) >= limits.entries:
            raise ArchiveTooLarge(f"the archive lists more than {limits.entries} entries")
        found.append(_central_record(data, at, end))
        at += len(found[-1].raw)
    if len(found) != count:
        raise ArchiveError(f"the archive says it has {count} entries and lists {len(found)}")
    if not found:
        return ()
    offsets = sorted(base + listed.offset for listed in found)
    follows = dict(zip(offsets, [*offsets[1:], start], strict=True))
    if len(follows) != len(found):
        raise ArchiveError("two entries share one record")
    if _LOCAL in data[: offsets[0]]:
        raise ArchiveError("a record that is not listed stands before the first entry")
    return tuple(_entry(data, listed, base + listed.offset, follows[base + listed.offset]) for listed in found)


def _directory(data: bytes) -> tuple[int, int, int, int]:
    """Find the central directory: its start, its end, the octets before the archive, the number of entries."""
    at = data.rfind(_END)
    if at < 0 or at + _END_FIELDS.size > len(data):
        raise ArchiveError("the file is not a ZIP archive")
    _, disk, first_disk, here, count, size, offset, comment = _END_FIELDS.unpack_from(data, at)
    closing = at + _END_FIELDS.size + comment
    if closing > len(data) or (closing < len(data) and _rival_end(data, at)):
        raise ArchiveError("readers would differ about which end record of the archive counts")
    end = at
    is_zip64 = data[max(0, at - _LOCATOR64_SIZE) : at].startswith(_LOCATOR64)
    if is_zip64 and _SENTINEL not in (size, offset) and count != 0xFFFF:  # noqa: PLR2004
        raise ArchiveError("readers would differ about which end record of the archive counts")
    if _SENTINEL in (size, offset) or count == 0xFFFF:  # noqa: PLR2004 - APPNOTE 4.4.1.4
        end = data.rfind(_END64, 0, at)
        if end < 0 or not is_zip64 or end + _END64_SIZE + _LOCATOR64_SIZE != at:
            raise ArchiveError("the ZIP64 end record is missing")
        disk, first_disk, here, count, size, offset = struct.unpack_from("<2L4Q", data, end + 16)
    if disk or first_disk or here != count:
        raise ArchiveError("archives in several parts are not read")
    start = end - size
    base = start - offset
    if start < 0 or base < 0:
        raise ArchiveError("the archive's directory lies outside the file")
    return start, end, base, count


def _rival_end(data: bytes, last: int) -> bool:
    """Tell whether an end record before the ``last`` has a comment up to the file's end: some readers want one such."""
    at = last
    while (at := data.rfind(_END, max(0, len(data) - _END_WINDOW), at)) >= 0:
        if at + _END_FIELDS.size + int.from_bytes(data[at + 20 : at + 22], "little") == len(data):
            return True
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Listed:
    """One directory record."""

    name: str
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    offset: int
    raw: bytes


def _central_record(data: bytes, at: int, end: int) -> _Listed:
    if at + _CENTRAL_FIELDS.size > end or data[at : at + 4] != _CENTRAL:
        raise ArchiveError("the archive's directory is damaged")
    values = _CENTRAL_FIELDS.unpack_from(data, at)
    flags, method, crc, packed, size = values[3], values[4], values[7], values[8], values[9]
    name_size, extra_size, comment_size, disk, offset = values[10], values[11], values[12], values[13], values[16]
    total = _CENTRAL_FIELDS.size + name_size + extra_size + comment_size
    if at + total > end or disk:
        raise ArchiveError("the archive's directory is damaged")
    raw = data[at : at + total]
    name = raw[46 : 46 + name_size]
    extra = raw[46 + name_size : 46 + name_size + extra_size]
    if offset == _SENTINEL:
        raise ArchiveError("ZIP64 offsets are not read: no document is that large")
    size, packed = _zip64_sizes(extra, size, packed)
    _check_other_name(name, extra)
    return _Listed(
        name=_name_text(name, flags),
        flags=flags,
        method=method,
        crc=crc,
        packed=packed,
        size=size,
        offset=offset,
        raw=raw,
    )


def _extras(extra: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, at)
        yield kind, extra[at + 4 : at + 4 + length]
        at += 4 + length


def _zip64_sizes(extra: bytes, size: int, packed: int) -> tuple[int, int]:
    body = next((body for kind, body in _extras(extra) if kind == _ZIP64_EXTRA), b"")
    values = iter(struct.unpack_from(f"<{len(body) // 8}Q", body))
    size = next(values, size) if size == _SENTINEL else size
    packed = next(values, packed) if packed == _SENTINEL else packed
    return size, packed


def _check_other_name(name: bytes, extra: bytes) -> None:
    """Refuse a second name that is not the first: version and CRC stand before it."""
    if any(kind == _OTHER_NAME_EXTRA and body[5:] != name for kind, body in _extras(extra)):
        raise ArchiveError("an entry has two names")


def _other_readings(name: bytes, flags: int, path: str) -> tuple[str, ...]:
    """Decode a name that is not beyond doubt UTF-8 in every encoding that some reader takes for granted."""
    if flags & _UTF8 or name.isascii():
        return ()
    found: dict[str, None] = {}
    for encoding in ("utf-8", "gb18030", "cp437"):
        try:
            found[_clean(name.decode(encoding))] = None
        except UnicodeDecodeError:
            continue
    return tuple(reading for reading in found if reading != path)


def _name_text(name: bytes, flags: int) -> str:
    """Decode a name: UTF-8 if flagged or if it is; else GB 18030, which Chinese packers write unflagged."""
    for encoding in ("utf-8",) if flags & _UTF8 else ("utf-8", "gb18030"):
        try:
            return name.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise ArchiveError("an entry's name cannot be read")


def _entry(data: bytes, listed: _Listed, start: int, end: int) -> Entry:
    """Read the local record of what is listed; it must say the same."""
    name, raw = listed.name, listed.raw
    if start + _LOCAL_FIELDS.size > end or data[start : start + 4] != _LOCAL:
        raise ArchiveError(f"{name!r}: its record is missing")
    local = _LOCAL_FIELDS.unpack_from(data, start)
    flags, method, written_name = local[2], local[3], start + _LOCAL_FIELDS.size
    content = written_name + local[9] + local[10]
    _check_other_name(data[written_name : written_name + local[9]], data[written_name + local[9] : content])
    if data[written_name : written_name + local[9]] != raw[46 : 46 + int.from_bytes(raw[28:30], "little")]:
        # A reader that goes by the records would see another file than one that goes by the directory.
        raise ArchiveError(f"{name!r}: directory and record disagree about its name")
    sizes_known = not flags & _DESCRIPTOR and _SENTINEL not in (local[7], local[8])
    if method != listed.method or (sizes_known and local[6:9] != (listed.crc, listed.packed, listed.size)):
        raise ArchiveError(f"{name!r}: directory and record disagree about its content")
    if (flags | listed.flags) & _ENCRYPTED:
        raise ArchiveError(f"{name!r}: encrypted entries are not read")
    if method not in (_STORED, _DEFLATED):
        raise ArchiveError(f"{name!r}: compression method {method} is not read")
    if content + listed.packed > end or _LOCAL in data[content + listed.packed : end]:
        raise ArchiveError(f"{name!r}: records overlap, or one is not listed")
    path = _clean(name)
    return Entry(
        path=path,
        other_readings=_other_readings(data[written_name : written_name + local[9]], flags & listed.flags, path),
        method=method,
        crc=listed.crc,
        packed=listed.packed,
        size=listed.size,
        start=start,
        content=content,
        end=end,
        central=raw,
    )


def _clean(name: str) -> str:
    """Give a name forward slashes and no leading one; refuse names that would leave the package."""
    path = name.replace("\\", "/")
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if not parts or ".." in parts or re.search(r"[\x00-\x1f\x7f\ufffe\uffff]", path) or re.match(r"[A-Za-z]:", path):
        raise ArchiveError(f"{name!r} is not a name a package may hold")
    return "/".join(parts) + ("/" if path.endswith("/") else "")


def _check_paths(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    seen: set[str] = set()
    for entry in entries:
        path = entry.path.rstrip("/")
        if path in seen:
            raise ArchiveError(f"{path!r} stands in the archive twice")
        if entry.is_folder and (entry.size or entry.packed > _EMPTY_DEFLATED):
            raise ArchiveError(f"{path!r} is a folder and has content")
        seen.add(path)
    return entries


def _check_sizes(entries: tuple[Entry, ...], limits: Limits) -> None:
    """Refuse by the declared sizes; ``Archive.read`` holds every entry to its declaration."""
    total = sum(entry.size for entry in entries)
    packed = sum(entry.packed for entry in entries)
    largest = max((entry.size for entry in entries), default=0)
    if largest > limits.entry:
        raise ArchiveTooLarge(f"an entry inflates to {largest} octets, more than the {limits.entry} allowed")
    if total > limits.total:
        raise ArchiveTooLarge(f"the archive inflates to {total} octets, more than the {limits.total} allowed")
    if total > limits.ratio_floor and total > packed * limits.ratio:
        raise ArchiveTooLarge(f"the archive inflates more than {limits.ratio} times")
