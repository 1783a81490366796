"""Webhooks: systems that called us are told what became of it, signed as Standard Webhooks says."""

from seal.webhooks.model import EventType, WebhookRefused, WebhookUnknown
from seal.webhooks.service import Webhooks

__all__ = ["EventType", "WebhookRefused", "WebhookUnknown", "Webhooks"]
