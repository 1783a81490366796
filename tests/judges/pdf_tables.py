"""The tables of docs/judges.md that the judges of PDFs fill in themselves; docs/make_tables.py writes them."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path

from crypto.suites import ES256, PS256, RS256, SM2_SM3
from seal.formats.pdf import verify_pdf
from seal.model import Report, Verdict
from seal.trust import Trust
from tests.judges.judgement import Judgement, Word
from tests.judges.pdf_judges import FILE_JUDGES, JUDGES
from tests.judges.pdf_made import MADE
from tests.judges.pdf_papers import make_papers
from tests.judges.pdf_world import make_world

_ASKED = ("DSS", "pyHanko")
_OURS = {
    Verdict.VALID: Word.ACCEPTED,
    Verdict.INDETERMINATE: Word.UNDECIDED,
    Verdict.INVALID: Word.REFUSED,
    Verdict.UNSIGNED: None,
}


def absence() -> str | None:
    """Say in one line which judge is missing for these tables."""
    return next((why for row in JUDGES.values() if (why := row.absence())), None)


def pdf_tables(corpus: Path) -> str:
    """Write both tables; ``corpus`` is the folder of signed documents."""
    logging.disable(logging.CRITICAL)  # pyHanko tells the log of everything it refuses
    try:
        return "\n".join([*_made(), "", *_compared(corpus)])
    finally:
        logging.disable(logging.NOTSET)


def _made() -> Iterator[str]:
    worlds = {suite.name: make_world(suite) for suite in (ES256, RS256, PS256, SM2_SM3)}
    papers = make_papers()
    columns = ["what we make", *JUDGES, *FILE_JUDGES]
    yield f"| {' | '.join(columns)} |"
    yield "|---|" + "---|" * (len(columns) - 1)
    for kind in MADE:
        made = kind.make([worlds[suite.name] for suite in kind.suites], papers)
        found = (row.judge(made.pdf, made.anchors, made.at, made.crls) for row in JUDGES.values())
        files = (" ".join(judge(made.pdf).complaints) or "sound" for judge, _ in FILE_JUDGES.values())
        yield f"| {kind} | " + " | ".join([*(_told(each, len(kind.signed)) for each in found), *files]) + " |"


def _told(found: Judgement, signed: int) -> str:
    accepted = [each for each in found.signatures if each.word is Word.ACCEPTED]
    if not accepted:
        return "cannot" if not any(each.intact for each in found.signatures) else str(found.word)
    levels = dict.fromkeys(each.level.removeprefix("PAdES-BASELINE-") for each in accepted)
    named = [level for level in levels if len(level) <= len("LTA") and level]
    return ", ".join(["accepted" if len(accepted) == signed else f"{len(accepted)} of {signed}", *named])


def _compared(corpus: Path) -> Iterator[str]:
    rows = [_row(corpus / file) for file in sorted(json.loads((corpus / "expected.json").read_text("utf-8")))]
    same = sum(len({ours, *theirs}) == 1 for _, ours, theirs, _ in rows)
    both = [ours for _, ours, theirs, _ in rows if set(theirs) == {Word.REFUSED}]
    stricter = sum(ours is Word.REFUSED and Word.REFUSED not in theirs for _, ours, theirs, _ in rows)
    yield (
        f"Of {len(rows)} files of others, judged under no root at all, DSS, pyHanko and we say the same of {same}. "
        f"Both refuse {len(both)}, and we refuse {both.count(Word.REFUSED)} of these; {stricter} we alone refuse. "
        "The rest, and why:"
    )
    yield ""
    yield "| file | we | " + " | ".join(_ASKED) + " | our findings |"
    yield "|---|---|" + "---|" * len(_ASKED) + "---|"
    for file, ours, theirs, codes in rows:
        if len({ours, *theirs}) > 1:
            yield f"| {file} | {_word(ours)} | {' | '.join(map(_word, theirs))} | {codes} |"


def _row(path: Path) -> tuple[str, Word | None, tuple[Word | None, ...], str]:
    document = path.read_bytes()
    report = verify_pdf(document, Trust(anchors=()))
    theirs = tuple(JUDGES[judge].judge(document).word for judge in _ASKED)
    return path.name, _OURS[report.verdict], theirs, _codes(report)


def _word(word: Word | None) -> str:
    return "no signature" if word is None else word.value


def _codes(report: Report) -> str:
    found = [*report.findings, *(each for one in report.signatures for each in one.findings)]
    worst = [each.code for each in found if each.verdict is report.verdict]
    return " ".join(f"`{code}`" for code in dict.fromkeys(worst))
