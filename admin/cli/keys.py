"""`xinyin key`: the keys of this installation, made, shown, proved and changed."""

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track
from rich.prompt import Prompt
from rich.table import Table

from admin import key_events, vaulting
from admin import settings as configuration
from admin.build import Service, services
from admin.cli.terminal import print_table
from admin.key_health import KeyUse, failure, keys_in_use, keys_spoken_for
from admin.settings import SettingsRefused
from crypto.encryption_keys import DecryptingVault
from crypto.key_sets import Stage
from crypto.keys import KeyId
from crypto.names import name as subject_name
from crypto.suites import ES256, SM2_SM3, SUITES, Suite
from crypto.vaults.errors import UnknownKey, VaultDamaged, VaultExposed, WrongPurpose
from crypto.vaults.soft import Secret

commands = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="The keys of this installation. They are in the vault that XINYIN_VAULT names and never leave it.\n\n"
    "Look: [bold]list[/], [bold]check[/], [bold]export[/]. "
    "For a certificate: [bold]new --csr[/], or [bold]csr[/] for a key that is there.\n\n"
    "Every year or so: [bold]token-next[/], an hour later [bold]token-switch[/], a quarter of an hour after that "
    "[bold]token-retire[/]. Nobody is signed out by it.\n\n"
    "Somebody who knew the passphrase has left: [bold]change-passphrase[/], then [bold]rotate[/].",
)

Key = Annotated[str, typer.Argument(help="A key's id, as `xinyin key list` shows it.")]
CommonName = Annotated[str | None, typer.Option("--cn", help="Common name: whom or what the certificate is for.")]
Organisation = Annotated[str | None, typer.Option("--org", help="Name of the organisation.")]
OrganisationId = Annotated[str | None, typer.Option("--org-id", help="Its unified social credit code.")]
Country = Annotated[str, typer.Option("--country", help="Two letters.")]
Out = Annotated[Path | None, typer.Option("--out", help="A new file for the PEM; without it, standard output.")]
Reason = Annotated[str | None, typer.Option("--reason", help="Why: it stands in the audit log.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(commands, name="key")


# --- looking ---


@commands.command("list")
def show(*, as_json: Annotated[bool, typer.Option("--json", help="One JSON object for machines.")] = False) -> None:
    """List every key: its suite, when it was made if the audit log knows, and what uses it."""
    with services(configuration.load()) as service:
        rows = _rows(service)
    if as_json:
        typer.echo(json.dumps({"keys": [asdict(row) for row in rows]}, ensure_ascii=False, indent=2))
        return
    table = Table(box=None, header_style="bold")
    for heading, whole in (("key", True), ("suite", True), ("made", False), ("used for", False)):
        table.add_column(heading, no_wrap=whole, overflow="fold")
    for row in rows:
        uses = "\n".join(row.uses) or "[dim]nothing known here[/]"
        table.add_row(row.id, row.suite or "[red]not readable[/]", row.made or "[dim]not known[/]", uses)
    print_table(table)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    id: str
    suite: str | None
    made: str | None
    uses: tuple[str, ...]


def _rows(service: Service) -> list[_Row]:
    uses: dict[str, list[str]] = {}
    for use in _every_use(service):
        uses.setdefault(use.key, []).append(use.purpose)
    in_vault = service.vault.keys()
    decrypting = service.vault.encryption_keys() if isinstance(service.vault, DecryptingVault) else ()
    for key in decrypting:
        uses.setdefault(key, []).append("being encrypted to")
    return [
        _Row(id=key, suite=_suite_of(service, key), made=_made(service, key), uses=tuple(uses.get(key, ())))
        for key in (*in_vault, *(KeyId(key) for key in sorted(uses.keys() - set(in_vault))))
    ]


def _suite_of(service: Service, key: KeyId) -> str | None:
    try:
        return service.vault.suite(key).name
    except WrongPurpose:
        return SM2_SM3.name  # All that decrypts here.
    except (UnknownKey, VaultDamaged, VaultExposed):
        return None


def _every_use(service: Service) -> tuple[KeyUse, ...]:
    return keys_spoken_for(service.register, service.idp.keys, service.authorities)


def _made(service: Service, key: str) -> str | None:
    with service.database.read() as conn:
        made = (entry.at for entry in service.audit.about(conn, key) if entry.action == "key.made")
        at = next(made, None)
    return at.isoformat(timespec="seconds") if at else None


@commands.command("check")
def check() -> None:
    """Have every key in use sign something and verify it; exit code 1 if one fails.

    In use are the key of tokens, the next one, both credentials of every active seal, and the authorities' keys.
    """
    with services(configuration.load()) as service:
        uses = keys_in_use(service.register, service.idp.keys, service.authorities)
        progress = Console(stderr=True)
        asked = track(uses, "keys", console=progress, transient=True, disable=not progress.is_terminal)
        failed = [(use, why) for use in asked if (why := failure(service.vault, use)) is not None]
        if not failed:
            service.idp.keys.ring()  # Refused if none signs tokens: then it is not in the list either.
    console = Console()
    for use, why in failed:
        console.print(f"[red]✗[/] {use.key} ({use.purpose}): {why}", highlight=False, soft_wrap=True)
    if not failed:
        console.print(f"[green]✓[/] {len(uses)} keys in use sign, and their signatures verify", highlight=False)
    raise typer.Exit(1 if failed else 0)


@commands.command("export")
def export(key: Key, *, out: Out = None) -> None:
    """Give a key's public half as PEM. The private half is never given out."""
    with services(configuration.load()) as service:
        pem = service.vault.public_key(KeyId(key)).pem()
    _give(pem, out)


# --- making ---


def _suite(text: str) -> Suite:
    chosen = next((suite for suite in SUITES.values() if suite.name.lower() == text.lower()), None)
    if chosen is None:
        raise typer.BadParameter(f"--suite is one of {', '.join(SUITES)}")
    return chosen


@commands.command("new")
def new(  # noqa: PLR0913 - the parts of a subject
    *,
    suite: Annotated[str, typer.Option(help=f"What it signs with: {', '.join(SUITES)}.")],
    csr: Annotated[bool, typer.Option("--csr", help="Also write a certification request; needs --cn.")] = False,
    cn: CommonName = None,
    org: Organisation = None,
    org_id: OrganisationId = None,
    country: Country = "CN",
    out: Out = None,
) -> None:
    """Make a key in the vault and print its id; with --csr the request as PEM, and the id on the error stream.

    An e-seal needs an SM2-SM3 key and, to seal PDF files for everybody's reader, an ES256 or RS256 one.
    """
    chosen = _suite(suite)
    if (cn or org or org_id or out) and not csr:
        raise typer.BadParameter("--cn, --org, --org-id and --out go with --csr")
    subject = _subject(cn, org, org_id, country) if csr else b""
    with services(configuration.load()) as service:
        key = key_events.make_key(service, chosen)
        typer.echo(key, err=csr)
        if csr:
            _give(key_events.request_certificate(service, key, subject), out)


@commands.command("csr")
def request(  # noqa: PLR0913, PLR0917 - the parts of a subject
    key: Key,
    cn: CommonName = None,
    org: Organisation = None,
    org_id: OrganisationId = None,
    country: Country = "CN",
    out: Out = None,
) -> None:
    """Write a certification request (PKCS #10, PEM) for a key, to be sent to a certificate authority."""
    subject = _subject(cn, org, org_id, country)
    with services(configuration.load()) as service:
        pem = key_events.request_certificate(service, KeyId(key), subject)
    _give(pem, out)


def _subject(cn: str | None, org: str | None, org_id: str | None, country: str) -> bytes:
    if not cn:
        raise typer.BadParameter("--cn is missing: whom or what is the certificate for?")
    return subject_name(cn, org, org_id, country)


def _give(pem: str, out: Path | None) -> None:
    if out is None:
        typer.echo(pem, nl=False)
        return
    with out.open("x", encoding="ascii") as file:
        file.write(pem)


# --- closing ---


@commands.command("change-passphrase")
def change_passphrase(
    *,
    from_env: Annotated[str | None, typer.Option(help="Name of the variable that holds the new passphrase.")] = None,
    key_file: Annotated[
        Path | None, typer.Option(help="Close the vault with this key file instead: 32 random octets.")
    ] = None,
) -> None:
    """Close the vault's key files with another passphrase or a key file; the old one opens them no more.

    It is asked for twice, or read from standard input when that is no terminal; never given as an argument, where
    every user of the machine could see it. Running processes go on: give them the new one before they start again.
    """
    if from_env and key_file:
        raise typer.BadParameter("give --from-env or --key-file, not both")
    with services(configuration.load()) as service:
        vaulting.files_of(service.vault)
        secret = _new_secret(from_env, key_file)
        phrase = secret if isinstance(secret, str) else ""
        configuration.require_new_secret(service.settings, passphrase=phrase, key_file=str(key_file or ""))
        key_events.change_secret(service, secret)
    setting = "XINYIN_VAULT_KEY_FILE" if key_file else "XINYIN_VAULT_PASSPHRASE"
    console = Console()
    console.print(f"[green]✓[/] Changed. Set {setting} accordingly before anything starts again.", soft_wrap=True)
    console.print("  If others know the old one: `xinyin key rotate`, for an old vault.json still opens with it.")


def _new_secret(from_env: str | None, key_file: Path | None) -> Secret:
    if key_file is not None:
        return vaulting.key_file(str(key_file), setting="--key-file")
    if from_env is not None:
        return configuration.variable(from_env).get_secret_value()
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    first = Prompt.ask("New passphrase", password=True)
    if Prompt.ask("Once more", password=True) != first:
        raise SettingsRefused("The two passphrases differ: nothing was changed.")
    return first


@commands.command("rotate")
def rotate() -> None:
    """Seal every key file under a new vault key. The keys stay what they are; cut off, it is begun again safely."""
    with services(configuration.load()) as service:
        changed = key_events.rotate_vault(service)
    Console().print(f"[green]✓[/] {changed} key files are sealed under a new vault key", highlight=False)


# --- keys of tokens ---


@commands.command("token-next")
def token_next(
    *,
    suite: Annotated[str, typer.Option(help="ES256 unless every relying party takes another.")] = ES256.name,
    key: Annotated[str | None, typer.Option(help="A key of the vault, instead of a new one.")] = None,
) -> None:
    """Publish the key that signs tokens next. Relying parties keep the key set for an hour: then `token-switch`."""
    with services(configuration.load()) as service:
        if any(row.stage is Stage.NEXT for row in service.idp.keys.rows()):
            raise SettingsRefused("A next key is published already: `xinyin key token-switch` lets it sign.")
        if key and any(use.key == key for use in _every_use(service)):
            raise SettingsRefused(f"{key} is in use for something else: each key has one purpose.")
        chosen = KeyId(key) if key else key_events.make_key(service, _suite(suite))
        made = service.idp.keys.announce(chosen)
    Console().print(f"[green]✓[/] {made.kid} is published next to the active key", highlight=False, soft_wrap=True)


@commands.command("token-switch")
def token_switch(
    *,
    now: Annotated[bool, typer.Option("--now", help="Do not wait for caches: some logins fail for an hour.")] = False,
    reason: Reason = None,
) -> None:
    """Let the next key sign tokens and retire the active one; every process follows within two seconds.

    Refused until an hour after `token-next`, because whoever keeps the older key set cannot check new tokens.
    """
    with services(configuration.load()) as service:
        keys = service.idp.keys.switch(early=_because(now=now, reason=reason))
    Console().print(f"[green]✓[/] {keys.active.kid} signs tokens now", highlight=False, soft_wrap=True)


@commands.command("token-retire")
def token_retire(
    kid: Annotated[str | None, typer.Argument(help="With --now: the retired or next key that is not safe.")] = None,
    *,
    now: Annotated[bool, typer.Option("--now", help="Believe KID no more at once: its tokens die.")] = False,
    reason: Reason = None,
) -> None:
    """Publish retired keys no more, once their last token has expired; with KID, --now and --reason one at once."""
    why = _because(now=now, reason=reason)
    if (kid is None) is not (why is None):
        raise typer.BadParameter("a KID goes with --now and --reason, and they with a KID")
    with services(configuration.load()) as service:
        if kid is not None and why is not None:
            service.idp.keys.withdraw(kid, reason=why)
            gone: tuple[str, ...] = (kid,)
        else:
            gone = service.idp.keys.remove_outlived()
    console = Console()
    for one in gone:
        console.print(f"[green]✓[/] {one} is published and believed no more", highlight=False, soft_wrap=True)
    if not gone:
        console.print("No key has been retired for long enough: its tokens may still be about.")


def _because(*, now: bool, reason: str | None) -> str | None:
    if now is not bool(reason):
        raise typer.BadParameter("--now needs a --reason, and a reason is only needed with --now")
    return reason
