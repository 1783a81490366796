"""What an outside judge says of a PDF: one form for all of them, so that their answers can be laid side by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from crypto.x509 import Certificate

DOC_TIMESTAMP = "DocTimeStamp"
"""The level of a document time-stamp."""


class Word(StrEnum):
    """The three answers, worst last."""

    ACCEPTED = "accepted"
    UNDECIDED = "undecided"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    """What is said of one signature, or of one document time-stamp."""

    word: Word
    why: str = ""
    """In the judge's own words; empty if it accepts."""
    field: str = ""
    level: str = ""
    """The level or sub-filter as this judge names it."""
    whole: bool
    """Whether it covers the whole file."""
    timestamps: int = 0
    """How many time-stamps the signature itself carries, as far as the judge counts them."""
    closes: bool = False
    """Whether it permits no change afterwards, as far as the judge looks for that."""
    intact: bool
    """Whether digest and signature value hold, whoever signed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What is said of a file. ``complaints`` are about the file itself; a judge that cannot read it says so there."""

    signatures: tuple[Opinion, ...] = ()
    complaints: tuple[str, ...] = ()

    @property
    def word(self) -> Word | None:
        """The worst of all; None if the judge found neither a signature nor anything to complain of."""
        found = [Word.REFUSED for _ in self.complaints] + [each.word for each in self.signatures]
        return max(found, key=tuple(Word).index, default=None)


class Judge(Protocol):
    """Judges a file under ``anchors``, with nothing from the network.

    ``at`` is the time judged for; where it is None it is now. ``crls`` are revocation lists, DER, brought along. A
    judge that looks at no certificate passes them all over. Skips where the judge cannot be had.
    """

    def __call__(
        self,
        pdf: bytes,
        anchors: Sequence[Certificate] = (),
        at: datetime | None = None,
        crls: Sequence[bytes] = (),
    ) -> Judgement: ...
