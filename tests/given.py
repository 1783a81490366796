"""What many tests are given: a time, a seal's number, a passphrase. Loads nothing a killed process would wait for."""

from datetime import UTC, datetime
from typing import Final

START: Final = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
SEAL_NUMBER: Final = "44030000000001"
PASSPHRASE: Final = "correct horse"
