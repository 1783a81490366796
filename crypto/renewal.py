"""Renewal: sealing a column anew after its key changed, in steps that may stop anywhere and go on later."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from crypto.errors import FieldError
from crypto.fields import FieldCipher, KeyVersion, Place

BATCH = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedCell:
    """One row's sealed field as it is stored now."""

    row: str
    sealed: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacement:
    """What is to stand in ``row`` instead of ``old``. ``value`` is there to compute blind indexes anew, not to keep."""

    row: str
    old: bytes
    new: bytes
    value: bytes


class SealedColumn(Protocol):
    """One sealed column of a table, read in the order of its rows' keys."""

    table: str
    field: str

    def cursor(self, version: KeyVersion) -> str | None:
        """Give the row that the last ``replace`` for ``version`` named, in whatever process; None if there was none."""

    def after(self, row: str | None, limit: int) -> Sequence[SealedCell]:
        """Give the next rows behind ``row``, at most ``limit``; none at the end."""

    def replace(self, replacements: Sequence[Replacement], version: KeyVersion, cursor: str) -> None:
        """Store the replacements, and the cursor of ``version``, in one transaction.

        A row that no longer holds ``old`` is left alone: whoever wrote it did so under the active version.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What one step did. Rows in ``unreadable`` do not open: the older key must not go while there are any."""

    cursor: str
    renewed: int
    current: int
    unreadable: tuple[str, ...]


def renew(column: SealedColumn, cipher: FieldCipher, *, batch: int = BATCH) -> Iterator[Progress]:
    """Seal the column anew from its cursor on, one transaction a step; each step is done when it is told of.

    Stop by asking no further, or by dying: going on, even from the beginning, seals nothing twice. Begin once every
    process seals under the active version; what an older one writes behind the cursor is not seen again.
    """
    cursor = column.cursor(cipher.active)
    while cells := column.after(cursor, batch):
        cursor = cells[-1].row
        replacements: list[Replacement] = []
        unreadable: list[str] = []
        for cell in cells:
            try:
                replacement = _replacement(column, cipher, cell)
            except FieldError:
                unreadable.append(cell.row)
                continue
            if replacement is not None:
                replacements.append(replacement)
        column.replace(replacements, cipher.active, cursor)
        yield Progress(
            cursor=cursor,
            renewed=len(replacements),
            current=len(cells) - len(replacements) - len(unreadable),
            unreadable=tuple(unreadable),
        )


def _replacement(column: SealedColumn, cipher: FieldCipher, cell: SealedCell) -> Replacement | None:
    place = Place(table=column.table, row=cell.row, field=column.field)
    new = cipher.renew(place, cell.sealed)
    if new is None:
        return None
    return Replacement(row=cell.row, old=cell.sealed, new=new, value=cipher.open(place, new))
