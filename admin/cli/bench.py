"""`xinyin bench`: ours and a peer in turn in the same run, as ratios."""

import ast
import importlib
import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

BENCHMARKS = (
    "sm2",
    "own_speed",
    "vaults",
    "jose",
    "cose",
    "pki",
    "certificates",
    "fields",
    "merkle",
    "pdf",
    "ofd",
    "ofdrw",
    "batch",
    "api",
    "qr",
)
_FILE_WIDTH = 150
ROOT = Path(__file__).resolve().parents[2]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("bench")(bench)


def bench(
    names: Annotated[list[str] | None, typer.Argument(help=f"Which: {', '.join(BENCHMARKS)}; all by default.")] = None,
    *,
    listed: Annotated[bool, typer.Option("--list", help="Say what each measures, and measure nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a benchmark.")] = False,
) -> None:
    """Measure against peers on this machine; needs a checkout of the project and its test tools."""
    chosen = names or list(BENCHMARKS)
    unknown = sorted(set(chosen) - set(BENCHMARKS))
    if unknown:
        raise typer.BadParameter(f"no benchmark {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    if not (ROOT / "benchmarks").is_dir():
        raise typer.BadParameter("the benchmarks are in the project's checkout, not in the installed package")
    if listed:
        _list(chosen, as_json=as_json)
        return
    sys.path.insert(0, str(ROOT))
    # Wide enough for a row on one line where output goes to a file; a terminal keeps its own width.
    console = Console(stderr=as_json, width=None if sys.stdout.isatty() else _FILE_WIDTH)
    for name in chosen:
        with console.status(f"{name} …"):
            rows = importlib.import_module(f"benchmarks.{name}").rows()
        if as_json:
            typer.echo(json.dumps({"name": name, "rows": rows}, ensure_ascii=False))
        else:
            console.print(_table(name, rows))


def _list(chosen: list[str], *, as_json: bool) -> None:
    """Show each benchmark's own first line, without loading what it needs."""
    for name in chosen:
        text = ast.get_docstring(ast.parse((ROOT / f"benchmarks/{name}.py").read_text(encoding="utf-8"))) or ""
        about = text.partition("\n")[0]
        typer.echo(json.dumps({"name": name, "about": about}, ensure_ascii=False) if as_json else f"{name:14}{about}")


def _table(name: str, rows: list[dict[str, Any]]) -> Table:
    table = Table(title=name, title_justify="left")
    for heading in ("work", "unit", "ours p50", "ours p99", "peer", "peer p50", "peer p99", "ratio", "reach", "holds"):
        table.add_column(heading, justify="left" if heading in {"work", "peer"} else "right")
    for row in rows:
        ours, peer = row["ours"], row["peer"]
        holds = "" if row["reach"] is None else "[green]yes[/]" if row["holds"] else "[red]no[/]"
        table.add_row(
            row["work"],
            row["unit"],
            _figure(ours["p50"]),
            _figure(ours["p99"]),
            peer["name"],
            _figure(peer["p50"]),
            _figure(peer["p99"]),
            _figure(row["ratio"]),
            _figure(row["reach"]),
            holds,
        )
    return table


def _figure(value: float | None) -> str:
    """Write a figure with three digits that count, never as a power of ten."""
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"  # noqa: PLR2004 - three digits
