"""EU DSS, PDFBox with BouncyCastle, and veraPDF as independent judges of PDFs; one warm Java process for the three.

DSS knows no SM2. PDFBox names what later revisions changed no more than pdfsig does: use it for coverage, the message
and the certificates. veraPDF looks at the file, never at signatures.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from crypto.x509 import Certificate
from tests.judges import jvm
from tests.judges.judgement import DOC_TIMESTAMP, Judgement, Opinion, Word

_DSS_WORDS = {"TOTAL_PASSED": Word.ACCEPTED, "PASSED": Word.ACCEPTED, "INDETERMINATE": Word.UNDECIDED}
_BOX_WORDS = {"": Word.ACCEPTED, "unknown": Word.UNDECIDED}


def dss(
    pdf: bytes, anchors: Sequence[Certificate] = (), at: datetime | None = None, crls: Sequence[bytes] = ()
) -> Judgement:
    """EU DSS under its own policy: chain, revocation, algorithms, time-stamps, and what changed since."""
    with _given(pdf, [*crls, *(each.raw for each in anchors)]) as (file, others):
        return _judged(("dss", file, _instant(at), str(len(crls)), *others), _dss_opinion)


def pdfbox(
    pdf: bytes,
    anchors: Sequence[Certificate] = (),
    at: datetime | None = None,
    crls: Sequence[bytes] = (),  # noqa: ARG001 - it asks for no revocation
) -> Judgement:
    """PDFBox finds signatures and what they cover; BouncyCastle verifies message, SM2 too, and certificate path."""
    with _given(pdf, [each.raw for each in anchors]) as (file, others):
        return _judged(("pdfbox", file, _instant(at), *others), _box_opinion)


def verapdf(
    pdf: bytes,
    anchors: Sequence[Certificate] = (),  # noqa: ARG001 - it looks at no certificate
    at: datetime | None = None,  # noqa: ARG001
    crls: Sequence[bytes] = (),  # noqa: ARG001
) -> Judgement:
    """Judge the file as PDF/A-2b; the complaints are the clauses of ISO 19005-2 with the test's number."""
    with _given(pdf, []) as (file, _):
        try:
            said = json.loads(_started().ask("verapdf", file, "2b")[0][0])
        except jvm.JvmFailed as error:
            return _unread(error)
    return Judgement(complaints=tuple(said["failed"]) or (() if said["compliant"] else ("not compliant",)))


def absence() -> str | None:
    """Say in one line what is missing for these judges; None if they can be asked."""
    return jvm.absence("pdf")


@cache
def _started() -> jvm.Jvm:
    return jvm.start("pdf", "-Xmx512m", "-XX:TieredStopAtLevel=1")


@contextmanager
def _given(pdf: bytes, others: Sequence[bytes]) -> Iterator[tuple[Path, list[Path]]]:
    program = _started()
    with ExitStack() as files:
        yield (
            files.enter_context(program.filed(pdf, ".pdf")),
            [files.enter_context(program.filed(each, ".der")) for each in others],
        )


def _judged(question: tuple[str | Path, ...], opinion: Any) -> Judgement:
    try:
        said = json.loads(_started().ask(*question)[0][0])
    except jvm.JvmFailed as error:
        return _unread(error)
    return Judgement(signatures=tuple(map(opinion, said["signatures"])))


def _unread(error: jvm.JvmFailed) -> Judgement:
    return Judgement(complaints=(" ".join(error.args),))


def _dss_opinion(said: dict[str, Any]) -> Opinion:
    word = _DSS_WORDS.get(said["indication"], Word.REFUSED)
    why = [said["subindication"], *said["errors"]] if word is not Word.ACCEPTED else []
    level = DOC_TIMESTAMP if said["level"] == DOC_TIMESTAMP else said["level"].replace("_", "-")
    return Opinion(
        word=word,
        why="; ".join(why),
        field=said["field"],
        level=level,
        whole=said["whole"],
        timestamps=said["timestamps"],
        closes=said.get("closes", False),
        intact=said["intact"],
    )


def _box_opinion(said: dict[str, Any]) -> Opinion:
    kind, _, detail = said["wrong"].partition(" ")
    word = _BOX_WORDS.get(kind, Word.REFUSED)
    return Opinion(
        word=word,
        why=detail,
        field=said["field"],
        level=said["format"],
        whole=said["whole"],
        timestamps=said.get("timestamps", 0),
        intact=word is not Word.REFUSED,
    )


def _instant(at: datetime | None) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at else "-"
