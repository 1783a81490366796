"""Every operation of the service that this package knows: one file a family, one row an operation."""

from typing import Any, Final

from xinyin_sdk.calls import Row
from xinyin_sdk.operations import (
    affairs,
    batches,
    digests,
    ledger,
    licenses,
    renewals,
    seals,
    use_requests,
    verifying,
    webhooks,
)

TABLE: Final[tuple[Row[Any], ...]] = tuple(
    row
    for family in (seals, digests, renewals, verifying, affairs, use_requests, ledger, batches, webhooks, licenses)
    for row in vars(family).values()
    if isinstance(row, Row)
)
"""The table of operations, which a test holds against the service's own description."""
