"""Universal forgery: a signature whose dictionary lacks, or makes nonsense of, what it would be judged by."""

from functools import partial

from tests.sims.pdf_attacks.family import Family, overwritten, seal_of

EMPTIED = Family("universal forgery")


def _over(sealed: bytes, key: bytes, new: bytes) -> bytes:
    """Put ``new`` over an entry of the newest seal's dictionary, key and value; it must be no longer."""
    start, end = seal_of(sealed).gap
    at = sealed.rindex(key, 0, start)
    # Blanks follow the range that our writer filled in.
    ranged = sealed.index(b"/", at + 1)
    stop = {b"/Contents": end, b"/ByteRange": ranged}.get(key, 0) or _name_end(sealed, at, key)
    return overwritten(sealed, sealed[at:stop], new, start=at)


def _name_end(sealed: bytes, at: int, key: bytes) -> int:
    stop = at + len(key) + 1
    while sealed[stop : stop + 1] not in b"/<>( \n":
        stop += 1
    return stop


_CONTENTS = {
    "missing": b"",
    "null": b"/Contents null",
    "empty": b"/Contents<>",
    "zero": b"/Contents<00>",
    "zeros": b"/Contents<" + b"0" * 400 + b">",
    "a literal": b"/Contents(x)",
    "a number": b"/Contents 0",
    "a dictionary": b"/Contents<<>>",
    "an array": b"/Contents[<00>]",
    "a stream that is not there": b"/Contents 999 0 R",
    "of another object": b"/Contents 1 0 R",
}
_RANGES = {
    "missing": b"",
    "null": b"/ByteRange null",
    "empty": b"/ByteRange[]",
    "a number": b"/ByteRange 0",
    "of nothing": b"/ByteRange[0 0 0 0]",
    "of negative numbers": b"/ByteRange[0 -1 -1 -1]",
    "that starts before the file": b"/ByteRange[-9 9 0 9]",
    "of real numbers": b"/ByteRange[0 1. 2. 3.]",
    "of names": b"/ByteRange[/a /b /c /d]",
    "of booleans": b"/ByteRange[false true 2 3]",
    "of references": b"/ByteRange[0 1 0 R 2 3]",
    "of three numbers": b"/ByteRange[0 9 9]",
    "of huge numbers": b"/ByteRange[0 9 9 99999999999999]",
    "of numbers past 64 bits": b"/ByteRange[0 9 99999999999999999999 1]",
    "by reference": b"/ByteRange 1 0 R",
    "within the header": b"/ByteRange[0 4 5 4]",
}
for what, entry in _CONTENTS.items():
    EMPTIED.add(f"contents {what}", f"/Contents is {what}", partial(_over, key=b"/Contents", new=entry))
for what, entry in _RANGES.items():
    EMPTIED.add(f"byte range {what}", f"/ByteRange is {what}", partial(_over, key=b"/ByteRange", new=entry))
for what, entry in {
    "missing": b"",
    "another": b"/SubFilter/adbe.x509.rsa_sha1",
    "unknown": b"/SubFilter/none",
    "of a time stamp": b"/SubFilter/ETSI.RFC3161",
    "of PKCS#7": b"/SubFilter/adbe.pkcs7.sha1",
    "null": b"/SubFilter null",
}.items():
    EMPTIED.add(f"sub-filter {what}", f"/SubFilter is {what}", partial(_over, key=b"/SubFilter", new=entry))
EMPTIED.add("type missing", "/Type is missing", partial(_over, key=b"/Type", new=b""))
EMPTIED.add("type another", "/Type is another", partial(_over, key=b"/Type", new=b"/Type/Nix"))
EMPTIED.add("filter another", "/Filter is another", partial(_over, key=b"/Filter", new=b"/Filter/X"))
