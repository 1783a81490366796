"""OFD documents: sealing them, verifying them, and writing simple ones (GB/T 33190, GB/T 38540)."""

from seal.formats.ofd.document import Image, Page, Rule, Text
from seal.formats.ofd.integrity import OFD_INTEGRITY
from seal.formats.ofd.late import unstamped_ofd
from seal.formats.ofd.package import looks_like_ofd
from seal.formats.ofd.sealing import OFD_SES
from seal.formats.ofd.signing import OFD_SIGN
from seal.formats.ofd.verify import verify_ofd
from seal.formats.ofd.writer import write_simple_ofd

__all__ = [
    "OFD_INTEGRITY",
    "OFD_SES",
    "OFD_SIGN",
    "Image",
    "Page",
    "Rule",
    "Text",
    "looks_like_ofd",
    "unstamped_ofd",
    "verify_ofd",
    "write_simple_ofd",
]
