# ruff: noqa: INP001 - a program beside the pages, in no package
"""Write the tables of these pages that the program itself can tell.

    python docs/make_tables.py [CORPUS]

The rules in verification.md; and, given the folder of real documents, corpus.md: each of them judged and timed anew,
and what outside judges say of PDFs in judges.md, where they are installed.
"""

import io
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from asn1crypto import x509 as asn1_x509  # noqa: E402 - after the path, like the rest
from pyhanko.pdf_utils.reader import PdfFileReader  # noqa: E402
from pyhanko.sign.validation import validate_pdf_signature  # noqa: E402
from pyhanko_certvalidator import ValidationContext  # noqa: E402

from crypto.digests import SM3  # noqa: E402 - the checkout, not an installed copy
from crypto.suites import ES256  # noqa: E402
from crypto.x509 import Certificate  # noqa: E402
from seal.formats.ofd import verify_ofd  # noqa: E402
from seal.formats.ofd.archive import write_archive  # noqa: E402
from seal.formats.ofd.rules.table import EVERY_RULE  # noqa: E402
from seal.formats.pdf import verify_pdf  # noqa: E402
from seal.model import Finding, Mark, Report, Verdict, worst  # noqa: E402
from seal.placing import AtPoint  # noqa: E402
from seal.reporting.indications import ROWS  # noqa: E402
from seal.ses import parse_seseal  # noqa: E402
from seal.ses.judge import judge_ses  # noqa: E402
from seal.ses.rules import STEPS  # noqa: E402
from seal.ses.rules.case import value_findings  # noqa: E402
from seal.trust import Trust  # noqa: E402
from tests.judges import pdfsig  # noqa: E402
from tests.seal.pdf.making import NOW, make_picture, make_sealer  # noqa: E402
from tests.sims.pdf_attacks import victim  # noqa: E402
from tests.sims.pdf_attacks.table import FAMILIES  # noqa: E402

ATTACKS_BEGIN, ATTACKS_END = "<!-- attacks: made by docs/make_tables.py -->", "<!-- end of attacks -->"
BEGIN, END = "<!-- rules: made by docs/make_tables.py -->", "<!-- end of rules -->"
TIMES = 7
INDICATIONS = ("<!-- indications: made by docs/make_tables.py -->", "<!-- end of indications -->")
NO_ANCHORS = Trust(anchors=())
ENTRY = (
    b'<OFD xmlns="http://www.ofdspec.org/2016"><DocBody><DocRoot>Doc_0/Absent.xml</DocRoot>'
    b"<Signatures>Doc_0/Signs/Signatures.xml</Signatures></DocBody></OFD>"
)
INTRODUCTION = """# Real documents

{agreed} of {files} files get the answer they should. This page is written by `python docs/make_tables.py CORPUS`; the files, of other makers, are not shipped.

What is expected was computed by an independent verifier. Packages are judged under the test root where they are of its making, else under no root at all: then
"indeterminate" is all that a valid one can be. Signatures without their document (`detached/`) are judged by all but the references, seals (`.esl`, `.DER`) by their
maker's value. ms is the CPU time of one judgement, the median of seven, on the machine that wrote the page. "Unsure" marks what no text at hand decides.
"""  # noqa: E501 - lines as wide as the pages'
HEAD = (
    "| file | expected | ours | as expected | ms | findings worse than notes | remark |",
    "|---|---|---|---|---|---|---|",
)
REMARKS = {
    "ofd/n.ofd": "unsure: CheckMethod `…401.2` (keyed SM3 by its number) is read as plain SM3, which no text confirms; "
    "the document was changed afterwards, so nothing hangs on it",
    "ofd/DigitalSign.ofd": "unsure by its nature: no certificate inside, so nobody is named",
    "ofd/hello-integrity.ofd": "a list of files (GM/T 0099) is no signature over what is in them",
    "ofd/h.ofd": "the first seal closed the document, and a second followed: the first is broken, the second holds",
    "ofd/draw_param_ref.ofd": "two template pages that are shown are left open, on top of the unknown authority",
    "detached/jiangsu_tax_v4": "unsure: the seal is five days older than its maker's certificate. A note here, as the "
    "certificate had begun when the seal signed; GM/T 0031-2014 6.1.2 read strictly would make it invalid",
    "detached/zhejiang_tax_v4": "only the signature is there, not its document",
    "detached/shandong_gov_v4_plus_gbt35275": "only the signatures are there; raw values, a critical extension",
    "seal/SESealData.DER": "unsure: its maker's value holds over no composition tried; whether the file was changed is "
    "not known",
    "seal/UserV5.esl": "unsure: the V5 text was not seen; read as one implementation writes it",
    "seal/UserV5_ts.esl": "unsure as above; its time stamp is three octets that are none (`TIMESTAMP_INVALID` in use)",
    "seal/SignedValueV5.dat": "unsure as above; its maker's certificate ended before the seal was made",
}


PDF_BEGIN, PDF_END = "<!-- judges of PDF: made by docs/make_tables.py -->", "<!-- end of judges of PDF -->"


def rules_table() -> str:
    """Write the rules as rows, a step after another."""
    rows = ["| step | rule | asks | codes |", "|---|---|---|---|"]
    for rule in EVERY_RULE:
        codes = " ".join(f"`{code}`" for code in rule.codes)
        rows.append(f"| {rule.step} {STEPS[rule.step]} | {rule.name} | {rule.asks} | {codes} |")
    return "\n".join(rows)


def indications_table() -> str:
    """Write what findings come to after ETSI EN 319 102-1, the gravest first."""
    found: dict[tuple[str, str], list[str]] = {}
    for code, row in ROWS.items():
        sub = f"`{row.indication.sub}`" if row.indication.sub else "-"
        found.setdefault((row.indication.main.value, sub), []).append(f"`{code}`")
    rows = ["| main indication | sub-indication | findings |", "|---|---|---|"]
    return "\n".join(rows + [f"| {main} | {sub} | {' '.join(codes)} |" for (main, sub), codes in found.items()])


def with_rules(page: str) -> str:
    """Put the tables in their places on the page."""
    for (begin, end), table in ((BEGIN, END), rules_table()), (INDICATIONS, indications_table()):
        page = _between(page, begin, table, end)
    return page


def with_pdf_judges(page: str, corpus: Path) -> str:
    """Put what outside judges say of PDFs in its place on the page; leave it as it is where one of them is missing."""
    from tests.judges import pdf_tables  # noqa: PLC0415 - needs the packages of the tests

    if why_not := pdf_tables.absence():
        sys.stderr.write(f"judges.md is left as it is: {why_not}\n")
        return page
    return _between(page, PDF_BEGIN, pdf_tables.pdf_tables(corpus / "pdf"), PDF_END)


def _between(page: str, begin: str, table: str, end: str) -> str:
    before, _, rest = page.partition(begin)
    return f"{before}{begin}\n\n{table}\n\n{end}{rest.partition(end)[2]}"


def attack_rows() -> Iterator[str]:
    """Write a row for each family of attacks: what we say, and how many variants pass with others."""
    sealer = make_sealer(ES256)
    mark = Mark(seal_name="x", picture=make_picture(40), placement=AtPoint.on(1, x_mm=10, y_mm=10), reason="x" * 40)
    sealed = sealer.seal(victim.classic(), mark)
    yield "| family | variants | ours | our findings | pdfsig: valid | pyHanko: passes |"
    yield "|---|---|---|---|---|---|"
    for family in FAMILIES:
        forged = [attack.forge(sealed) for attack in family]
        reports = [verify_pdf(each, sealer.trust) for each in forged]
        said = ", ".join(sorted({report.verdict.value for report in reports}))
        codes = _codes(finding for report in reports for finding in _findings(report))
        poppler, other = sum(map(_pdfsig_accepts, forged)), sum(_pyhanko_accepts(each, sealer.root) for each in forged)
        yield f"| {family.name} | {len(forged)} | {said} | {codes} | {poppler} | {other} |"


def _pdfsig_accepts(document: bytes) -> bool:
    return any(opinion.valid for opinion in pdfsig.opinions(document))


def _pyhanko_accepts(document: bytes, root: Certificate) -> bool:
    context = ValidationContext(trust_roots=[asn1_x509.Certificate.load(root.raw)], moment=NOW, best_signature_time=NOW)
    try:
        found = PdfFileReader(io.BytesIO(document)).embedded_signatures
        return any(validate_pdf_signature(each, context).bottom_line for each in found)
    except Exception:  # noqa: BLE001 - whatever it raises, it does not pass
        return False


def with_attacks(page: str) -> str:
    """Put the table of attacks in its place on the page."""
    before, _, rest = page.partition(ATTACKS_BEGIN)
    rows = "\n".join(attack_rows())
    return f"{before}{ATTACKS_BEGIN}\n\n{rows}\n\n{ATTACKS_END}{rest.partition(ATTACKS_END)[2]}"


def corpus_rows(corpus: Path) -> Iterator[tuple[str, str, str, str, float]]:
    """Give for each file: its name, the verdict expected, ours, the codes worse than notes, and milliseconds."""
    folder = corpus / "ofd"
    expected: Mapping[str, Any] = json.loads((folder / "expected.json").read_text("utf-8"))
    verdicts: Mapping[str, Any] = json.loads((folder / "verdicts.json").read_text("utf-8"))["files"]
    anchored = Trust.load(folder / "certs")
    for name, row in verdicts.items():
        document = (folder / name).read_bytes()
        trust = anchored if row["anchors"] else NO_ANCHORS
        report, cost = _timed(lambda document=document, trust=trust: verify_ofd(document, trust))
        yield name, row["verdict"], report.verdict.value, _codes(_findings(report)), cost
    for name, facts in expected.items():
        path = folder / name
        if name.startswith("detached/"):
            document = _packed(path)
            report, cost = _timed(lambda document=document: verify_ofd(document, NO_ANCHORS))
            # The document is not there: what can be expected is that nothing else is wrong.
            absent = {"REFERENCE_MISSING", "PACKAGE_MALFORMED", "REFERENCE_MISMATCH"}
            wrong = [each for each in _findings(report) if each.code not in absent]
            holds = _held(facts)
            yield name, holds, _word(wrong), _codes(_findings(report)), cost
        elif name.startswith("seal/SignedValue"):
            octets = path.read_bytes()
            judged, cost = _timed(lambda octets=octets: judge_ses(octets, digest=bytes(SM3.size), trust=anchored))
            yield (
                name,
                _dates(facts),
                _worst(judged.findings),
                _codes(judged.findings),
                cost,
            )
        elif name.startswith("seal/"):
            octets = path.read_bytes()
            found, cost = _timed(lambda octets=octets: _seal(octets))
            yield name, _holds(wrong=not facts["seal_signature_valid"]), _holds(wrong=bool(found)), _codes(found), cost


def _held(facts: list[Mapping[str, Any]]) -> str:
    keys = ("seal_signature_valid", "data_hash_match", "content_match", "signature_valid", "signer_in_seal_list")
    return _holds(wrong=not all(row.get(key, True) for row in facts for key in keys))


def _dates(facts: Mapping[str, Any]) -> str:
    dated = facts["in_signer_cert_validity"] and facts["maker_cert_valid_at_make"]
    return Verdict.VALID.value if dated else Verdict.INVALID.value


def _worst(findings: tuple[Finding, ...]) -> str:
    return worst((Verdict.VALID, *(each.verdict for each in findings))).value


def _word(findings: list[Finding]) -> str:
    return _holds(wrong=any(each.verdict is Verdict.INVALID for each in findings))


def _holds(*, wrong: bool) -> str:
    return "does not hold" if wrong else "holds"


def _seal(octets: bytes) -> tuple[Finding, ...]:
    """Judge a seal by itself: its maker's value."""
    seal = parse_seseal(octets)
    maker = Certificate.from_der(seal.maker_certificate)
    return tuple(value_findings(maker, seal.signature_oid, seal.signed, seal.signature, "SEAL_SIGNATURE_INVALID"))


def _packed(folder: Path) -> bytes:
    files = {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}
    return write_archive({"OFD.xml": ENTRY, **files})


def _findings(report: Report) -> list[Finding]:
    return [*report.findings, *(finding for each in report.signatures for finding in each.findings)]


def _codes(findings: Any) -> str:
    counted: dict[str, int] = {}
    for each in findings:
        if each.verdict not in {Verdict.VALID, Verdict.UNSIGNED}:
            counted[each.code] = counted.get(each.code, 0) + 1
    return " ".join(f"`{code}`" + (f"×{count}" if count > 1 else "") for code, count in counted.items()) or "-"


def _timed(run: Callable[[], Any]) -> tuple[Any, float]:
    found, costs = run(), []
    for _ in range(TIMES):
        began = time.thread_time_ns()
        run()
        costs.append((time.thread_time_ns() - began) / 1e6)
    return found, statistics.median(costs)


def corpus_page(corpus: Path) -> str:
    """Write the page about real documents."""
    rows = list(corpus_rows(corpus))
    agreed = sum(expected == ours for _, expected, ours, _, _ in rows)
    lines = [INTRODUCTION.format(agreed=agreed, files=len(rows)), *HEAD]
    lines += [
        f"| {name} | {expected} | {ours} | {'yes' if expected == ours else '**no**'} | {cost:.1f} | {codes} "
        f"| {REMARKS.get(name, '')} |"
        for name, expected, ours, codes, cost in rows
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    page = HERE / "verification.md"
    page.write_text(with_rules(page.read_text("utf-8")), "utf-8")
    page = HERE / "attacks.md"
    page.write_text(with_attacks(page.read_text("utf-8")), "utf-8")
    if len(sys.argv) > 1:
        (HERE / "corpus.md").write_text(corpus_page(Path(sys.argv[1])), "utf-8")
        judges = HERE / "judges.md"
        judges.write_text(with_pdf_judges(judges.read_text("utf-8"), Path(sys.argv[1])), "utf-8")
