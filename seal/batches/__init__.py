"""Batches: many documents under one seal, each sealed exactly once, whatever happens to the workers."""

from seal.batches.model import ITEM, BatchRefused, BatchUnknown, ItemSource, UploadUnknown
from seal.batches.service import BatchService

__all__ = ["ITEM", "BatchRefused", "BatchService", "BatchUnknown", "ItemSource", "UploadUnknown"]
