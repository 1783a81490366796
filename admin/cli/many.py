"""Sealing many files in one call: each to its own name in a folder, past failures, and to be gone on with later."""

import os
import secrets
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import typer
from rich.console import Console

from admin.cli.progress import Meter
from admin.cli.terminal import shown
from crypto.errors import CryptoError
from kernel.errors import Refusal
from seal.later.model import TrustedTime
from seal.request import SealedDocument

SOME_FAILED, STOPPED = 1, 130

SealOne = Callable[[Path], SealedDocument]


@dataclass(slots=True, kw_only=True)
class _Outcome:
    """How many files came how far."""

    sealed: int = 0
    there: int = 0
    failed: list[Path] = field(default_factory=list)

    def words(self, left: int) -> str:
        counts = ((self.sealed, "sealed"), (self.there, "there already"), (len(self.failed), "failed"), (left, "left"))
        return ", ".join(f"{number} {word}" for number, word in counts if number or word == "sealed")


class Stop:
    """The first Ctrl-C lets the file in hand be finished; a second one ends the program where it is."""

    def __init__(self) -> None:
        self.asked = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Take note."""
        del frame
        self.asked = True
        signal.signal(number, signal.default_int_handler)


def places(files: Sequence[Path], folder: Path) -> list[tuple[Path, Path]]:
    """Say where each sealed file goes; typer.BadParameter where two would have one name."""
    if not folder.is_dir():
        raise typer.BadParameter(f"{folder} is not a folder")
    names: dict[str, Path] = {}
    for file in files:
        if names.setdefault(file.name, file) != file:
            raise typer.BadParameter(f"{names[file.name]} and {file} would both be {folder / file.name}")
        if file.resolve() == (folder / file.name).resolve():
            raise typer.BadParameter(f"{file} is in {folder} already; name another folder with --out-dir")
    return [(file, folder / name) for name, file in names.items()]


def seal_many(todo: Sequence[tuple[Path, Path]], seal_one: SealOne) -> int:
    """Seal every file that is not there yet; give the exit code: 0, 1 if any failed, 130 after Ctrl-C."""
    outcome, count = _Outcome(), 0
    with _stopping() as stop, Meter("签章 sealing", len(todo)) as meter:
        for file, out in todo:
            if stop.asked:
                break
            _seal(file, out, seal_one, outcome, meter)
            meter.done()
            count += 1
    sys.stderr.write(f"xinyin: {outcome.words(len(todo) - count)}\n")
    if stop.asked and count < len(todo):
        return STOPPED
    return SOME_FAILED if outcome.failed else 0


def _seal(file: Path, out: Path, seal_one: SealOne, outcome: _Outcome, meter: Meter) -> None:
    if out.exists():
        outcome.there += 1
        return
    try:
        sealed = seal_one(file)
        write_whole(out, sealed.document)
    except (Refusal, CryptoError, OSError) as error:
        outcome.failed.append(file)
        words = error.strerror if isinstance(error, OSError) else error
        with meter.aside(sys.stderr):
            sys.stderr.write(f"xinyin: {shown(file)}: {words} [{getattr(error, 'code', 'file')}]\n")
        return
    outcome.sealed += 1
    with meter.aside(sys.stdout):
        tell(out, sealed)


def tell(out: Path, sealed: SealedDocument) -> None:
    """Print one line about a file that was sealed, and one if its time stamp is still to come."""
    Console().print(f"[green]✓[/] {shown(out)}  {sealed.format}  {sealed.id}", highlight=False, soft_wrap=True)
    if sealed.trusted_time is TrustedTime.PENDING:
        Console().print(
            f"[yellow]![/] No time-stamp authority gave a token now: the stamp follows (`xinyin worker`);"
            f" `xinyin seal fetch {sealed.id}` then writes out the stamped file.",
            highlight=False,
            soft_wrap=True,
        )


def write_whole(out: Path, document: bytes) -> None:
    """Write a file that takes its name only when it is whole, and never the place of another."""
    part = out.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with part.open("xb") as target:
            target.write(document)
            target.flush()
            os.fsync(target.fileno())
        _put_in_place(part, out, document)
    finally:
        part.unlink(missing_ok=True)


def _put_in_place(part: Path, out: Path, document: bytes) -> None:
    try:
        out.hardlink_to(part)
    except FileExistsError:
        raise
    except OSError:  # some shared folders and memory sticks know no links
        with out.open("xb") as target:
            target.write(document)


@contextmanager
def _stopping() -> Iterator[Stop]:
    stop = Stop()
    before = signal.signal(signal.SIGINT, stop)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)
