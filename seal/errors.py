"""What this floor refuses, as one small tree.

Refusal
├── DocumentRefused              this document cannot be sealed or read
│   ├── UnsupportedDocument      neither PDF nor OFD, or of a kind this format cannot take
│   ├── DocumentUnreadable       it breaks or exhausts its reader
│   ├── DocumentForged           it bears an invalid signature already
│   ├── DocumentTooLarge
│   ├── PageUnknown              it has no such page
│   ├── FurtherSealingForbidden  an earlier signature allows no later one
│   ├── RoomTooSmall             the signature takes more octets than were laid aside for it
│   └── PlacementRefused         the picture has no such place in this document
├── GlyphMissing                 a font cannot write a character of a document we make
├── ArtworkRefused               a seal's picture cannot be drawn from these words
├── SealRefused                  a seal cannot be made as asked
├── UnknownSeal, UnknownSealing
├── SealNotUsable, SealExpired   the seal may not sign now
├── LevelRefused                 this format has no such level
├── EvidenceMissing              no fact at hand shows that a certificate is good now
├── IdempotencyMismatch, SealingInProgress
├── SealingNotRetryable          what it needs is not at hand any more
├── SigningUnavailable           the vault does not sign now
├── PreviewBusy, SearchBusy      more pages are being drawn or searched than there are places for
└── SealingRejected              our own verifier does not accept what we made; nothing is handed out
"""

from kernel.errors import Reason, Refusal


class DocumentRefused(Refusal):
    """This document cannot be sealed or read."""

    reason, code = Reason.BAD_INPUT, "document_refused"


class UnsupportedDocument(DocumentRefused):
    """The document is of no kind we can handle."""

    reason, code = Reason.UNSUPPORTED, "document_unsupported"


class DocumentUnreadable(DocumentRefused):
    """The document could not be read to the end, or what is in it is not sound."""

    reason, code = Reason.BAD_INPUT, "document_unreadable"


class DocumentForged(DocumentRefused):
    """A signature in the document is invalid; our seal under it would lend it weight."""

    reason, code = Reason.BAD_INPUT, "document_signature_invalid"


class DocumentTooLarge(DocumentRefused):
    """The document has more octets than we take."""

    reason, code = Reason.TOO_LARGE, "document_too_large"


class FurtherSealingForbidden(DocumentRefused):
    """A signature in the document forbids any later one."""

    reason, code = Reason.CONFLICT, "further_sealing_forbidden"


class PlacementRefused(DocumentRefused):
    """The document has no such page, or the picture would not be seen there."""

    reason, code = Reason.BAD_INPUT, "placement_refused"


class RoomTooSmall(DocumentRefused):
    """What is to go into a document takes more octets than were laid aside: lay it out again with ``needed``."""

    reason, code = Reason.UNAVAILABLE, "room_too_small"

    def __init__(self, needed: int, room: int) -> None:
        super().__init__(f"the signature takes {needed} octets; {room} were laid aside")
        self.needed = needed


class PageUnknown(DocumentRefused):
    """The document has no such page."""

    reason, code = Reason.NOT_FOUND, "page_unknown"


class GlyphMissing(Refusal):
    """The font has no glyph for a character: what was written would be shown without it."""

    reason, code = Reason.BAD_INPUT, "glyph_missing"


class ArtworkRefused(Refusal):
    """A seal's picture cannot be drawn: a glyph is missing or the words do not fit."""

    reason, code = Reason.BAD_INPUT, "artwork_refused"


class SealRefused(Refusal):
    """A seal cannot be made, or its status not changed, as asked."""

    reason, code = Reason.BAD_INPUT, "seal_refused"


class SealExists(SealRefused):
    """A seal with this number is already in the register."""

    reason, code = Reason.CONFLICT, "seal_exists"


class UnknownSeal(Refusal):
    """No such seal in the register."""

    reason, code = Reason.NOT_FOUND, "seal_unknown"


class UnknownSealing(Refusal):
    """No such sealing, or not one of this caller's."""

    reason, code = Reason.NOT_FOUND, "sealing_unknown"


class SealNotUsable(Refusal):
    """The seal is not in the status this takes, its certificate is revoked, or it lacks the key this format needs."""

    reason, code = Reason.CONFLICT, "seal_not_usable"


class SealExpired(SealNotUsable):
    """The seal or its certificate is outside its validity."""

    reason, code = Reason.CONFLICT, "seal_expired"


class LevelRefused(Refusal):
    """This format, or this document, has no such level."""

    reason, code = Reason.BAD_INPUT, "level_refused"


class EvidenceMissing(Refusal):
    """Certificates or facts that a level needs are not at hand; the detail says whose and what to do."""

    reason, code = Reason.UNAVAILABLE, "evidence_missing"


class IdempotencyMismatch(Refusal):
    """The Idempotency-Key was used before for a different request."""

    reason, code = Reason.MISMATCH, "idempotency_mismatch"


class SealingInProgress(Refusal):
    """The same request is being worked on; ask again shortly."""

    reason, code = Reason.CONFLICT, "sealing_in_progress"


class SealingNotRetryable(Refusal):
    """The sealing cannot be finished: its document or what was asked for is not at hand any more."""

    reason, code = Reason.CONFLICT, "sealing_not_retryable"


class SigningUnavailable(Refusal):
    """The vault does not sign now."""

    reason, code = Reason.UNAVAILABLE, "signing_unavailable"


class PreviewBusy(Refusal):
    """More pages are being drawn than this machine has places for."""

    reason, code = Reason.TOO_MANY, "preview_busy"


class SearchBusy(Refusal):
    """More documents are being searched for a keyword than this machine has places for."""

    reason, code = Reason.TOO_MANY, "search_busy"


class SealingRejected(Refusal):
    """Our own verifier does not accept the sealed document, so it is not handed out."""

    reason, code = Reason.UNAVAILABLE, "sealing_rejected_by_verifier"
