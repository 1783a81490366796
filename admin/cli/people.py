"""`xinyin client`, `person` and `audit`: the operator's other commands."""

import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.prompt import Prompt

from admin import settings as configuration
from admin.build import services
from admin.cli import appkeys
from idp.model import Evidence, IdentityLevel
from license_store.organisation import NotAnOrganisationCode
from license_store.organisation import parse as parse_code

client_commands = typer.Typer(no_args_is_help=True, help="Portals and departments that may call this service.")
person_commands = typer.Typer(no_args_is_help=True, help="People who sign in.")
audit_commands = typer.Typer(no_args_is_help=True, help="The chain of audit entries.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    client_commands.add_typer(appkeys.commands, name="appkey")
    app.add_typer(client_commands, name="client")
    app.add_typer(person_commands, name="person")
    app.add_typer(audit_commands, name="audit")


@client_commands.command("add")
def add_client(
    name: Annotated[str, typer.Argument(help="What people see when they are asked for consent.")],
    *,
    redirect: Annotated[list[str] | None, typer.Option(help="Exact redirect URI; repeat for more.")] = None,
    post_logout: Annotated[list[str] | None, typer.Option(help="Exact address after logout; repeat for more.")] = None,
    right: Annotated[list[str] | None, typer.Option(help="A right such as seal.use:99010000000001.")] = None,
    organisation: Annotated[str | None, typer.Option(help="Unified social credit code it acts for.")] = None,
) -> None:
    """Register a client; its secret is shown once."""
    try:
        organisation = parse_code(organisation) if organisation else None
    except NotAnOrganisationCode as error:
        raise typer.BadParameter(f"--organisation: {error}") from error
    with services(configuration.load()) as service:
        made = service.registry.create_client(
            name=name,
            redirect_uris=redirect or (),
            post_logout_uris=post_logout or (),
            rights=right or (),
            organisation=organisation,
        )
    console = Console()
    console.print(f"client_id     {made.client.id}", highlight=False)
    console.print(f"client_secret {made.secret}", highlight=False, soft_wrap=True)


@person_commands.command("add")
def add_person(
    login: Annotated[str, typer.Argument(help="Login name.")],
    name: Annotated[str, typer.Argument(help="Full name.")],
    *,
    proved: Annotated[bool, typer.Option(help="Identity was proved at a counter: level 2.")] = False,
) -> None:
    """Register a natural person; the password is asked for, or read from standard input when that is no terminal."""
    password = Prompt.ask("Password", password=True) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    with services(configuration.load()) as service:
        service.registry.create_person(
            login=login,
            password=password,
            name=name,
            level=IdentityLevel.MATCHED if proved else IdentityLevel.SELF_ASSERTED,
            evidence=Evidence.COUNTER if proved else Evidence.SELF_ASSERTED,
        )
    Console().print(f"[green]✓[/] {login}")


@audit_commands.command("verify")
def verify_audit() -> None:
    """Recompute the whole chain; exit code 1 if an entry was changed, removed or put in."""
    with services(configuration.load()) as service, service.database.read() as conn:
        verdict = service.audit.verify(conn)
        head = service.audit.head(conn)
    console = Console()
    for problem in verdict.problems:
        console.print(f"[red]✗[/] {problem}", highlight=False)
    if verdict.holds:
        console.print(f"[green]✓[/] {head.seq} entries, head {head.hash}", highlight=False, soft_wrap=True)
    raise typer.Exit(0 if verdict.holds else 1)
