"""A seal about to be set: a design made whole by its kind, its words turned into letters."""

from dataclasses import dataclass

from seal.artwork.lettering import Letter
from seal.artwork.model import Centre

Letters = tuple[Letter, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What a shape arranges."""

    width: float
    height: float
    border: float
    centre: Centre
    name: Letters
    line: Letters
    number: Letters
    code: Letters
    placeholder: Letters
    """What is written where the state emblem belongs."""
