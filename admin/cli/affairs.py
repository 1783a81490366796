"""`xinyin affair`: what is to be done with seals, proposed by one person and decided by others."""

import json
import sys
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.prompt import Prompt

from admin import settings as configuration
from admin.build import Service, operator, services
from admin.cli.terminal import shown
from idp.passwords import Passwords
from idp.registry import normal_login
from idp.store import people
from kernel.errors import Unauthenticated
from kernel.principal import Principal
from seal.affairs.actions import APPLICATION, RULES, Action
from seal.affairs.model import LIFETIME, Affair, Paper, Proposal, Verdict
from seal.model import SealId

_COMMAND = typer.Typer(no_args_is_help=True, help="What is to be done with seals: one proposes, others decide.")
_DAYS_A_YEAR = 365

_As = Annotated[str, typer.Option("--as", help="Login name of whoever does this; the password is asked for.")]
_Seal = Annotated[str, typer.Option(help="Number of the seal (14 digits).")]
_Reason = Annotated[str, typer.Option(help="Why; kept with the seal for good.")]
_Papers = Annotated[list[str] | None, typer.Option("--paper", help="KIND=FILE; repeat for more.")]
_Basis = Annotated[str, typer.Option(help="Legal basis; needed to revoke and to destroy.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(_COMMAND, name="affair")


@_COMMAND.command("officer")
def appoint(
    login: Annotated[str, typer.Argument(help="Login name of a person; see `xinyin person add`.")],
    *,
    right: Annotated[
        list[str] | None, typer.Option(help="Such as seal.approve:* or seal.review:<seal>; repeat for more.")
    ] = None,
    person: Annotated[
        str | None,
        typer.Option(
            help="Personnel number: accounts with the same one are one person's. Left out, it stays as it was."
        ),
    ] = None,
) -> None:
    """Say which rights over seals a person has from now on: these and no others, without --right none."""
    with services(configuration.load()) as service:
        account = service.registry.person(login).id
        held = service.officers.appoint(account, right or (), by=operator().subject, person=person)
    Console().print(f"[green]✓[/] {shown(login)}  {' '.join(sorted(held)) or 'no office'}", highlight=False)


@_COMMAND.command("make")
def make(  # noqa: PLR0913 - a seal's parts
    *,
    seal: _Seal,
    kind: Annotated[int, typer.Option(help="Kind of the seal, a number.")],
    name: Annotated[str, typer.Option(help="Name of the seal.")],
    owner: Annotated[str, typer.Option(help="Unified social credit code of the owning body.")],
    owner_name: Annotated[str, typer.Option(help="Name of the owning body.")],
    picture: Annotated[Path, typer.Option(help="PNG of the seal; see `xinyin artwork draw`.")],
    size: Annotated[str, typer.Option(help="Printed size in mm, WIDTHxHEIGHT.")],
    key: Annotated[list[str], typer.Option(help="KEY=FILE: key of the vault, its certificates as PEM; repeat.")],
    maker: Annotated[str, typer.Option(help="KEY=FILE of the seal maker.")],
    application: Annotated[Path, typer.Option(help="The application for the seal, signed by its owner.")],
    reason: _Reason,
    years: Annotated[int, typer.Option(min=1, max=10, help="How long the seal is valid.")] = 3,
    paper: _Papers = None,
) -> None:
    """Propose, as the operator of this data folder, that a seal be made; two officers review and approve it."""
    width, _, height = size.partition("x")
    if not (width.isdecimal() and height.isdecimal()):
        raise typer.BadParameter("--size is WIDTHxHEIGHT, such as 42x42")
    with services(configuration.load()) as service:
        begins = service.clock.now().replace(microsecond=0)
        payload = {
            "kind": kind,
            "name": name,
            "owner": owner,
            "owner_name": owner_name,
            "picture": {
                "object_key": service.affairs.keep(picture.read_bytes()),
                "width_mm": int(width),
                "height_mm": int(height),
            },
            "valid_from": begins,
            "valid_to": begins + timedelta(days=_DAYS_A_YEAR * years),
            "keys": [_part(each) for each in key],
            "maker": _part(maker),
        }
        papers = (_kept(service, APPLICATION, application), *_papers(service, paper))
        action = Action.MAKE
        proposal = Proposal(action=action, seal=SealId(seal), payload=payload, reason=reason, papers=papers)
        _show(service, service.affairs.propose(proposal, operator(f"{RULES[action].propose}:{seal}")))


@_COMMAND.command("propose")
def propose(  # noqa: PLR0913 - an affair's parts
    action: Annotated[Action, typer.Argument(help="What is to be done.")],
    *,
    seal: _Seal,
    login: _As,
    reason: _Reason,
    legal_basis: _Basis = "",
    payload: Annotated[Path | None, typer.Option(help="JSON file with the action's own part.")] = None,
    set_part: Annotated[list[str] | None, typer.Option("--set", help="NAME=TEXT of that part; repeat.")] = None,
    paper: _Papers = None,
    days: Annotated[int, typer.Option(min=1, max=30, help="How long it may be decided.")] = LIFETIME.days,
) -> None:
    """Propose what is to be done with a seal. `file` and `lose` are done at once.

    For example:  xinyin affair propose file --seal 44030000000001 --as zhang --reason 备案
    --set filing_number=2026-17 --set body=某某市公安局
    """
    part: dict[str, Any] = json.loads(payload.read_text("utf-8")) if payload else {}
    part |= dict(_pair(each, "--set") for each in set_part or ())
    with services(configuration.load()) as service:
        principal = proved(service, login)
        proposal = Proposal(
            action=action,
            seal=SealId(seal),
            payload=part,
            reason=reason,
            legal_basis=legal_basis,
            papers=_papers(service, paper),
            lifetime=timedelta(days=days),
        )
        _show(service, service.affairs.propose(proposal, principal))


@_COMMAND.command("list")
def list_affairs(
    *,
    login: _As,
    waiting: Annotated[bool, typer.Option(help="Only what waits for this person's word.")] = False,
    seal: Annotated[str | None, typer.Option(help="Only this seal's.")] = None,
) -> None:
    """List the newest 50 affairs that concern a person."""
    with services(configuration.load()) as service:
        console = Console()
        for each in service.affairs.list(proved(service, login), waiting=waiting, seal=seal):
            state = service.affairs.standing(each).value
            console.print(f"{each.id}  {each.action:9} {each.seal}  {state}", highlight=False, soft_wrap=True)


@_COMMAND.command("show")
def show(
    affair: Annotated[str, typer.Argument(help="Id of the affair.")],
    *,
    login: _As,
    papers: Annotated[Path | None, typer.Option(help="Folder to write its papers and picture into, by SM3.")] = None,
) -> None:
    """Show an affair whole: read it before you decide, and name its hash when you do."""
    with services(configuration.load()) as service:
        principal = proved(service, login)
        found = service.affairs.find(affair, principal)
        for key in sorted(found.objects) if papers else ():
            with (Path(papers or ".") / key).open("xb") as target:
                target.write(service.affairs.paper(affair, key, principal))
        Console().print_json(found.payload)
        for paper in found.papers:
            Console().print(f"paper   {shown(paper.kind)} {paper.object_key}", highlight=False, soft_wrap=True)
        _show(service, found)


@_COMMAND.command("decide")
def decide(
    affair: Annotated[str, typer.Argument(help="Id of the affair.")],
    verdict: Annotated[Verdict, typer.Argument(help="Your word.")],
    *,
    login: _As,
    sm3: Annotated[str, typer.Option(help="The hash that `show` gave: what you decide about.")],
    note: Annotated[str, typer.Option(help="What you want kept with it.")] = "",
) -> None:
    """Review, approve, reject or withdraw an affair; the approval that was missing carries it out at once."""
    with services(configuration.load()) as service:
        principal = proved(service, login)
        _show(service, service.affairs.decide(affair, verdict, principal, payload_sm3=sm3, note=note))


@_COMMAND.command("keys-destroyed")
def keys_destroyed(
    affair: Annotated[str, typer.Argument(help="Id of the affair that destroyed a seal.")], *, login: _As
) -> None:
    """Put on record that the keys the vault could not destroy were destroyed by hand."""
    with services(configuration.load()) as service:
        for key in service.affairs.keys_destroyed_by_hand(affair, proved(service, login)):
            Console().print(f"[green]✓[/] {key}", highlight=False)


def proved(service: Service, login: str) -> Principal:
    """Give the officer who knows the password of ``login``: the account is not taken at its word."""
    typed = Prompt.ask(f"Password of {login}", password=True) if sys.stdin.isatty() else sys.stdin.readline()
    with service.database.read() as conn:
        found = people.by_login(conn, normal_login(login)) if login.isprintable() else None
    right = Passwords().check(found.password_hash if found else None, typed.rstrip("\n"))
    if found is None or not right or not found.person.active:
        raise Unauthenticated("There is no such person with this password.")
    return service.officers.principal(found.person.id)


def _pair(text: str, option: str) -> tuple[str, str]:
    name, given, value = text.partition("=")
    if not given or not name or not value:
        raise typer.BadParameter(f"{option} takes NAME=VALUE")
    return name, value


def _part(text: str) -> dict[str, str]:
    key, file = _pair(text, "--key and --maker")
    return {"key": key, "certificates": Path(file).read_text("ascii", "replace")}


def _papers(service: Service, given: list[str] | None) -> tuple[Paper, ...]:
    pairs = (_pair(each, "--paper") for each in given or ())
    return tuple(_kept(service, kind, Path(file)) for kind, file in pairs)


def _kept(service: Service, kind: str, file: Path) -> Paper:
    return Paper(kind=kind, object_key=service.affairs.keep(file.read_bytes()))


def _show(service: Service, affair: Affair) -> None:
    console = Console()
    rows = {
        "affair": affair.id,
        "action": f"{affair.action.value} {affair.seal}",
        "reason": affair.reason,
        "legal": affair.legal_basis,
        "by": affair.proposed_by,
        "until": affair.expires_at.isoformat(timespec="seconds"),
        "stands": service.affairs.standing(affair).value,
        "sm3": affair.payload_sm3,
        "outcome": affair.outcome or "",
    }
    for name, value in rows.items():
        if value:
            console.print(f"{name:8}{shown(value)}", highlight=False, soft_wrap=True)
    for each in affair.decisions:
        console.print(f"{each.verdict.value:8}{each.by} {shown(each.note)}", highlight=False, soft_wrap=True)
