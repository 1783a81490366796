"""What is printed: others' words made safe, and tables that lose nothing where no terminal shows them."""

import sys

from rich.console import Console
from rich.markup import escape
from rich.table import Table

_FILE_WIDTH = 200


def shown(text: object) -> str:
    """Give a name or somebody's own words for the terminal."""
    return escape("".join(c if c.isprintable() else ascii(c)[1:-1] for c in str(text)))


def print_table(table: Table) -> None:
    """Print a table; in a file or a pipe it is as wide as it needs, so that no identifier is cut."""
    Console(width=None if sys.stdout.isatty() else _FILE_WIDTH).print(table)
