"""Show an OFD document as an independent reader shows it, and have that reader check its seals.

The reader is ofd.js (Apache-2.0), which shares no code with this project: its own ZIP, ASN.1, SM2 and SM3. It is
fetched into a temporary folder, never into the project, and driven in a headless Chromium that sees 127.0.0.1 alone.

    python tests/judges/ofd_picture.py OUT.png [SEALED.ofd]

Without a document, the sample decision is sealed with keys made for the occasion. Exits with 0 if the reader finds
every seal's signature right, shows every page, and every text of them as characters that can be searched.
"""

import functools
import io
import json
import shutil
import subprocess
import sys
import tempfile
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from lxml import etree

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from crypto.engines import default_engine
from crypto.keys import digest_to_sign
from crypto.suites import SM2_SM3
from crypto.vaults.software import make_key, open_key
from crypto.x509 import ROOT, SEAL_MAKER, SIGNER, Certificate, CertificateProfile, make_certificate, name
from examples.samples.ofd_sample import AGENCY, CREATED, decision, seal_place
from seal.artwork import Design, draw
from seal.formats.ofd import OFD_SES
from seal.model import Credential, Mark
from seal.ses import make_seseal

READER = "ofd.js@0.2.6"
WIDTH, SHARPNESS = 800, 2
"""Pixels across the window, and how many of the picture's there are to one of them."""
SEAL_NUMBER = "99010000000001"
"""Region 990100 is no region of GB/T 2260: nobody's seal bears this number."""
_FACES = "".join(
    f'@font-face{{font-family:"{asked}";src:{",".join(f"local({face})" for face in faces)}}}'
    for asked, faces in (
        ("宋体", ("Noto Serif CJK SC", "Source Han Serif SC")),
        ("SimSun", ("Noto Serif CJK SC", "Source Han Serif SC")),
        ("仿宋", ("Noto Serif CJK SC", "Source Han Serif SC")),
        ("FangSong", ("Noto Serif CJK SC", "Source Han Serif SC")),
        ("黑体", ("Noto Sans CJK SC", "Source Han Sans SC")),
        ("SimHei", ("Noto Sans CJK SC", "Source Han Sans SC")),
    )
)
"""Documents name fonts that are sold; the free ones nearest to them stand in."""
_PAGE = """<!doctype html><meta charset="utf-8"><style>%s body{margin:0;background:#fff}</style>
<div id="pages"></div><script src="reader.js"></script><script>
const show = document.getElementById("pages");
window.answer = null;
// The reader starts its list of protected files anew for every signature; all of them are wanted here.
const lists = new Map();
Object.defineProperty(window, "toBeChecked", {get: () => lists, set() {}});
ofd.parseOfdDocument({
  ofd: location.origin + "/document.ofd",
  success(found) {
    for (const div of ofd.renderOfd(%d, found[0])) show.appendChild(div);
    const seals = [...document.querySelectorAll("[name=seal_img_div]")].map((seal) => {
      const signed = JSON.parse(seal.dataset.signedInfo);
      const protectedFiles = lists.get(signed.signatureID);
      return {signature: signed.VerifyRet, files: protectedFiles.length, unchanged: ofd.digestCheck(protectedFiles)};
    });
    window.answer = {pages: show.children.length, seals, text: show.textContent.replace(/\\s/g, "")};
  },
  fail(error) { window.answer = {error: String(error)}; },
});
</script>"""


# --- a sealed sample -------------------------------------------------------------------------------------------


class ThrowAwayKey:
    """A key that lives as long as this program."""

    def __init__(self) -> None:
        made = make_key(SM2_SM3, default_engine())
        self.suite, self.public_key = SM2_SM3, made.public_key
        self._sign = open_key(SM2_SM3, default_engine(), made.pkcs8)

    def sign(self, message: bytes) -> bytes:
        """Sign a message."""
        return self._sign(digest_to_sign(SM2_SM3, self.public_key, message))


@dataclass(frozen=True)
class Holder:
    """A key and its certificate."""

    key: ThrowAwayKey
    certificate: Certificate


def certified(common_name: str, profile: CertificateProfile, at: datetime, issuer: Holder | None = None) -> Holder:
    """Make a key and have ``issuer`` (or itself) certify it for a year."""
    key = ThrowAwayKey()
    certificate = make_certificate(
        subject=name(common_name, AGENCY),
        public_key=key.public_key,
        issuer=issuer.certificate if issuer else None,
        issuer_key=issuer.key if issuer else key,
        serial=len(common_name) + 1,
        not_before=at - timedelta(days=1),
        not_after=at + timedelta(days=365),
        profile=profile,
    )
    return Holder(key, certificate)


def sealed_sample() -> bytes:
    """Seal the sample decision with a seal made for it."""
    at = datetime(CREATED.year, CREATED.month, CREATED.day, 2, tzinfo=UTC)
    root = certified("Sample Root", ROOT, at)
    maker = certified("Sample Seal Maker", SEAL_MAKER, at, root)
    signer = certified(SEAL_NUMBER, SIGNER, at, root)
    picture = draw(Design(kind="department", name=AGENCY, code=SEAL_NUMBER[:13]))
    seseal = make_seseal(
        header_vid="XINYIN",
        esid=SEAL_NUMBER,
        kind=1,
        name=AGENCY,
        certificates=[signer.certificate],
        created=at,
        valid_from=at,
        valid_to=at + timedelta(days=365),
        picture=picture,
        maker=maker.key,
        maker_certificate=maker.certificate,
    )
    mark = Mark(seal_name=AGENCY, picture=picture, placement=seal_place(picture.width_mm))
    credential = Credential(certificate=signer.certificate, chain=(), suite=SM2_SM3, seseal=seseal)
    return OFD_SES.prepare(decision(), mark, credential, at).apply(signer.key.sign)


# --- the reader ------------------------------------------------------------------------------------------------


def fetch_reader(folder: Path) -> bytes:
    """Install the reader below ``folder`` with npm, running none of its scripts, and give its one file."""
    npm = shutil.which("npm")
    if npm is None:
        raise SystemExit("npm is not installed")
    command = [npm, "install", "--prefix", str(folder), "--ignore-scripts", "--no-audit", "--no-fund", READER]
    subprocess.run(command, check=True, capture_output=True)
    return (folder / "node_modules/ofd.js/lib/ofd.umd.min.js").read_bytes()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing about each request."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve ``folder`` on 127.0.0.1; give the address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def photograph(address: str, out: Path) -> Any:
    """Open the page, wait for the reader's answer, take the picture."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - only this program needs a browser

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": WIDTH, "height": 1000}, device_scale_factor=SHARPNESS)
        page.route(lambda url: not url.startswith(address), lambda route: route.abort())
        page.goto(address)
        page.wait_for_function("window.answer !== null", timeout=60_000)
        page.evaluate("document.fonts.ready")
        answer = page.evaluate("window.answer")
        if answer.get("pages"):
            page.locator("#pages > div").first.screenshot(path=str(out))
        browser.close()
    return answer


def main(out: Path, document: bytes) -> int:
    """Show ``document`` in ``out``; 0 if the reader is content with it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        reader = fetch_reader(folder)
        site = folder / "site"
        site.mkdir()
        (site / "reader.js").write_bytes(reader)
        (site / "document.ofd").write_bytes(document)
        (site / "index.html").write_text(_PAGE % (_FACES, WIDTH), "utf-8")
        with served(site) as address:
            answer = photograph(address, out)
    shown = answer.pop("text", "")
    answer["lost"] = [line for line in written(document) if line not in shown]
    sys.stdout.write(json.dumps(answer, ensure_ascii=False) + "\n")
    right = all(seal["signature"] and seal["files"] and seal["unchanged"] for seal in answer.get("seals", []))
    return 0 if answer.get("pages") and right and not answer["lost"] else 1


def written(document: bytes) -> Iterator[str]:
    """Give the texts of a document's pages, without blanks."""
    with zipfile.ZipFile(io.BytesIO(document)) as archive:
        for path in archive.namelist():
            if path.endswith("Content.xml"):
                for code in etree.fromstring(archive.read(path)).iter("{*}TextCode"):
                    yield "".join((code.text or "").split())


if __name__ == "__main__":
    given = Path(sys.argv[2]).read_bytes() if len(sys.argv) > 2 else sealed_sample()
    raise SystemExit(main(Path(sys.argv[1]), given))
