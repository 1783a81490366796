"""Make the sample approval results that the demonstration seals; run again after changing a template.

    .venv/bin/python examples/samples/make_samples.py

The results are committed: a department's documents exist before anyone seals them.
"""

import sys
from importlib.metadata import files
from pathlib import Path

import typst

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]

from ofd_sample import decision  # noqa: E402 - a script's neighbour


def approval_pdf() -> bytes:
    """Render the approval result as PDF/A-2b."""
    fonts = {str(Path(str(file.locate())).parent) for file in files("manimgx-fonts-cjk") or () if file.suffix == ".ttc"}
    compiler = typst.Compiler(str(HERE / "approval.typ"), font_paths=sorted(fonts), ignore_system_fonts=True)
    rendered = compiler.compile(format="pdf", pdf_standards=["a-2b"])
    # Typst ends with "%%EOF"; without a newline after it an appended revision breaks PDF/A (ISO 19005-2 6.1.3).
    return bytes(rendered or b"") + b"\n"


def main() -> None:
    """Write both samples."""
    (HERE / "approval.pdf").write_bytes(approval_pdf())
    (HERE / "approval.ofd").write_bytes(decision())
    print("examples/samples: approval.pdf, approval.ofd")


if __name__ == "__main__":
    main()
