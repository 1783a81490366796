"""What a maker is: hands that make one document that fails one rule and no other."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from seal.trust import Trust
from tests.sims.ofd_workshop import Workshop

Names = tuple[str, str]
"""A rule and one of its codes."""


@dataclass(frozen=True, kw_only=True)
class Made:
    """A document, and who judges it by what trust."""

    document: bytes
    trust: Trust
    at: datetime | None = None
    says: str = ""
    """What the finding's detail holds, where the code alone does not tell which rule spoke."""
    beside: frozenset[str] = frozenset()
    """Other codes that cannot but come with this one."""


Maker = Callable[[Workshop], Made]


def by_trust(workshop: Workshop, document: bytes, *, says: str = "") -> Made:
    """Have a document judged by the workshop's own trust."""
    return Made(document=document, trust=workshop.bureau.trust, says=says)
