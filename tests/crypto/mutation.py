"""Octets changed at random places, for parsers that must survive any of it."""

from dataclasses import dataclass

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

SHARED_KEYS = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
"""A property over a fixture's throw-away keys, which stay the same for all its examples."""


@dataclass(frozen=True)
class Mutation:
    """Some octets replaced, and perhaps the end cut off or something added."""

    places: tuple[tuple[int, int], ...]
    kept: int | None
    added: bytes

    def of(self, original: bytes) -> bytes:
        changed = bytearray(original)
        for place, value in self.places:
            changed[place % len(changed)] = value
        end = len(changed) if self.kept is None else self.kept % len(changed)
        return bytes(changed[:end]) + self.added


mutations = st.builds(
    Mutation,
    places=st.lists(st.tuples(st.integers(0, 65535), st.integers(0, 255)), max_size=4).map(tuple),
    kept=st.none() | st.integers(0, 65535),
    added=st.just(b"") | st.binary(max_size=3),
)
