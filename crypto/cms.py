"""Signed messages in one place to import from: templates that write them, the reader, the judge."""

from crypto.cms_build import CmsTemplate, Profile, with_timestamp
from crypto.cms_read import SignedData, SignerInfo, parse_signed_data
from crypto.cms_verify import CmsProblem, ContentDigest, verify_signer

__all__ = [
    "CmsProblem",
    "CmsTemplate",
    "ContentDigest",
    "Profile",
    "SignedData",
    "SignerInfo",
    "parse_signed_data",
    "verify_signer",
    "with_timestamp",
]
