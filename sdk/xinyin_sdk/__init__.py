"""信印 Xinyin for developers: ``Xinyin`` waits, ``AsyncXinyin`` is awaited, ``Webhook`` checks messages."""

from xinyin_sdk.aio import AsyncSealed, AsyncXinyin
from xinyin_sdk.client import Sealed, Xinyin
from xinyin_sdk.errors import (
    AnswerUnreadable,
    Busy,
    Conflict,
    ConnectionFailed,
    DocumentDamaged,
    DocumentRefused,
    Forbidden,
    IdempotencyMismatch,
    InProgress,
    NotAuthenticated,
    NotFound,
    PlacementRefused,
    Refused,
    RequestInvalid,
    SealNotUsable,
    ServiceFault,
    TimedOut,
    TimestampUnavailable,
    TooLarge,
    Unavailable,
    WebhookRefused,
    XinyinError,
)
from xinyin_sdk.exchange import Retries
from xinyin_sdk.operations.batches import Order
from xinyin_sdk.shapes import Holder, Paper, Upload, Verdict
from xinyin_sdk.webhook import Event, Webhook

__all__ = [
    "AnswerUnreadable",
    "AsyncSealed",
    "AsyncXinyin",
    "Busy",
    "Conflict",
    "ConnectionFailed",
    "DocumentDamaged",
    "DocumentRefused",
    "Event",
    "Forbidden",
    "Holder",
    "IdempotencyMismatch",
    "InProgress",
    "NotAuthenticated",
    "NotFound",
    "Order",
    "Paper",
    "PlacementRefused",
    "Refused",
    "RequestInvalid",
    "Retries",
    "SealNotUsable",
    "Sealed",
    "ServiceFault",
    "TimedOut",
    "TimestampUnavailable",
    "TooLarge",
    "Unavailable",
    "Upload",
    "Verdict",
    "Webhook",
    "WebhookRefused",
    "Xinyin",
    "XinyinError",
]
