"""E-seal structures (SES): GM/T 0031-2014 (V1), GB/T 38540-2020 (V4), GM/T 0031-2025 (V5)."""

from seal.ses.build import make_ses_signature, make_seseal, make_tbs, with_ses_timestamp
from seal.ses.model import Extension, SesPicture, SesSeal, SesSignature
from seal.ses.read import parse_ses_signature, parse_seseal, time_from_text

__all__ = [
    "Extension",
    "SesPicture",
    "SesSeal",
    "SesSignature",
    "make_ses_signature",
    "make_seseal",
    "make_tbs",
    "parse_ses_signature",
    "parse_seseal",
    "time_from_text",
    "with_ses_timestamp",
]
