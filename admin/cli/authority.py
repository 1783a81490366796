"""`xinyin ca`: founding certification authorities, and having them issue, revoke and publish."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.prompt import Prompt

from admin import settings as configuration
from admin.build import Home, Service, services
from admin.cli.terminal import shown
from crypto.certificate import pem_bodies
from crypto.crl import RevocationList
from crypto.errors import CertificateError
from crypto.revoked import RevocationReason
from crypto.suites import KeyKind
from crypto.vaults.files import make_folder, write_once
from crypto.vaults.soft import SoftVault
from crypto.x509 import Certificate, name, parse_csr
from seal.pki.authorities import Authorities
from seal.pki.ca import Authority
from seal.pki.errors import UnknownAuthority
from seal.pki.founding import TWINS
from seal.pki.outside import Purpose
from seal.pki.policy import INTERMEDIATE, POLICIES, RESPONDER, SEAL_SIGNER

OPERATOR = "operator"
_LARGEST = 1024 * 1024
_PEM = b"-----BEGIN"
_REASONS = tuple(
    each.name.lower()
    for each in RevocationReason
    if each not in (RevocationReason.CERTIFICATE_HOLD, RevocationReason.REMOVE_FROM_CRL)
)
_POLICIES = tuple(each for each in POLICIES if each not in (INTERMEDIATE.name, RESPONDER.name))


class For(StrEnum):
    """What a certificate is asked for elsewhere."""

    AUTHORITY = "authority"
    SEAL = "seal"
    TSA = "tsa"


class Kind(StrEnum):
    """The suites there is an authority of."""

    SM2 = "sm2"
    P256 = "p256"


ca_commands = typer.Typer(
    no_args_is_help=True,
    help="Certification authorities: an offline root, and below it what issues every day.\n\n"
    "Begin with [bold]xinyin ca found[/], or with [bold]xinyin ca request --for authority[/] where a licensed "
    "authority stands above. Then [bold]issue[/], [bold]revoke[/], [bold]publish[/]. A running service offers "
    "certificates, lists, OCSP and time-stamps under /pki, and publishes lists by itself.",
)
Root = Annotated[
    Path | None, typer.Option(help="Folder of the offline root: act as the root, not as the authority below it.")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(ca_commands, name="ca")


@contextmanager
def _opened() -> Iterator[tuple[Service, Authorities]]:
    with services(configuration.load()) as service:
        service.authorities.keep()
        yield service, service.authorities


@ca_commands.command("found")
def found(
    *,
    root: Annotated[Path, typer.Option(help="Folder for the roots and their keys: on a medium that goes into a safe.")],
    organisation: Annotated[str, typer.Option(help="Whose authority it is; stands in every certificate.")],
) -> None:
    """Found a root and an authority below it, for SM2 and for P-256.

    The root gets a folder, a vault and a passphrase of its own (asked for, or read from standard input). The
    authorities below it live in this data folder. Afterwards take the root's folder away: it is needed once a year,
    for `xinyin ca publish --root`, and when an authority must be revoked. Cut off, run it again: it goes on.
    """
    with services(configuration.load()) as service:
        if root.resolve().is_relative_to(service.settings.home.resolve()):
            raise typer.BadParameter("--root lies in the data folder: every copy of it would hold the root's key")
        vault = _root_vault(root, new=not (root / "vault" / "vault.json").exists())
        try:
            service.authorities.found(root, vault, organisation)
        except FileExistsError as error:
            raise typer.BadParameter("this data folder has its authorities already: see `xinyin ca list`") from error
        service.authorities.trusted_in(Home(root=service.settings.home).trust)
        _show_authorities(service.authorities)
    _say(f"The roots are trusted from now on. Take {root} away and keep it safe; restart the service to offer /pki.")


@ca_commands.command("list")
def list_all(
    *, certificates: Annotated[bool, typer.Option("--certificates", help="Every certificate issued, too.")] = False
) -> None:
    """Show the authorities: until when they, their lists and their officers last."""
    with _opened() as (_, authorities):
        _show_authorities(authorities)
        for asked in authorities.outside.all():
            state = f"until {_day(asked.path[0].not_after)}" if asked.path else "waits for its certificate"
            _say(f"outside  {asked.id}  {asked.purpose.value} {asked.suite.name}, {state}", mark=False)
        for kind in authorities.names if certificates else ():
            for each in sorted(authorities.get(kind).ledger.certificates(), key=lambda each: each.not_before):
                _show_certificate(authorities, kind, each)


@ca_commands.command("issue")
def issue(
    *,
    csr: Annotated[Path, typer.Option(help="The applicant's request (PKCS#10, PEM or DER).")],
    policy: Annotated[str, typer.Option(help=f"What kind of certificate: {', '.join(_POLICIES)}.")],
    out: Annotated[Path, typer.Option(help="Where to write the certificate and its issuers (PEM); must not exist.")],
    pair: Annotated[
        bool, typer.Option("--pair", help="An encryption certificate too; its key is made in our vault.")
    ] = False,
    encryption_csr: Annotated[
        Path | None, typer.Option(help="With --pair: the applicant's own request for the encryption key.")
    ] = None,
) -> None:
    """Issue a certificate for a request, after you made sure that its subject is who it says.

    A seal's certificate is of the kind `signer`: its subject is the seal's number, the organisation, and the
    organisation's unified social credit code. The authority is chosen by the kind of the request's key.
    """
    if policy not in _POLICIES:
        raise typer.BadParameter(f"--policy is one of {', '.join(_POLICIES)}")
    if encryption_csr is not None and not pair:
        raise typer.BadParameter("--encryption-csr goes with --pair")
    if pair and policy != SEAL_SIGNER.name:
        raise typer.BadParameter(f"--pair goes with --policy {SEAL_SIGNER.name}")
    _must_be_new(out)
    request = _read(csr, "CERTIFICATE REQUEST")
    with _opened() as (service, authorities):
        kind = parse_csr(request).public_key.kind.value
        authority = authorities.get(kind)
        if pair:
            other = service.vault if encryption_csr is None else _read(encryption_csr, "CERTIFICATE REQUEST")
            made = authority.issue_pair(request, encryption=other, by=OPERATOR)
            issued: tuple[Certificate, ...] = (made.signing, made.encryption)
        else:
            issued = (authority.issue(request, POLICIES[policy], by=OPERATOR),)
        _write(out, (*issued, *authority.path))
        for each in issued:
            _show_certificate(authorities, kind, each)


@ca_commands.command("revoke")
def revoke(
    serial: Annotated[str, typer.Argument(help="Serial in hexadecimal, as `list` and `issue` show it.")],
    *,
    reason: Annotated[str, typer.Option(help=f"One of {', '.join(_REASONS)}.")],
    why: Annotated[str, typer.Option(help="Why, in words; stands in the ledger and the audit log, not in the list.")],
    since: Annotated[str | None, typer.Option(help="Since when the key is not to be believed, as ISO 8601.")] = None,
    root: Root = None,
) -> None:
    """Revoke a certificate for good, and publish the list that says so.

    There is no hold: to stop a seal for a while, suspend the seal.
    """
    if reason not in _REASONS:
        raise typer.BadParameter(f"--reason is one of {', '.join(_REASONS)}")
    number, moment = _serial(serial), _moment(since)
    with _opened() as (_, authorities):
        authority = _acting(authorities, number, root)
        revoked = authority.revoke(number, RevocationReason[reason.upper()], by=OPERATOR, why=why, invalid_since=moment)
        made = _published(authorities, authority, root)
        authorities.keep()  # Was it an officer's, a successor follows now.
    _say(f"{serial} revoked at {revoked.at.isoformat()}, list {made.number}")


@ca_commands.command("publish")
def publish(root: Root = None) -> None:
    """Publish revocation lists now; with --root the root's, which no running service can.

    A running service publishes its authorities' lists by itself, long before the last one ends.
    """
    with _opened() as (_, authorities):
        vault = None if root is None else _root_vault(root, new=False)
        for kind in authorities.names:
            acting = authorities.get(kind) if root is None or vault is None else authorities.root(root, vault, kind)
            made = _published(authorities, acting, root)
            _say(f"{'root-' if root else ''}{kind} list {made.number}, {len(made)} revoked, until {_next(made)}")
    if not authorities.names:
        raise typer.BadParameter("there is no authority here: see `xinyin ca found`")


@ca_commands.command("status")
def status(
    serial: Annotated[str, typer.Argument(help="Serial in hexadecimal.")],
    *,
    out: Annotated[Path | None, typer.Option(help="Write the certificate and its issuers there (PEM).")] = None,
) -> None:
    """Show a certificate that was issued here, and where it stands; exit code 1 if it is revoked."""
    number = _serial(serial)
    if out is not None:
        _must_be_new(out)
    with _opened() as (_, authorities):
        kind = authorities.having(number)
        certificate = None if kind is None else authorities.get(kind).ledger.certificate(number)
        if kind is None or certificate is None:
            raise typer.BadParameter("no certificate of this serial was issued here")
        _show_certificate(authorities, kind, certificate)
        paired = authorities.get(kind).ledger.paired(number)
        if paired is not None:
            _say(f"         paired with {paired[0]:x}, to encrypt to", mark=False)
        if out is not None:
            _write(out, (certificate, *authorities.get(kind).path))
        revoked = authorities.get(kind).ledger.revoked(number)
    raise typer.Exit(0 if revoked is None else 1)


@ca_commands.command("request")
def request(  # noqa: PLR0913 - one option each
    *,
    purpose: Annotated[For, typer.Option("--for", help="Who needs a certificate from outside.")],
    suite: Annotated[Kind, typer.Option(help="Kind of key.")] = Kind.SM2,
    common_name: Annotated[str, typer.Option("--name", help="Common name; a seal's is its number.")],
    organisation: Annotated[str, typer.Option(help="Organisation.")],
    organisation_id: Annotated[str | None, typer.Option(help="Its unified social credit code.")] = None,
    out: Annotated[Path, typer.Option(help="Where to write the request (PEM); must not exist.")],
) -> None:
    """Make a key in the vault and a request for it, to be sent to a licensed authority.

    What comes back goes into `xinyin ca install`.
    """
    _must_be_new(out)
    subject = name(common_name, organisation, organisation_id)
    chosen = next(each for each in TWINS if each.key is KeyKind(suite.value))
    with services(configuration.load()) as service:
        if purpose is For.AUTHORITY:
            try:
                csr = service.authorities.begin(chosen, subject).csr
            except FileExistsError as error:
                raise typer.BadParameter("there is an authority of this kind: see `xinyin ca list`") from error
        else:
            csr = service.authorities.outside.ask(Purpose(purpose.value), chosen, subject, by=OPERATOR).csr
    write_once(out, parse_csr(csr).pem().encode())
    _say(f"{out}  send it to the authority, then `xinyin ca install` what comes back")


@ca_commands.command("install")
def install(
    file: Annotated[Path, typer.Argument(help="The certificate, then its issuers up to the root (PEM or DER).")],
    *,
    issuers: Annotated[
        Path | None, typer.Option(help="The issuers, nearest first, if they are in a file apart.")
    ] = None,
    crl: Annotated[Path | None, typer.Option(help="For an authority: the newest list of whoever certified it.")] = None,
) -> None:
    """Install a certificate that was asked for with `request`; whose it is, its key tells."""
    path = (*_certificates(file), *(_certificates(issuers) if issuers else ()))
    given = None if crl is None else RevocationList.from_der(_read(crl, "X509 CRL"))
    with services(configuration.load()) as service:
        whose = service.authorities.install(path, by=OPERATOR)
        if given is not None:
            service.authorities.get(path[0].public_key.kind.value).take_list_above(given)
    _say(f"installed for {whose}; put the root into the trust folder if you trust it, and restart the service")


# --- what the commands share -------------------------------------------------------------------------------------


def _root_vault(root: Path, *, new: bool) -> SoftVault:
    phrase = _ask("Passphrase of the root's vault")
    if not new:
        return SoftVault.open(root / "vault", phrase)
    if sys.stdin.isatty() and _ask("Once more") != phrase:
        raise typer.BadParameter("the two passphrases differ")
    make_folder(root)
    return SoftVault.create(root / "vault", phrase)


def _ask(what: str) -> str:
    return Prompt.ask(what, password=True) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")


def _acting(authorities: Authorities, serial: int, root: Path | None) -> Authority:
    if root is not None:
        vault = _root_vault(root, new=False)
        roots = [authorities.root(root, vault, kind) for kind in authorities.names]
        acting = next((each for each in roots if each.ledger.issued(serial)), None)
    else:
        kind = authorities.having(serial)
        acting = None if kind is None else authorities.get(kind)
    if acting is None:
        raise typer.BadParameter("no certificate of this serial was issued there")
    return acting


def _published(authorities: Authorities, authority: Authority, root: Path | None) -> RevocationList:
    return authority.publish(by=OPERATOR) if root is None else authorities.publish_root(authority, by=OPERATOR)


def _show_authorities(authorities: Authorities) -> None:
    if not authorities.names:
        _say("There is no authority here yet: `xinyin ca found --help` tells how one is made.", mark=False)
    for label, path in authorities.paths():
        _say(f"{label:<10} {path[0].subject_text}, until {_day(path[0].not_after)}", mark=False)
        try:
            made = authorities.list_of(label)
            _say(f"           list {made.number}, {len(made)} revoked, until {_next(made)}", mark=False)
        except UnknownAuthority:
            _say("           no list of it is here", mark=False)


def _show_certificate(authorities: Authorities, kind: str, certificate: Certificate) -> None:
    revoked = authorities.get(kind).ledger.revoked(certificate.serial)
    state = "good" if revoked is None else f"revoked {_day(revoked.at)} ({revoked.reason.name.lower()})"
    _say(f"{certificate.serial:x}  {kind}  {certificate.subject_text}  until {_day(certificate.not_after)}  {state}")


def _certificates(file: Path) -> tuple[Certificate, ...]:
    octets = _octets(file)
    bodies = pem_bodies(octets, "CERTIFICATE") if _PEM in octets else [octets]
    if not bodies:
        raise CertificateError(f"{file} holds no certificate")
    return tuple(Certificate.from_der(body) for body in bodies)


def _read(file: Path, label: str) -> bytes:
    octets = _octets(file)
    if _PEM not in octets:
        return octets
    bodies = [*pem_bodies(octets, label), *pem_bodies(octets, f"NEW {label}")]
    if not bodies:
        raise CertificateError(f"{file} holds no {label.lower()}")
    return bodies[0]


def _octets(file: Path) -> bytes:
    with file.open("rb") as source:
        octets = source.read(_LARGEST + 1)
    if len(octets) > _LARGEST:
        raise typer.BadParameter(f"{file} is larger than any such file")
    return octets


def _write(out: Path, path: tuple[Certificate, ...]) -> None:
    write_once(out, "".join(each.pem() for each in path).encode())


def _must_be_new(out: Path) -> None:
    # Asked before anything is done: what is issued stays issued, whether or not it can be written there.
    if out.exists():
        raise typer.BadParameter(f"{out} exists already")
    if not out.parent.is_dir():
        raise typer.BadParameter(f"{out.parent} is not a folder")


def _serial(text: str) -> int:
    try:
        return int(text, 16)
    except ValueError:
        raise typer.BadParameter("a serial is a hexadecimal number") from None


def _moment(text: str | None) -> datetime | None:
    try:
        moment = None if text is None else datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter("--since takes a time such as 2026-11-20T08:00:00Z") from None
    if moment is not None and moment.tzinfo is None:
        raise typer.BadParameter("--since names its zone, such as the Z of 2026-11-20T08:00:00Z")
    return moment


def _next(made: RevocationList) -> str:
    return "-" if made.next_update is None else _day(made.next_update)


def _day(at: datetime) -> str:
    return at.date().isoformat()


def _say(text: str, *, mark: bool = True) -> None:
    plain = shown(text)
    Console().print(f"[green]✓[/] {plain}" if mark else plain, highlight=False, soft_wrap=True)
