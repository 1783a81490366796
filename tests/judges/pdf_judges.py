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

from crypto.suites import ES256, PS256, RS256, SM2_SM3
from crypto.x509 import Certificate
from tests.judges import pdf_java, pdfsig, pyhanko
from tests.judges.judgement import DOC_TIMESTAMP, Judge, Judgement, Opinion, Word
from tests.judges.pdf_made import GM_CMS, GM_SEAL, Signed


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One judge, and what its answer is worth."""

    judge: Judge
    what: str
    """Name, version where it is fixed, and how it comes here."""
    looks_at: str
    knows: frozenset[str]
    """The suites, and the formats of contents beside CMS, that it can verify."""
    stamps: bool
    """Whether it verifies document time-stamps; False: it tells that they are there."""
    proofs: bool
    """Whether it takes time-stamps for proof of when something was there."""
    chain: bool
    """Whether it looks at certificates: without that its yes is about digest and value alone."""
    changes: bool
    """Whether it looks for changes after the signature."""
    absence: Callable[[], str | None]

    def judges(self, signed: Signed, *, ended: bool = False) -> bool:
        """Tell whether it can accept a signature; ``ended``: the certificate is over by the time asked about."""
        if signed.level == DOC_TIMESTAMP:
            return self.stamps and signed.by in self.knows
        return signed.by in self.knows and (self.proofs or not (ended and self.chain))


def ask_pdfsig(
    pdf: bytes,
    anchors: Sequence[Certificate] = (),  # noqa: ARG001 - it is asked about no certificate
    at: datetime | None = None,  # noqa: ARG001
    crls: Sequence[bytes] = (),  # noqa: ARG001
) -> Judgement:
    """Ask poppler's pdfsig: digest, value, and whether the whole file is signed. What it cannot check is undecided.

    A signature shown in several places is told as often as that: here it counts once.
    """
    told = pdfsig.opinions(pdf)
    return Judgement(
        signatures=tuple(
            Opinion(
                word=Word.ACCEPTED if each.valid else _pdfsig_word(each.validation),
                why="" if each.valid else each.validation,
                field=each.field,
                whole=each.whole,
                intact=each.valid,
            )
            for each in dict.fromkeys(told)
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


_EVERYWHERE = frozenset({ES256.name, RS256.name, PS256.name})

JUDGES: Mapping[str, Row] = {
    "DSS": Row(
        judge=pdf_java.dss,
        what="[EU DSS](https://github.com/esig/dss) 6.4 (Java)",
        looks_at="levels, digest and value, chain, revocation, algorithms, time-stamps, changes: all by its own policy",
        knows=_EVERYWHERE,
        stamps=True,
        proofs=True,
        chain=True,
        changes=True,
        absence=pdf_java.absence,
    ),
    "pyHanko": Row(
        judge=pyhanko.judge,
        what="[pyHanko](https://github.com/MatthiasValvekens/pyHanko) 0.38 (Python), lent SM2 by gmssl",
        looks_at="the same, by its AdES validation; revocation is required",
        knows=_EVERYWHERE | {SM2_SM3.name},
        stamps=True,
        proofs=True,
        chain=True,
        changes=True,
        absence=lambda: None,
    ),
    "PDFBox": Row(
        judge=pdf_java.pdfbox,
        what="[PDFBox](https://pdfbox.apache.org) 3.0.6 with [BouncyCastle](https://www.bouncycastle.org) 1.83 (Java)",
        looks_at="what the range leaves out, digest and value, SM2 and e-seals too, chain; no revocation, no changes",
        knows=_EVERYWHERE | {SM2_SM3.name, GM_SEAL, GM_CMS},
        stamps=True,
        proofs=False,
        chain=True,
        changes=False,
        absence=pdf_java.absence,
    ),
    "pdfsig": Row(
        judge=ask_pdfsig,
        what="poppler's pdfsig",
        looks_at="digest and value, whether the whole file is signed; no changes",
        knows=_EVERYWHERE,
        stamps=False,
        proofs=False,
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
