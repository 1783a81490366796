"""Stamps that are owed: how they are put in, and how a sealing's time stands."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

STAMP = "seal.stamp"
"""The kind of job that has one sealing stamped; its key is the sealing."""


NEWEST, FIRST = "newest", "first"
"""Which file of a sealing is meant, beside the SM3 of one."""


class Manner(StrEnum):
    """How a late time stamp gets into a document."""

    SIGNATURE = "signature"
    """Beside the newest signature, which nothing covers: the document is as if it had come at once."""
    DOCUMENT = "document"
    """Over the whole document, where a signature that was left without is covered by one after it."""


class TrustedTime(StrEnum):
    """How the time of a completed sealing stands."""

    PROVED = "proved"
    PENDING = "pending"
    """The stamp is owed."""
    NONE = "none"
    """It is only claimed, and stays so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """A stamp that is to follow; ``digest`` names the algorithm by which it is asked for."""

    sealing: str
    manner: str
    digest: str
    owed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What became of a stamp that was owed: the stamped file, or why there is none."""

    sealing: str
    object_key: str | None
    """SM3 of the stamped file, hexadecimal."""
    size: int | None
    level: str | None
    proved_at: datetime | None
    """The time that the token proves."""
    authority: str | None
    """Who stamped, by the name that refusals use."""
    refusal: str | None
    """Codes of what spoke against a stamp, where there is no file."""
    settled_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How the time of a sealing stands by now, and which files there are of it."""

    trusted_time: TrustedTime | None = None
    """None: not completed, or older than such records."""
    level: str | None = None
    owed_at: datetime | None = None
    """Since when a stamp is owed; None once that is settled."""
    proved_at: datetime | None = None
    """The time that a stamp proves which came later."""
    refusal: str | None = None
    """Codes of what spoke against a stamp that was owed."""
    first_key: str | None = None
    stamped_key: str | None = None

    def file(self, version: str) -> str | None:
        """Give the key of the newest file, of the first, or of the one whose SM3 is ``version``; None if none is."""
        named = {NEWEST: self.stamped_key or self.first_key, FIRST: self.first_key}
        return named.get(version, version if version in {self.first_key, self.stamped_key} else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A stamp that is still owed, and the sealing it is owed to."""

    sealing: str
    seal: str
    serial: int
    format: str
    caller: str
    case_number: str | None
    file: str
    """SM3 of the file as it was sealed."""
    owed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """How many stamps are owed, and since when the oldest."""

    count: int
    oldest: datetime | None
