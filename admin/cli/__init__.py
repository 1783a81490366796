"""The command line: `xinyin`, one file a command family."""

import sys

import typer

from admin.cli import bench, demo, doctor, documents, people, serving
from admin.settings import SettingsRefused
from crypto.errors import CryptoError
from kernel.errors import Refusal

USAGE = 64

app = typer.Typer(
    name="xinyin",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="信印 Xinyin: one login, e-seals and e-licences for government services.\n\n"
    "Start with [bold]xinyin demo[/]: the whole story on this machine. "
    "Then [bold]xinyin dev[/]: a service to try things on.",
)
for family in (demo, serving, documents, people, doctor, bench):
    family.register(app)


def main() -> None:
    """Run the command line; a refusal is one sentence on the error stream and exit code 64."""
    try:
        app(prog_name="xinyin")
    except (SettingsRefused, CryptoError, Refusal) as refused:
        code = getattr(refused, "code", "settings")
        sys.stderr.write(f"xinyin: {refused} [{code}]\n")
        raise SystemExit(USAGE) from None
