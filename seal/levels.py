"""PAdES baseline levels: what a signature carries beside itself so that it can be judged later (ETSI EN 319 142-1)."""

from enum import StrEnum

from seal.errors import LevelRefused


class Level(StrEnum):
    """The four levels, each with all that the one before it has."""

    B = "b-b"
    """The signature, and its certificate bound to it."""
    T = "b-t"
    """A trusted time stamp shows when it was there."""
    LT = "b-lt"
    """Certificates and facts on revocation to judge signer and stamper by are in the document."""
    LTA = "b-lta"
    """A document time stamp is over all of that."""

    @property
    def stamped(self) -> bool:
        """Whether somebody has to stamp the time."""
        return self is not Level.B

    @property
    def lasting(self) -> bool:
        """Whether the document carries what it is judged by."""
        return self in (Level.LT, Level.LTA)

    def reached_by(self, level: "str | None") -> bool:
        """Tell whether a signature of ``level`` has all that this level asks for."""
        return level is not None and _ORDER.index(Level(level)) >= _ORDER.index(self)


_ORDER = tuple(Level)


def parse_level(text: str) -> Level:
    """Read a level's name; LevelRefused for anything else."""
    try:
        return Level(text)
    except ValueError:
        raise LevelRefused(f"There is no such level; there are {', '.join(Level)}.") from None
