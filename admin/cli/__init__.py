"""The command line: `xinyin`, one file a command family, loaded when one of its commands is called."""

import errno
import sys
import traceback
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any, NoReturn

import typer
from sqlalchemy.exc import OperationalError
from typer.core import TyperGroup
from typer.exceptions import TyperException

from admin.settings import SettingsRefused
from crypto.errors import CryptoError
from kernel.errors import Refusal

USAGE, BUG = 64, 70
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})
# Each command and its family, in the order of the help.
FAMILIES: Mapping[str, str] = {
    "demo": "demo",
    "dev": "serving",
    "serve": "serving",
    "worker": "serving",
    "migrate": "serving",
    "verify": "documents",
    "renew": "renewing",
    "preview": "preview",
    "doctor": "doctor",
    "bench": "bench",
    "seal": "seals",
    "artwork": "artwork",
    "client": "people",
    "person": "people",
    "audit": "people",
    "affair": "affairs",
    "ca": "authority",
    "trust": "trust",
    "docking": "docking",
    "webhook": "webhooks",
    "key": "keys",
}


class _Commands(Mapping[str, Any]):
    """The commands by name; a family is imported when one of its commands is asked for."""

    def __getitem__(self, name: str) -> Any:
        return commands_of(FAMILIES[name])[name]

    def __iter__(self) -> Iterator[str]:
        return iter(FAMILIES)

    def __len__(self) -> int:
        return len(FAMILIES)


class _Families(TyperGroup):
    """All commands, of which a call loads the one that is called, and the help all."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        # A mapping is enough: nobody adds a command later.
        self.commands = _Commands()  # type: ignore[assignment]

    def list_commands(self, ctx: Any) -> list[str]:
        """List the names, without loading anything."""
        del ctx
        return list(self.commands)


def commands_of(family: str) -> Mapping[str, Any]:
    """Give the commands of one family."""
    alone = typer.Typer(rich_markup_mode="rich", pretty_exceptions_enable=False)
    import_module(f"admin.cli.{family}").register(alone)
    return typer.main.get_group(alone).commands


app = typer.Typer(
    name="xinyin",
    cls=_Families,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="信印 Xinyin: one login, e-seals and e-licences for government services.\n\n"
    "Start with [bold]xinyin demo[/]: the whole story on this machine. "
    "Then [bold]xinyin dev[/]: a service to try things on.",
)


@app.callback()
def _xinyin() -> None:
    pass


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
