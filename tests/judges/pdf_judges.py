"""Every outside judge of PDFs by its name: a new one joins by one row.

Each skips where it is not installed; ``absence`` of a row tells so beforehand, for what is no test.
"""

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest

from crypto.x509 import Certificate
from tests.judges import pdf_java, pdfsig, pyhanko
from tests.judges.judgement import Judge, Judgement, Opinion, Word


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One judge, and what its answer is worth."""

    judge: Judge
    what: str
    """Name, version where it is fixed, and how it comes here."""
    looks_at: str
    sm2: bool
    """Whether it can verify SM2."""
    chain: bool
    """Whether it looks at certificates: without that its yes is about digest and value alone."""
    changes: bool
    """Whether it looks for changes after the signature."""
    absence: Callable[[], str | None]


def ask_pdfsig(
    pdf: bytes,
    anchors: Sequence[Certificate] = (),  # noqa: ARG001 - it is asked about no certificate
    at: datetime | None = None,  # noqa: ARG001
    crls: Sequence[bytes] = (),  # noqa: ARG001
) -> Judgement:
    """Ask poppler's pdfsig: digest, value, and whether the whole file is signed. What it cannot check is undecided."""
    return Judgement(
        signatures=tuple(
            Opinion(
                word=Word.ACCEPTED if each.valid else _pdfsig_word(each.validation),
                why="" if each.valid else each.validation,
                field=each.field,
                whole=each.whole,
                intact=each.valid,
            )
            for each in pdfsig.opinions(pdf)
        )
    )


def _pdfsig_word(validation: str) -> Word:
    return Word.REFUSED if validation in {"Digest Mismatch.", "Signature is Invalid."} else Word.UNDECIDED


def ask_qpdf(
    pdf: bytes,
    anchors: Sequence[Certificate] = (),  # noqa: ARG001 - it looks at no signature
    at: datetime | None = None,  # noqa: ARG001
    crls: Sequence[bytes] = (),  # noqa: ARG001
) -> Judgement:
    """Ask ``qpdf --check``: errors and warnings about the structure are complaints."""
    if why_not := _missing("qpdf"):
        pytest.skip(why_not)
    with tempfile.TemporaryDirectory(prefix="xinyin-judge-") as folder:
        file = Path(folder) / "document.pdf"
        file.write_bytes(pdf)
        answer = subprocess.run(
            ["qpdf", "--check", str(file)], capture_output=True, text=True, errors="replace", check=False, timeout=60
        )
    if answer.returncode == 0:
        return Judgement()
    told = tuple(line.replace(str(file), "file") for line in answer.stderr.splitlines())
    return Judgement(complaints=told[:16] or (f"exit {answer.returncode}",))


def _missing(tool: str) -> str | None:
    return None if shutil.which(tool) else f"no {tool}"


JUDGES: Mapping[str, Row] = {
    "DSS": Row(
        judge=pdf_java.dss,
        what="[EU DSS](https://github.com/esig/dss) 6.4 (Java)",
        looks_at="levels, digest and value, chain, revocation, algorithms, time-stamps, changes: all by its own policy",
        sm2=False,
        chain=True,
        changes=True,
        absence=pdf_java.absence,
    ),
    "pyHanko": Row(
        judge=pyhanko.judge,
        what="[pyHanko](https://github.com/MatthiasValvekens/pyHanko) 0.38 (Python), lent SM2 by gmssl",
        looks_at="the same, by its AdES validation; revocation is required",
        sm2=True,
        chain=True,
        changes=True,
        absence=lambda: None,
    ),
    "PDFBox": Row(
        judge=pdf_java.pdfbox,
        what="[PDFBox](https://pdfbox.apache.org) 3.0.6 with [BouncyCastle](https://www.bouncycastle.org) 1.83 (Java)",
        looks_at="fields, what the range leaves out, digest and value, chain; no revocation, no changes",
        sm2=True,
        chain=True,
        changes=False,
        absence=pdf_java.absence,
    ),
    "pdfsig": Row(
        judge=ask_pdfsig,
        what="poppler's pdfsig",
        looks_at="digest and value, whether the whole file is signed; no changes",
        sm2=False,
        chain=False,
        changes=False,
        absence=lambda: _missing("pdfsig"),
    ),
}
"""Those that judge signatures."""

FILE_JUDGES: Mapping[str, tuple[Judge, str]] = {
    "veraPDF": (pdf_java.verapdf, "[veraPDF](https://verapdf.org) 1.30.2 (Java): PDF/A-2b"),
    "qpdf": (ask_qpdf, "`qpdf --check`: structure"),
}
"""Those that judge the file: no complaint is their yes."""
