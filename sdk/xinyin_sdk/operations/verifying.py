"""Verifying: anyone may ask, without a token; the file is not kept."""

from datetime import datetime
from typing import Any, Literal

from xinyin_sdk.calls import JSON, TEXT, Call, Row, one, texts
from xinyin_sdk.documents import Source, read
from xinyin_sdk.shapes import Verdict

_PATH = "/api/verify/v1/files"
VERIFY = Row("POST", _PATH, one(Verdict), public=True)
REPORT = Row("POST", _PATH, TEXT, public=True)
ETSI = Row("POST", _PATH, JSON, public=True)


def verify(document: Source, *, at: datetime | None = None) -> Call[Verdict]:
    """Judge every signature of a PDF or OFD, whoever sealed it; ``at`` an instant instead of the time of sealing.

    A bad signature is an answer, not an error: look at ``is_valid``.
    """
    return VERIFY.call(document=read(document), fields=texts(at=_instant(at)))


def report(document: Source, *, at: datetime | None = None, language: Literal["zh", "en"] = "zh") -> Call[str]:
    """Judge a document and give the validation report as a page of HTML that stands alone."""
    fields = texts(at=_instant(at), language=language)
    return REPORT.call(document=read(document), fields=fields, headers={"Accept": "text/html"})


def etsi_report(document: Source, *, at: datetime | None = None) -> Call[Any]:
    """Judge a document and give the validation report with the element names of ETSI TS 119 102-2."""
    headers = {"Accept": "application/vnd.etsi.validation-report+json"}
    return ETSI.call(document=read(document), fields=texts(at=_instant(at)), headers=headers)


def _instant(at: datetime | None) -> str | None:
    if at is not None and at.tzinfo is None:
        raise ValueError("at is an instant: give it a zone")
    return at.isoformat() if at else None
