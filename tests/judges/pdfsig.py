"""poppler's pdfsig as an independent judge of signed PDFs; skips where it is not installed.

It checks RSA and ECDSA signatures and what they cover. It calls many altered documents valid: use it to confirm what
we accept, never to excuse it.
"""

import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest

_FIELD = re.compile(r"^ {2}- ([^:]+?)(?:: (.*))?$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Opinion:
    """What pdfsig says of one signature."""

    field: str
    validation: str
    whole: bool
    """Whether it covers the whole document."""

    @property
    def valid(self) -> bool:
        return self.validation == "Signature is Valid."


def opinions(document: bytes) -> list[Opinion]:
    """Ask for every signature of ``document``, in the order of its fields."""
    if shutil.which("pdfsig") is None:
        pytest.skip("no pdfsig")
    with tempfile.TemporaryDirectory(prefix="xinyin-judge-") as folder:
        file = Path(folder) / "document.pdf"
        file.write_bytes(document)
        answer = subprocess.run(
            ["pdfsig", "-nocert", str(file)], capture_output=True, text=True, check=False, timeout=60
        )
    found = []
    for part in re.split(r"^Signature #\d+:$", answer.stdout, flags=re.MULTILINE)[1:]:
        said = dict(_FIELD.findall(part))
        found.append(
            Opinion(
                field=said.get("Signature Field Name", ""),
                validation=said.get("Signature Validation", ""),
                whole="Total document signed" in said,
            )
        )
    return found
