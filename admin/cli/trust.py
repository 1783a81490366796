"""`xinyin trust`: whom this service believes, and what it knows of revocations."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from admin import settings as configuration
from admin.build import Home, Service, operator, services
from crypto.crl import MAX_CRL
from crypto.errors import CertificateError
from crypto.names import name_text
from crypto.vaults.files import make_folder, write_once
from crypto.x509 import Certificate
from kernel.audit import Fact
from seal.trust.files import LIST_FILE
from seal.trust.model import CERTIFICATE_FILES, INTERMEDIATES, read_certificates
from seal.trust.refresh import Outcome, State

commands = typer.Typer(no_args_is_help=True, help="Authorities that are trusted, and facts about revocation.")
_SHORTEST = 8
"""Characters of a fingerprint that name a certificate."""
_MARKS = {State.STORED: "[green]✓[/]", State.UNCHANGED: "[dim]=[/]", State.FAILED: "[red]✗[/]"}


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(commands, name="trust")


@commands.command("list")
def list_trust() -> None:
    """List the trusted certificates with their fingerprints (SM3), and the facts about revocation at hand."""
    console = Console()
    with services(configuration.load()) as service:
        trust, now = service.trust(), service.clock.now()
    for kind, certificates in (("anchor", trust.anchors), ("intermediate", trust.intermediates)):
        for each in certificates:
            _say(console, f"{kind:<13} {each.fingerprint[:16]}  {each.subject_text}  until {each.not_after:%Y-%m-%d}")
    for known in sorted(trust.facts.crls, key=lambda one: one.this_update):
        until = "" if known.next_update is None else f" until {known.next_update.isoformat()}"
        over = "" if known.next_update is None or known.next_update >= now else "  over"
        which = f"{known.number or '-'} of {known.this_update.isoformat()}{until}{over}"
        _say(console, f"list          {which}  {name_text(known.issuer)}")
    for answer in trust.facts.answers:
        for said in answer.answers:
            time = said.this_update.isoformat()
            _say(console, f"answer        {said.status.value} of {time}  serial {said.cert_id.serial:x}")
    for why in trust.facts.unread:
        _say(console, f"not read      {why}")


@commands.command("add")
def add(
    file: Annotated[Path, typer.Argument(help="Certificates (PEM or DER), or a revocation list (.crl).")],
    *,
    intermediate: Annotated[
        bool, typer.Option("--intermediate", help="Help with paths; do not trust by itself.")
    ] = False,
) -> None:
    """Trust the certificates of a file, or keep a revocation list that was brought by hand."""
    with services(configuration.load()) as service:
        if file.suffix.lower() == LIST_FILE:
            with file.open("rb") as source:
                outcome = service.refresher.take_list(source.read(2 * MAX_CRL))  # as PEM a list is a third longer
            _record(service, (outcome,))
            _tell(Console(), outcome)
            raise typer.Exit(1 if outcome.state is State.FAILED else 0)
        try:
            certificates = read_certificates(file)
        except CertificateError as error:
            raise typer.BadParameter(str(error)) from error
        folder = _folder(service) / INTERMEDIATES if intermediate else _folder(service)
        for each in certificates:
            _add(service, folder, each, role="intermediate" if intermediate else "anchor")


def _add(service: Service, folder: Path, certificate: Certificate, *, role: str) -> None:
    make_folder(folder)
    path = folder / f"{certificate.fingerprint[:32]}.pem"
    if path.exists() or any(certificate in found for _, found in _files(folder)):
        _say(Console(), f"= {certificate.subject_text} is there already")
        return
    # The entry first: a crash in between leaves word of a trust that was not given, never a trust without word.
    _audit(service, "trust.added", certificate.fingerprint, {"role": role, "subject": certificate.subject_text[:200]})
    write_once(path, certificate.pem().encode())
    _say(Console(), f"✓ {role} {certificate.fingerprint[:16]}  {certificate.subject_text}")


@commands.command("remove")
def remove(
    fingerprint: Annotated[str, typer.Argument(help="The first characters (8 or more) of its fingerprint.")],
) -> None:
    """Trust a certificate no longer; what it vouched for cannot be confirmed from then on."""
    if len(fingerprint) < _SHORTEST:
        raise typer.BadParameter(f"give at least {_SHORTEST} characters of the fingerprint")
    with services(configuration.load()) as service:
        folder = _folder(service)
        found = [
            (path, each, certificates)
            for place in (folder, folder / INTERMEDIATES)
            for path, certificates in _files(place)
            for each in certificates
            if each.fingerprint.startswith(fingerprint.lower())
        ]
        if not found:
            raise typer.BadParameter("no trusted certificate has this fingerprint: see `xinyin trust list`")
        if len({each for _, each, _ in found}) > 1:
            raise typer.BadParameter("several certificates have it: give more characters")
        for path, each, certificates in found:
            _remove(service, path, each, [one for one in certificates if one != each])


def _remove(service: Service, path: Path, certificate: Certificate, others: list[Certificate]) -> None:
    for each in others:
        # What shares its file goes on being trusted, from a file of its own.
        own = path.with_name(f"{each.fingerprint[:32]}.pem")
        if own != path and not own.exists():
            write_once(own, each.pem().encode())
    facts: dict[str, Fact] = {"file": path.name, "subject": certificate.subject_text[:200]}
    _audit(service, "trust.removed", certificate.fingerprint, facts)
    path.unlink()
    _say(Console(), f"✓ removed {certificate.fingerprint[:16]}  {certificate.subject_text}")


@commands.command("refresh")
def refresh(
    *,
    due: Annotated[bool, typer.Option("--due", help="Only what ends soon.")] = False,
) -> None:
    """Fetch revocation lists and OCSP answers of known authorities now; exit code 1 if one could not be had."""
    with services(configuration.load()) as service:
        outcomes = service.refresher.refresh(only_due=due)
        _record(service, outcomes)
    console = Console()
    for each in outcomes:
        _tell(console, each)
    if not outcomes:
        _say(console, "nothing to fetch: no known certificate names an address")
    raise typer.Exit(1 if any(each.state is State.FAILED for each in outcomes) else 0)


def _record(service: Service, outcomes: tuple[Outcome, ...]) -> None:
    for each in outcomes:
        if each.state is State.STORED:
            _audit(service, "trust.fact_stored", each.about[:200], {"url": each.url[:200], "fact": each.detail[:200]})


def _audit(service: Service, action: str, target: str, facts: dict[str, Fact]) -> None:
    with service.database.begin() as conn:
        service.audit.append(
            conn, at=service.clock.now(), actor=operator().subject, action=action, target=target, facts=facts
        )


def _folder(service: Service) -> Path:
    return Home(root=service.settings.home).trust


def _files(folder: Path) -> Iterator[tuple[Path, list[Certificate]]]:
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.suffix.lower() in CERTIFICATE_FILES and not path.name.startswith(".") and path.is_file():
            yield path, read_certificates(path)


def _tell(console: Console, outcome: Outcome) -> None:
    where = f"  {outcome.url}" if outcome.url else ""
    console.print(
        f"{_MARKS[outcome.state]} {escape(outcome.about)}: {escape(outcome.detail)}{escape(where)}",
        highlight=False,
        soft_wrap=True,
    )


def _say(console: Console, text: str) -> None:
    console.print(escape(text), highlight=False, soft_wrap=True)
