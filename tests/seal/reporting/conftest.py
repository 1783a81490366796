"""One small world judged once: a PDF and an OFD, sound, forged, of an unknown authority; and what came of them."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from crypto.digests import SHA256, sm3
from seal.evidence import with_evidence
from seal.formats.ofd import OFD_SES
from seal.formats.pdf import PDF_PADES
from seal.formats_table import document_type
from seal.model import Credential, FileFacts, Judgement, Mark, Picture
from seal.placing import AtPoint
from seal.ses import make_seseal
from seal.trust import Trust
from seal.verifying import verify_in_process
from tests.seal.pdf.making import make_picture, render
from tests.seal.trust.making import AT, DAY, NOW, World
from crypto.suites import ES256, SM2_SM3
from tests.judges.ofd_picture import ThrowAwayKey
