"""Preparing a sealing: whether it may be done, by which signatures, and the document laid out for the first of them.

Nothing is promised yet, so that a refusal leaves no trace.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from crypto.suites import Suite
from kernel.clock import Clock
from kernel.ids import new_id
from kernel.principal import Principal
from seal.errors import EvidenceMissing, LevelRefused, PlacementRefused, SealNotUsable
from seal.formats_table import SealingFormat, sealing_format, second_format
from seal.hands import Hand
from seal.levels import Level, parse_level
from seal.model import Credential, Mark, PreparedDocument, Seal
from seal.pki.errors import TimestampUnavailable
from seal.register import SealCredential, SealRegister
from seal.request import DEFAULT_PLACEMENT, SealRequest, check_texts
from seal.stamping import PatientStamper, Stamper, Stamping, TokenRooms
from seal.store import Progress
from seal.trust import TrustSource, revoked_at
from seal.trust.evidence import EvidenceSource
from seal.verifying import check_size


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A request that may be carried out: all that the steps after preparation need."""

    request: SealRequest
    principal: Principal
    seal: Seal
    hands: tuple[Hand, ...]
    """One signature each, in the order of signing; more than one is still one sealing."""
    prepared: PreparedDocument
    """For the first of them."""
    at: datetime
    owner: str
    earlier: Progress | None
    client_address: str | None = None
    """Where the call came from."""

    @property
    def format(self) -> SealingFormat:
        """What was asked for; the second signature is beside it."""
        return self.hands[0].format


class Looked:
    """What was looked up for requests that are prepared at one moment with one seal: it is looked up once."""

    def __init__(self) -> None:
        self.at: datetime | None = None
        self.seal: Seal | None = None
        self.signings: dict[str, SealCredential] = {}


class Preparer:
    """Makes tasks of requests; safe to share between threads. What its parts are for, ``SealService`` says."""

    def __init__(  # noqa: PLR0913 - its dependencies
        self,
        *,
        clock: Clock,
        register: SealRegister,
        stamper: Stamper | None,
        evidence: EvidenceSource | None,
        trust: TrustSource | None,
        formats: Mapping[str, SealingFormat],
        max_document: int,
    ) -> None:
        self._clock = clock
        self._register = register
        self._stamper = stamper
        self._patient = None if stamper is None else PatientStamper(stamper, clock)
        self._rooms = TokenRooms()
        self._evidence = evidence
        self._trust = trust
        self._formats = formats
        self._max_document = max_document

    def prepare(
        self, request: SealRequest, principal: Principal, earlier: Progress | None, looked: Looked | None = None
    ) -> Task:
        """Lay the document out for its first signature; refuse what may not or cannot be sealed now.

        Requests that are prepared together pass the same ``looked``.
        """
        check_texts(request)
        check_size(request.document, self._max_document)
        chosen = sealing_format(request.document, request.format, self._formats)
        formats = [chosen] if request.also is None else [chosen, second_format(request.also, chosen, self._formats)]
        if request.placement is not None and not chosen.pictured:
            raise PlacementRefused(f"{chosen.name} shows no picture of the seal: name no place for it.")
        looked = looked or Looked()
        seal, at = self._seal(request, looked)
        hands = tuple(
            self._hand(request, looked, each, first=each is formats[0], last=each is formats[-1]) for each in formats
        )
        return Task(
            request=request,
            principal=principal,
            seal=seal,
            hands=hands,
            prepared=hands[0].prepare(request.document),
            at=at,
            owner=new_id(),
            earlier=earlier,
        )

    def _seal(self, request: SealRequest, looked: Looked) -> tuple[Seal, datetime]:
        if looked.seal is None or looked.at is None or looked.seal.id != request.seal:
            looked.seal = self._register.find(request.seal)
            # Formats carry whole seconds; ours is the time that will be read back from the file.
            looked.at = self._clock.now().replace(microsecond=0)
            looked.signings.clear()
        return looked.seal, looked.at

    def _signing(self, seal: Seal, suite: Suite, at: datetime, looked: Looked) -> SealCredential:
        if suite.name not in looked.signings:
            signing = self._register.credential(seal, suite)
            self._register.usable(seal, at, signing.credential.certificate)
            self._not_revoked(seal, signing.credential, at)
            looked.signings[suite.name] = signing
        return looked.signings[suite.name]

    def _hand(self, request: SealRequest, looked: Looked, chosen: SealingFormat, *, first: bool, last: bool) -> Hand:
        seal, at = self._seal(request, looked)
        signing = self._signing(seal, chosen.suite, at, looked)
        mark = Mark(
            seal_name=seal.name,
            picture=seal.picture,
            placement=request.placement or DEFAULT_PLACEMENT,
            reason=request.reason,
            # What closes lets nothing follow, so that only the last can.
            closes=request.closes and last,
            shown=first,
        )
        level = self._level(request, chosen, first=first)
        stamping = self._stamping(request, chosen) if chosen.stamped and level is not Level.B else None
        if level is not None and level.lasting and self._evidence is not None:
            # Asked beforehand: what is missing now would be missing after the key was used.
            self._evidence.about(signing.credential.certificate, signing.credential.chain)
        return Hand(format=chosen, signing=signing, level=level, stamping=stamping, mark=mark, at=at)

    def _stamping(self, request: SealRequest, chosen: SealingFormat) -> Stamping | None:
        """Choose who stamps: whoever asked for a level by name is not content with a stamp that follows."""
        if request.level is None and self._patient is not None:
            return Stamping(self._patient, chosen.suite.digest, self._rooms, may_follow=True)
        return None if self._stamper is None else Stamping(self._stamper, chosen.suite.digest, self._rooms)

    def _level(self, request: SealRequest, chosen: SealingFormat, *, first: bool) -> Level | None:
        """Choose the level; what was asked for by name is given or refused, never less."""
        if chosen.raise_level is None:
            if request.level is not None and first:
                raise LevelRefused(f"{chosen.name} has no levels: name none.")
            return None
        if request.level is None:
            return Level.B if self._stamper is None else Level.T
        level = parse_level(request.level)
        if level.stamped and self._stamper is None:
            raise TimestampUnavailable(
                f"Level {level} needs a time-stamp authority, and none is set up: set XINYIN_TSA, or ask for b-b."
            )
        if level.lasting and self._evidence is None:
            raise EvidenceMissing(f"Nobody here gives the evidence that level {level} embeds: ask for b-t.")
        return level

    def _not_revoked(self, seal: Seal, credential: Credential, at: datetime) -> None:
        if self._trust is None:
            return
        revoked = revoked_at(credential.certificate, others=credential.chain, trust=self._trust(), at=at)
        if revoked is not None:
            raise SealNotUsable(f"The certificate of seal {seal.id} does not count any more: {revoked.detail}.")
