"""`xinyin seal ask | requests | approve | use | ledger`: single uses of seals, and the ledger of all of them."""

import json
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from admin import settings as configuration
from admin.build import Service, operator, services
from admin.cli.affairs import proved
from admin.cli.documents import read
from admin.cli.terminal import print_table, shown
from kernel.principal import Principal
from seal.affairs.model import Verdict
from seal.model import SealId
from seal.placing import parse_placement
from seal.request import SealRequest
from seal.usage.approvals import LIFETIME, LONGEST_LIFE, UseRequest
from seal.usage.ledger import LedgerFilter, LedgerRow, UseState

_USER, _READER = operator("seal.use:*"), operator("seal.ledger:*")
_Request = Annotated[str, typer.Argument(help="Id of the use request.")]
_As = Annotated[
    str | None,
    typer.Option("--as", help="Login name of an officer; the password is asked for. Without, the operator."),
]


def ask(  # noqa: PLR0913 - a request's parts
    file: Annotated[Path, typer.Argument(help="PDF or OFD document.")],
    *,
    seal: Annotated[str, typer.Option(help="Number of the seal (14 digits).")],
    reason: Annotated[str, typer.Option(help="Why it is to be sealed; stands in the document and in the ledger.")] = "",
    case: Annotated[str | None, typer.Option(help="Case number (办件编号).")] = None,
    kind: Annotated[str, typer.Option(help="Kind of document.")] = "approval-result",
    document_format: Annotated[str | None, typer.Option("--format", help="As for `xinyin seal FILE`.")] = None,
    place: Annotated[str | None, typer.Option(help="Where the picture goes, such as corner:bottom-right.")] = None,
    amount: Annotated[int | None, typer.Option(min=0, help="What the document is about, in fen.")] = None,
    days: Annotated[
        int, typer.Option(min=1, max=LONGEST_LIFE.days, help="How long it may be decided and used.")
    ] = LIFETIME.days,
) -> None:
    """Ask, as the operator of this data folder, for one use of a seal; an officer approves it, then `use` seals."""
    document = read(file)
    with services(configuration.load()) as service:
        service.verifier.examine(document)
        wanted = SealRequest(
            document=document,
            seal=SealId(seal),
            format=document_format,
            placement=parse_placement(place) if place else None,
            reason=reason,
            case_number=case,
            document_kind=kind,
            amount=amount,
        )
        _show(service, service.uses.ask(wanted, _USER, lifetime=timedelta(days=days)))


def requests(
    *, login: _As = None, waiting: Annotated[bool, typer.Option(help="Only those that wait for a decision.")] = False
) -> None:
    """List the newest 50 use requests that concern an officer, or those of the operator."""
    with services(configuration.load()) as service:
        for each in service.uses.list(_principal(service, login), waiting=waiting):
            state = service.uses.standing(each).value
            Console().print(f"{each.id}  {each.seal}  {state:9} {each.caller}", highlight=False, soft_wrap=True)


def approve(  # noqa: PLR0913 - a decision's parts
    request: _Request,
    *,
    login: Annotated[str, typer.Option("--as", help="Login name of the officer; the password is asked for.")],
    sm3: Annotated[str | None, typer.Option(help="The hash that was shown: what you decide about.")] = None,
    reject: Annotated[bool, typer.Option("--reject", help="Reject it instead.")] = False,
    note: Annotated[str, typer.Option(help="What you want kept with it.")] = "",
    out: Annotated[Path | None, typer.Option(help="Write the document there to be read; must not exist.")] = None,
) -> None:
    """Show a use request, and with --sm3 approve or reject it: somebody else's alone."""
    with services(configuration.load()) as service:
        officer = proved(service, login)
        found = service.uses.find(request, officer)
        if out is not None:
            with out.open("xb") as target:
                target.write(service.uses.document(request, officer))
        if sm3 is not None:
            verdict = Verdict.REJECT if reject else Verdict.APPROVE
            found = service.uses.decide(request, verdict, officer, request_hash=sm3, note=note)
        _show(service, found)


def use(request: _Request, *, out: Annotated[Path, typer.Option(help="The sealed document; must not exist.")]) -> None:
    """Seal what an officer approved for the operator, once."""
    if out.exists():
        raise typer.BadParameter(f"{out} exists already; sealed documents are never written over")
    with services(configuration.load()) as service:
        sealed = service.uses.seal(request, _USER)
        with out.open("xb") as target:
            target.write(sealed.document)
    Console().print(f"[green]✓[/] {shown(out)}  {sealed.format}  {sealed.id}", highlight=False, soft_wrap=True)


def ledger(  # noqa: PLR0913 - a filter's parts
    *,
    seal: Annotated[str | None, typer.Option(help="Uses of this seal.")] = None,
    organisation: Annotated[str | None, typer.Option(help="By systems of this body (social credit code).")] = None,
    caller: Annotated[str | None, typer.Option(help="By this system or account.")] = None,
    since: Annotated[str | None, typer.Option(help="From this time on.")] = None,
    until: Annotated[str | None, typer.Option(help="Before this time.")] = None,
    kind: Annotated[str | None, typer.Option(help="Of this kind of document.")] = None,
    case: Annotated[str | None, typer.Option(help="Of this case (办件编号).")] = None,
    document_format: Annotated[str | None, typer.Option("--format", help="In this format.")] = None,
    state: Annotated[UseState | None, typer.Option(help="That came so far.")] = None,
    sm3: Annotated[str | None, typer.Option(help="Of this file, as it was sent or sealed.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many rows.")] = 50,
    after: Annotated[str | None, typer.Option(help="Go on from here, as printed at the end of the list.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    month: Annotated[str | None, typer.Option(help="With --out: of this month, such as 2026-11.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write a signed archive (ZIP) of them all; must not exist.")] = None,
) -> None:
    """Show who used which seal, when, for what and from where, the newest first; or write it as a signed archive."""
    if out is not None and out.exists():
        raise typer.BadParameter(f"{out} exists already")
    if month is not None and out is None:
        raise typer.BadParameter("--month goes with --out")
    wanted = LedgerFilter(
        seal=seal,
        organisation=organisation,
        caller=caller,
        since=_moment(since, "--since"),
        until=_moment(until, "--until"),
        document_kind=kind,
        case_number=case,
        format=document_format,
        state=state,
        document_sm3=sm3,
    )
    with services(configuration.load()) as service:
        if out is not None:
            _export(service, wanted, month, out)
            return
        page = service.ledger.page(wanted, _READER, after=after, limit=limit)
    (_print_json if as_json else _print_table)(page.rows)
    if page.next is not None:
        Console(stderr=True).print(f"more: --after {page.next}", highlight=False, soft_wrap=True)


def _moment(text: str | None, option: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text) if text else None
    except ValueError:
        raise typer.BadParameter(f"{option} takes a time such as 2026-11-20T08:00:00Z") from None
    return moment.replace(tzinfo=moment.tzinfo or UTC) if moment else None


def _export(service: Service, wanted: LedgerFilter, month: str | None, out: Path) -> None:
    pieces = service.ledger.export(wanted, _READER, month=month)
    with out.open("xb") as target:
        target.writelines(pieces)
    Console().print(f"[green]✓[/] {shown(out)}", highlight=False, soft_wrap=True)


def _print_table(rows: tuple[LedgerRow, ...]) -> None:
    table = Table("intended", "seal", "serial", "state", "caller", "from", "case", "purpose", "pages", "sealing")
    for row in rows:
        when = row.intended_at.isoformat(timespec="seconds")
        words = (row.caller, row.client_address or "", row.case_number or "", row.purpose)
        pages = "" if row.pages is None else str(row.pages)
        table.add_row(when, row.seal, str(row.serial), row.state.value, *map(shown, words), pages, row.sealing)
    print_table(table)


def _print_json(rows: tuple[LedgerRow, ...]) -> None:
    for row in rows:
        print(json.dumps(asdict(row), ensure_ascii=True, default=lambda value: value.isoformat()))  # noqa: T201 - for programs


def _principal(service: Service, login: str | None) -> Principal:
    return _USER if login is None else proved(service, login)


def _show(service: Service, found: UseRequest) -> None:
    asked = {name: said for name, said in json.loads(found.asked).items() if said}
    rows = {
        "request": found.id,
        "seal": found.seal,
        "stands": service.uses.standing(found).value,
        "by": found.caller,
        "until": found.expires_at.isoformat(timespec="seconds"),
        "document": found.document_sm3,
        "pages": "" if found.pages is None else str(found.pages),
        **{name: str(said) for name, said in asked.items()},
        "sm3": found.request_hash,
        "sealing": found.sealing or "",
    }
    for name, value in rows.items():
        if value:
            Console().print(f"{name:14}{shown(value)}", highlight=False, soft_wrap=True)
