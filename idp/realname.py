"""Real names: matching a name and a resident identity number against the population register."""

import hmac
import re
from collections.abc import Mapping
from datetime import date
from typing import Protocol

import structlog

from kernel.errors import Reason, Refusal

_NUMBER = re.compile(r"[1-9][0-9]{16}[0-9X]")
_WEIGHTS = tuple(2**power % 11 for power in range(17, 0, -1))
_CHECKS = "10X98765432"
_log = structlog.get_logger("xinyin.idp")


class RegisterUnavailable(Refusal):
    """The population register cannot be asked now."""

    reason, code = Reason.UNAVAILABLE, "population_register_unavailable"


class RealNames(Protocol):
    """The population register's one question. Nothing asked is kept by either side of this door.

    May block for seconds; RegisterUnavailable if there is no answer. Not retried by callers.
    """

    def matches(self, name: str, number: str) -> bool:
        """Tell whether a resident of this name has this number."""


class DevPopulation:
    """A development stand-in: a register of invented residents, by number, that can be told to fail."""

    def __init__(self, residents: Mapping[str, str]) -> None:
        _log.warning("development_stand_in", what="population register")
        self._residents = dict(residents)
        self.available = True

    def matches(self, name: str, number: str) -> bool:
        """Tell whether the invented resident exists."""
        if not self.available:
            raise RegisterUnavailable("The population register cannot be reached. Try again later.")
        resident = self._residents.get(number)
        return resident is not None and hmac.compare_digest(resident.encode(), name.encode())


def well_formed(number: str) -> bool:
    """Tell whether this can be a resident identity number: date of birth and check character (GB 11643)."""
    if not _NUMBER.fullmatch(number):
        return False
    try:
        date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return False
    total = sum(int(digit) * weight for digit, weight in zip(number[:17], _WEIGHTS, strict=True))
    return number[17] == _CHECKS[total % 11]
