"""Every target, in one table."""

import os
from functools import cache
from pathlib import Path

from crypto.suites import ES256, SM2_SM3
from tests.crypto.authority import Authority
from tests.fuzz import certificates, documents, messages, stored, tokens
from tests.fuzz.keys import FixedVault
from tests.fuzz.target import Target


def find_corpus() -> Path | None:
    """Give the folder of others' documents, which is not ours to ship; None if it is not here."""
    folder = Path(os.environ.get("XINYIN_CORPUS") or Path(__file__).resolve().parents[3] / "shared" / "corpus")
    return folder if folder.is_dir() else None


@cache
def targets(corpus: Path | None) -> tuple[Target, ...]:
    """Give the rows, their seeds made."""
    sm2, p256 = (Authority(FixedVault(), suite) for suite in (SM2_SM3, ES256))
    return (
        *certificates.targets(sm2, p256, corpus),
        *messages.targets(sm2, p256, corpus),
        *tokens.targets(),
        *stored.targets(),
        *documents.targets(sm2, p256, corpus),
    )
