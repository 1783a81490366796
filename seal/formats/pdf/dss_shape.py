"""The shape that validation data added after a signature must have (ISO 32000-2 12.8.4.3, Tables 261 and 262)."""

from collections.abc import Iterator

from seal.formats.pdf.objects import PdfError, PdfObject, Stream
from seal.formats.pdf.reader import View

_LISTS = ("Certs", "CRLs", "OCSPs")
_LISTS_OF_ONE = ("Cert", "CRL", "OCSP")
_MAX_ITEMS = 20_000


def misshapen(view: View, value: PdfObject) -> str | None:
    """Say what in the validation data ``value`` is not as it should be, if anything; None where there are none."""
    entries = view.resolve(value)
    if entries is None:
        return None
    if not isinstance(entries, dict):
        return "no dictionary"
    records = view.resolve(entries.get("VRI"))
    if records is not None and not isinstance(records, dict):
        return "/VRI is no dictionary"
    found = [(key, entries.get(key)) for key in _LISTS]
    for name, item in (records or {}).items():
        record = view.resolve(item)
        if name != "Type" and not isinstance(record, dict):
            return "a record is no dictionary"
        if isinstance(record, dict):
            found += [(key, record.get(key)) for key in _LISTS_OF_ONE]
    return next(_faults(view, found), None)


def _faults(view: View, lists: list[tuple[str, PdfObject]]) -> Iterator[str]:
    count = 0
    for key, value in lists:
        held = view.resolve(value)
        if held is not None and not isinstance(held, list):
            yield f"/{key} is no array"
            continue
        for item in held or []:
            count += 1
            if count > _MAX_ITEMS:
                raise PdfError(f"validation data of more than {_MAX_ITEMS} items")
            octets = view.resolve(item)
            if octets is not None and not isinstance(octets, Stream):
                yield f"/{key} holds something other than streams"
