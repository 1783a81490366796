"""What easyofd reads in OFD files, one line of JSON for each: texts and seals; for a Python that has easyofd.

.cache/judges/easyofd/bin/python tests/judges/read_with_easyofd.py FILE...
"""

import base64
import contextlib
import hashlib
import importlib
import json
import sys
import tempfile
from pathlib import Path
from typing import Any


def main(files: list[str]) -> None:
    """Read each file; what easyofd itself prints goes to the error channel."""
    with contextlib.redirect_stdout(sys.stderr):
        importlib.import_module("loguru").logger.remove()
        reader = importlib.import_module("easyofd").OFD
        answers = [json.dumps(_read(reader(), Path(file).read_bytes())) for file in files]
    sys.stdout.write("\n".join(answers) + "\n")


def _read(reader: Any, document: bytes) -> dict[str, object]:
    reader.read(base64.b64encode(document).decode(), save_xml=False)
    (body,) = reader.data
    pages = [body["page_info"][number] for number in sorted(body["page_info"])]
    return {
        "pages": len(pages),
        "texts": [text["text"] for page in pages for text in page.get("text_list", ())],
        "seals": [_seal(page, row) for page, rows in body["signatures_page_id"].items() for row in rows],
    }


def _seal(page: int, row: dict[str, Any]) -> dict[str, object]:
    """Tell where a seal stands and which pictures easyofd takes out of the signature, as PNG of their points."""
    extract = importlib.import_module("easyofd.parser_ofd.find_seal_img").SealExtract()
    with tempfile.NamedTemporaryFile(suffix=".dat") as file:
        file.write(base64.b64decode(row["SignedValue"]))
        file.flush()
        pictures = [picture for picture in extract(file.name) or () if picture is not None]
    digests = [hashlib.sha256(picture.convert("RGBA").tobytes()).hexdigest() for picture in pictures]
    return {"page": page, "boundary": row["Boundary"], "pictures": digests}


if __name__ == "__main__":
    main(sys.argv[1:])
