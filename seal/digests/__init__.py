"""Sealing digests, for systems that may not send the document: it was not seen, and every record says so."""

from seal.digests.formats import DIGEST_FORMATS
from seal.digests.judging import judge_any

__all__ = ["DIGEST_FORMATS", "judge_any"]
