"""The command line: `xinyin`, one file a command family."""

import errno
import sys
import traceback
from typing import NoReturn

import typer
from sqlalchemy.exc import OperationalError
from typer.exceptions import TyperException

from admin.cli import (
    affairs,
    artwork,
    authority,
    bench,
    demo,
    docking,
    doctor,
    documents,
    keys,
    people,
    preview,
    renewing,
    seals,
    serving,
    trust,
    webhooks,
)
from admin.settings import SettingsRefused
from crypto.errors import CryptoError
from kernel.errors import Refusal

USAGE, BUG = 64, 70
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})

app = typer.Typer(
    name="xinyin",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="信印 Xinyin: one login, e-seals and e-licences for government services.\n\n"
    "Start with [bold]xinyin demo[/]: the whole story on this machine. "
    "Then [bold]xinyin dev[/]: a service to try things on.",
)
_FAMILIES = (
    demo,
    serving,
    documents,
    seals,
    renewing,
    preview,
    artwork,
    people,
    affairs,
    authority,
    trust,
    docking,
    webhooks,
    keys,
    doctor,
    bench,
)
for family in _FAMILIES:
    family.register(app)


def main() -> None:
    """Run the command line; a refusal is one sentence on the error stream and exit code 64, a bug a trace and 70.

    Neither is 1, 2 or 3: with these `verify` speaks of the file.
    """
    try:
        # Not standalone: alone it ends a wrong usage with 2, which `verify` keeps for "cannot be decided".
        ended = app(prog_name="xinyin", standalone_mode=False)
    except (SettingsRefused, CryptoError, Refusal) as refused:
        _refuse(str(refused), getattr(refused, "code", "settings"))
    except TyperException as misused:
        said = misused.format_message().replace("Value error, ", "").rstrip(".")
        if not said:  # called without arguments, and the help has been shown
            raise SystemExit(USAGE) from None
        _refuse(f"{said}. Try --help.", "usage")
    except typer.Abort:
        _refuse("Given up.", "aborted")
    except OperationalError as error:
        # Of the driver's words only the first line: what follows may repeat a statement.
        _refuse(f"The database does not answer: {str(error.orig).partition(chr(10))[0]}", "database_unavailable")
    except OSError as error:
        _blame_file(error)
    except Exception:  # noqa: BLE001 - the process's edge
        _fail()
    else:
        raise SystemExit(ended if isinstance(ended, int) else 0)


def _blame_file(error: OSError) -> NoReturn:
    if error.filename is not None:
        _refuse(f"{error.filename}: {error.strerror}", "file")
    if error.errno in _FULL:
        _refuse(f"{error.strerror}: what was being written is not whole.", "file")
    _fail()


def _fail() -> NoReturn:
    traceback.print_exc()
    raise SystemExit(BUG) from None


def _refuse(sentence: str, code: str) -> NoReturn:
    sys.stderr.write(f"xinyin: {sentence} [{code}]\n")
    raise SystemExit(USAGE) from None
