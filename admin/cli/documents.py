"""`xinyin verify`, and sealing a file: documents on the command line."""

import json
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from admin import settings as configuration
from admin.build import Home, operator, services
from admin.cli.many import places, seal_many, tell, write_whole
from admin.cli.progress import Meter
from admin.cli.terminal import shown
from kernel.errors import Refusal
from kernel.page import LANGUAGES
from seal.levels import Level
from seal.model import Finding, Judgement, Report, SealId, Verdict
from seal.placing import AtPoint, Placement, parse_placement
from seal.reporting import etsi_report, human_report
from seal.request import SealedDocument, SealRequest
from seal.trust import OwnLedgers, Trust, TrustFolder
from seal.verifying import MAX_DOCUMENT, Verifier, report_json
from seal.wording import wording

EXIT = {Verdict.VALID: 0, Verdict.INVALID: 1, Verdict.INDETERMINATE: 2, Verdict.UNSIGNED: 3}
USAGE = 64
_WORST_FIRST = (1, 2, 3, USAGE, 0)
_LOOKS = {
    Verdict.VALID: ("green", "✓", "有效 valid"),
    Verdict.INVALID: ("red", "✗", "无效 invalid"),
    Verdict.INDETERMINATE: ("yellow", "?", "无法确认 indeterminate"),
    Verdict.UNSIGNED: ("blue", "-", "未签章 unsigned"),
}


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("verify")(verify)


def verify(  # noqa: PLR0913 - one option each
    files: Annotated[list[Path], typer.Argument(help="PDF or OFD files.", metavar="FILE...")],
    *,
    anchors: Annotated[
        Path | None,
        typer.Option(
            help="Folder of trusted certificates, revocation lists and OCSP answers; the data folder's by default."
        ),
    ] = None,
    at: Annotated[str | None, typer.Option(help="Judge as of this time, e.g. 2026-11-20T08:00:00Z.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a file.")] = False,
    report: Annotated[
        Path | None,
        typer.Option(
            help="Write a validation report, too: .html to read, .json after ETSI TS 119 102-2; must not exist."
        ),
    ] = None,
    language: Annotated[str, typer.Option(help="Language of the .html report: zh or en.")] = "zh",
) -> None:
    """Judge the seals and signatures of PDF and OFD files.

    To keep or hand on what was found, of one file:

        xinyin verify decision.pdf --report decision.html

    Exit code: 0 all valid, 1 one is invalid, 2 one cannot be decided, 3 one is unsigned, 64 a file cannot be read.
    """
    moment = _moment(at)
    kept = _kept(report, files, language)
    verifier = Verifier(_trust(anchors))
    codes = set()
    try:
        with Meter("核验 verifying", len(files)) as meter:
            for file in files:
                codes.add(_verify_one(verifier, file, moment, as_json=as_json, kept=kept, meter=meter))
                meter.done()
    finally:
        verifier.close()
    raise typer.Exit(next(code for code in _WORST_FIRST if code in codes))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    """A validation report to be written: where, and how a judgement becomes its text."""

    path: Path
    render: Callable[[Judgement], str]

    def write(self, judgement: Judgement) -> None:
        with self.path.open("x", encoding="utf-8", newline="\n") as target:
            target.write(self.render(judgement))


def _kept(path: Path | None, files: list[Path], language: str) -> _Kept | None:
    """Say what report is wanted, before anything is judged; a bad wish is a bad call."""
    if language not in LANGUAGES:
        raise typer.BadParameter(f"--language takes {' or '.join(LANGUAGES)}")
    if path is None:
        return None
    renders: dict[str, Callable[[Judgement], str]] = {
        ".html": lambda judgement: human_report(judgement, language),
        ".json": lambda judgement: json.dumps(etsi_report(judgement), ensure_ascii=False, indent=2) + "\n",
    }
    render = renders.get(path.suffix.lower())
    if render is None:
        raise typer.BadParameter("--report takes a name that ends in .html or .json")
    if len(files) != 1:
        raise typer.BadParameter("--report is about one file; give one")
    if path.exists():
        raise typer.BadParameter(f"{path} exists already; give another name with --report")
    if not path.parent.is_dir():
        raise typer.BadParameter(f"{path.parent} is not a folder")
    return _Kept(path=path, render=render)


def _judge(verifier: Verifier, file: Path, at: datetime | None, kept: _Kept | None) -> Report:
    document = read(file)
    if kept is None:
        return verifier.verify(document, at)
    judgement = verifier.explain(document, at, name=file.name)
    kept.write(judgement)
    return judgement.report


def _verify_one(  # noqa: PLR0913 - what was asked, and where it is shown
    verifier: Verifier, file: Path, at: datetime | None, *, as_json: bool, kept: _Kept | None, meter: Meter
) -> int:
    try:
        report = _judge(verifier, file, at, kept)
    except OSError as error:
        with meter.aside(sys.stderr):
            sys.stderr.write(f"xinyin: {shown(error.filename or file)}: {error.strerror}\n")
        return USAGE
    except Refusal as refused:
        with meter.aside(sys.stderr):
            sys.stderr.write(f"xinyin: {shown(file)}: {refused.detail} [{refused.code}]\n")
        return USAGE
    with meter.aside(sys.stdout):
        if as_json:
            told = json.dumps(report_json(report, file=str(file)), ensure_ascii=False)
            # A lone surrogate, of a file's name or from within it, cannot be written as it is; \udcff is JSON for it.
            typer.echo(told.encode("utf-8", "backslashreplace").decode())
        else:
            _show(file, report)
    return EXIT[report.verdict]


def read(file: Path) -> bytes:
    """Read a file, but no more of it than it takes to know that it is too large: some never end."""
    with file.open("rb") as source:
        return source.read(MAX_DOCUMENT + 1)


def _show(file: Path, report: Report) -> None:
    console = Console()
    colour, mark, words = _LOOKS[report.verdict]
    console.print(f"[bold {colour}]{mark} {words}[/]  {shown(file)}", highlight=False)
    for number, signature in enumerate(report.signatures, start=1):
        colour, mark, words = _LOOKS[signature.verdict]
        kind = " ".join(filter(None, (signature.format, signature.level)))
        console.print(f"  {number}. [{colour}]{mark} {words}[/]  {kind}", highlight=False)
        if signature.seal:
            console.print(
                f"     印章 seal     {shown(signature.seal.name)} ({shown(signature.seal.id)})", highlight=False
            )
        console.print(f"     签名人 signer {shown(signature.signer or '-')}", highlight=False, soft_wrap=True)
        if signature.time and signature.time_source:
            console.print(
                f"     时间 time     {signature.time.isoformat()} ({signature.time_source.value})", highlight=False
            )
        _show_findings(console, signature.findings)
    _show_findings(console, report.findings)


def _show_findings(console: Console, findings: tuple[Finding, ...]) -> None:
    for finding in findings:
        colour = _LOOKS[finding.verdict][0] if finding.verdict is not Verdict.VALID else "dim"
        chinese, english = wording(finding.code)
        console.print(f"     [{colour}]{finding.code}[/] {chinese} {english}", highlight=False, soft_wrap=True)
        if finding.detail:
            console.print(f"       [dim]{shown(finding.detail)}[/]", highlight=False, soft_wrap=True)


def seal(  # noqa: PLR0913 - one option each
    files: Annotated[list[Path], typer.Argument(help="The PDF or OFD to seal; it is not changed.", metavar="FILE...")],
    *,
    seal_id: Annotated[str, typer.Option("--seal", help="Number of the seal (14 digits).")],
    out: Annotated[
        Path | None, typer.Option(help="Where to write the sealed document; must not exist. For one file.")
    ] = None,
    out_dir: Annotated[
        Path | None,
        typer.Option(
            help="A folder for the sealed documents, each under its own name; those there are not sealed again."
        ),
    ] = None,
    document_format: Annotated[
        str | None,
        typer.Option(
            "--format",
            help="pdf-pades-sm2, pdf-pades-p256, pdf-ses-v4 (an e-seal signature), pdf-gm-cms, "
            "ofd-ses-v4, ofd-gbt35275 (a signature without a picture) or "
            "ofd-gmt0099 (a signed list of the files, the last step); a seal with SM2 by default.",
        ),
    ] = None,
    place: Annotated[
        str | None,
        typer.Option(
            help="Where the picture goes: corner:bottom-right;dx=20;dy=25 (the default, on the last page), "
            "point;x=120;y=230;pages=1-3, keyword:盖章处;pick=1, straddle:right, facing, or PAGE,X,Y in mm."
        ),
    ] = None,
    level: Annotated[
        Level | None,
        typer.Option(
            help="PAdES level of a PDF signature; b-t by default where XINYIN_TSA is set (the "
            "stamp follows if nobody stamps now), else b-b."
        ),
    ] = None,
    also: Annotated[
        str | None,
        typer.Option(
            help="A second signature in a PDF for readers that know no SM2, without a picture: pdf-pades-p256."
        ),
    ] = None,
    closes: Annotated[bool, typer.Option("--close", help="Let no later signature into the document.")] = False,
    reason: Annotated[str, typer.Option(help="Why it is sealed; stands in the document and in the ledger.")] = "",
    case: Annotated[str | None, typer.Option(help="Case number (办件编号) for the ledger.")] = None,
    kind: Annotated[str, typer.Option(help="Kind of document.")] = "approval-result",
) -> None:
    """Seal documents with a registered seal, as the operator of this data folder.

    One into a file, or many into a folder; what cannot be sealed is told, and the rest goes on:

        xinyin seal outgoing/*.pdf --seal 99010000000001 --out-dir sealed

    Exit code: 0 all sealed, 1 some of many were not, 64 nothing could be sealed, 130 stopped by Ctrl-C. Run again
    with the same folder it does what is left.
    """
    todo = _todo(files, out, out_dir)
    placement = _placement(place)
    with services(configuration.load()) as service:

        def seal_one(file: Path) -> SealedDocument:
            document = read(file)
            service.verifier.examine(document)
            request = SealRequest(
                document=document,
                seal=SealId(seal_id),
                format=document_format,
                placement=placement,
                also=also,
                closes=closes,
                level=level,
                reason=reason,
                case_number=case,
                document_kind=kind,
                idempotency_key=None,
            )
            return service.sealing.seal(request, operator("seal.use:*"))

        if out_dir is not None:
            service.register.find(seal_id)  # or every file would be refused for it
            raise typer.Exit(seal_many(todo, seal_one))
        for file, target in todo:
            sealed = seal_one(file)
            write_whole(target, sealed.document)
            tell(target, sealed)


def _todo(files: list[Path], out: Path | None, out_dir: Path | None) -> list[tuple[Path, Path]]:
    """Say what goes where, before anything is signed: a sealing that nobody receives still stands in the ledger."""
    if (out is None) == (out_dir is None):
        raise typer.BadParameter("say where it goes: --out FILE for one document, --out-dir FOLDER for many")
    if out_dir is not None:
        return places(files, out_dir)
    if out is None or len(files) != 1:
        raise typer.BadParameter("--out is for one document; give --out-dir for many")
    if out.exists():
        raise typer.BadParameter(f"{out} exists already; sealed documents are never written over")
    if not out.parent.is_dir():
        raise typer.BadParameter(f"{out.parent} is not a folder")
    return [(files[0], out)]


def _placement(text: str | None) -> Placement | None:
    if text is None:
        return None
    if re.fullmatch(r"[0-9+., -]+", text):
        try:
            page, x, y = text.split(",")
            return AtPoint.on(int(page), x_mm=float(x), y_mm=float(y))
        except ValueError:
            raise typer.BadParameter("--place takes PAGE,X,Y, such as 1,132,180") from None
    return parse_placement(text)


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter("--at takes a time such as 2026-11-20T08:00:00Z") from None
    return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)


def _trust(folder: Path | None) -> Trust:
    if folder is not None and not folder.is_dir():
        raise typer.BadParameter(f"{folder} is not a folder")
    if folder is not None:
        return Trust.load(folder)
    home = Home(root=configuration.load().home)
    return TrustFolder(home.trust, own=OwnLedgers(home.authorities))()
