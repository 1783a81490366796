"""`xinyin doctor`: whether this machine and this data folder are fit for the service."""

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console

from admin import checkup
from admin import settings as configuration
from kernel.clock import SystemClock


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("doctor")(doctor)


def doctor(*, as_json: Annotated[bool, typer.Option("--json", help="One JSON object for machines.")] = False) -> None:
    """Check algorithms, engine, fonts, clocks, disk, permissions, trust, vault, keys and database.

    Exit code 1 if something needs mending; each failed check says what to do, and one marked ! what to do soon.
    """
    checks = checkup.examine(configuration.load(), SystemClock())
    if as_json:
        found = tuple(checks)
        held = all(check.ok for check in found)
        typer.echo(json.dumps({"ok": held, "checks": [asdict(check) for check in found]}, ensure_ascii=False, indent=2))
        raise typer.Exit(0 if held else 1)
    console = Console()
    held = True
    for check in checks:
        held &= check.ok
        mark = "[red]✗[/]" if not check.ok else "[yellow]![/]" if check.remedy else "[green]✓[/]"
        console.print(f"{mark} {check.name:<20} ", end="", highlight=False)
        console.print(check.detail, highlight=False, markup=False, soft_wrap=True)
        if check.remedy:
            console.print(f"  {'':<20} → {check.remedy}", highlight=False, markup=False, soft_wrap=True)
    raise typer.Exit(0 if held else 1)
