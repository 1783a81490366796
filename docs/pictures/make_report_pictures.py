# ruff: noqa: INP001 - a program beside the pictures, in no package
"""Make the pictures of validation reports anew: on a phone and on paper, of a sound document and of a forged one.

    python docs/pictures/make_report_pictures.py

Needs the test tools, Chromium, pdftoppm and a CJK font. Names are invented, keys live as long as the program.
"""

import io
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

HERE = Path(__file__).resolve().parent
ROOT_FOLDER = HERE.parents[1]
sys.path.insert(0, str(ROOT_FOLDER))

from crypto.crl import RevocationList, make_crl  # noqa: E402 - the checkout, not an installed copy
from crypto.suites import SM2_SM3  # noqa: E402
from crypto.x509 import ROOT, SEAL_MAKER, SIGNER, SUB_CA, CertificateProfile, make_certificate, name  # noqa: E402
from kernel.clock import ManualClock  # noqa: E402
from seal.artwork import Design, draw  # noqa: E402
from seal.formats.ofd import OFD_SES  # noqa: E402
from seal.formats.pdf import PDF_PADES  # noqa: E402
from seal.model import Credential, Judgement, Mark  # noqa: E402
from seal.placing import parse_placement  # noqa: E402
from seal.reporting import human_report  # noqa: E402
from seal.ses import make_seseal  # noqa: E402
from seal.trust import Facts, Trust  # noqa: E402
from seal.verifying import Verifier  # noqa: E402
from tests.judges.ofd_picture import Holder, ThrowAwayKey  # noqa: E402

LARGEST = 250_000
"""Octets a picture may have."""
AT = datetime(2026, 11, 22, 2, 15, tzinfo=UTC)
NOW = AT + timedelta(days=9, hours=3)
NUMBER, AGENCY = "99010000000001", "云江市政务服务和数据局"
PHONE = {"width": 390, "height": 844}
SHOWN = 1240
"""Pixels of a phone's page that are shown."""
SAMPLES = ROOT_FOLDER / "examples/samples"


@dataclass(frozen=True)
class Office:
    """A root, an authority below it, a seal maker, and an agency that seals."""

    root: Holder
    authority: Holder
    maker: Holder
    signer: Holder

    @classmethod
    def found(cls) -> "Office":
        """Make keys and certificates."""
        root = _certified("云江市电子认证根", "云江市电子认证中心", ROOT, 1)
        authority = _certified("云江市政务签发 CA", "云江市电子认证中心", SUB_CA, 2, root)
        maker = _certified("云江市制章", "云江市印章管理中心", SEAL_MAKER, 3, authority)
        return cls(root, authority, maker, _certified(NUMBER, AGENCY, SIGNER, 4, authority))

    def trust(self) -> Trust:
        """Believe the root, and know the lists of both authorities."""
        lists = (_listed(self.root, 7), _listed(self.authority, 12))
        return Trust(
            anchors=(self.root.certificate,),
            intermediates=(self.authority.certificate,),
            facts=Facts(crls=lists),
            now=NOW,
        )

    def seal(self, kind: str) -> bytes:
        """Seal the sample decision."""
        picture = draw(Design(kind="department", name=AGENCY, line="审批专用章", code=NUMBER[:13]), dpi=300)
        seseal = make_seseal(
            header_vid="XINYIN",
            esid=NUMBER,
            kind=1,
            name=f"{AGENCY}审批专用章",
            certificates=[self.signer.certificate],
            created=AT - timedelta(days=30),
            valid_from=AT - timedelta(days=30),
            valid_to=AT + timedelta(days=300),
            picture=picture,
            maker=self.maker.key,
            maker_certificate=self.maker.certificate,
        )
        mark = Mark(seal_name=AGENCY, picture=picture, placement=parse_placement("corner"), reason="准予行政许可")
        chain = (self.authority.certificate,)
        credential = Credential(certificate=self.signer.certificate, chain=chain, suite=SM2_SM3, seseal=seseal)
        layout = OFD_SES if kind == "ofd" else PDF_PADES
        document = (SAMPLES / f"approval.{kind}").read_bytes()
        return layout.prepare(document, mark, credential, AT).apply(self.signer.key.sign)


def _certified(
    called: str, owner: str, profile: CertificateProfile, serial: int, issuer: Holder | None = None
) -> Holder:
    key = ThrowAwayKey()
    certificate = make_certificate(
        subject=name(called, owner),
        public_key=key.public_key,
        issuer=issuer.certificate if issuer else None,
        issuer_key=issuer.key if issuer else key,
        serial=0x4A7C_19E3_0055_D201 + serial,
        not_before=AT - timedelta(days=200),
        not_after=AT + timedelta(days=900),
        profile=profile,
        crl_urls=("http://pki.example/list.crl",) if issuer else (),
    )
    return Holder(key, certificate)


def _listed(issuer: Holder, number: int) -> RevocationList:
    since = NOW - timedelta(hours=2)
    return make_crl(
        issuer=issuer.certificate,
        issuer_key=issuer.key,
        number=number,
        this_update=since,
        next_update=since + timedelta(days=1),
        revoked=(),
    )


@contextmanager
def verifier(trust: Trust) -> Iterator[Verifier]:
    """Judge under ``trust`` until the block ends."""
    made = Verifier(trust, clock=ManualClock(NOW))
    try:
        yield made
    finally:
        made.close()


def forged(document: bytes) -> bytes:
    """Change the content of a sealed PDF, and nothing of its structure."""
    at = document.index(b"stream\n") + 20
    return document[:at] + bytes([document[at] ^ 1]) + document[at + 1 :]


# --- pictures ------------------------------------------------------------------------------------------------------


def keep(name_: str, picture: Image.Image) -> None:
    """Write a picture of few colours and few octets."""
    picture = picture.convert("RGB")
    for colours in (128, 64, 32):
        out = io.BytesIO()
        picture.quantize(colours, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
        if len(out.getvalue()) <= LARGEST:
            break
    (HERE / name_).write_bytes(out.getvalue())
    sys.stdout.write(f"{name_:<24} {picture.width} x {picture.height}  {len(out.getvalue()):,} octets\n")


def on_phone(browser: Browser, judgement: Judgement, language: str = "zh") -> Image.Image:
    """Show a report on a phone, from its beginning."""
    page = browser.new_page(viewport=PHONE, device_scale_factor=1.5)
    page.set_content(human_report(judgement, language), wait_until="load")
    clip = {"x": 0, "y": 0, "width": PHONE["width"], "height": SHOWN}
    shot = page.screenshot(full_page=True, animations="disabled", clip=clip)
    page.close()
    return Image.open(io.BytesIO(shot))


def on_paper(browser: Browser, judgement: Judgement, folder: Path, language: str = "zh") -> Image.Image:
    """Print a report on A4, and lay its first two pages side by side."""
    page = browser.new_page()
    page.set_content(human_report(judgement, language), wait_until="load")
    printed = folder / "report.pdf"
    page.pdf(path=str(printed), prefer_css_page_size=True)
    page.close()
    program = shutil.which("pdftoppm")
    if program is None:
        raise SystemExit("pdftoppm (poppler-utils) is not installed")
    for old in folder.glob("page*.png"):
        old.unlink()
    subprocess.run([program, "-png", "-r", "72", str(printed), str(folder / "page")], check=True)  # noqa: S603
    return beside([Image.open(each) for each in sorted(folder.glob("page*.png"))[:2]])


def beside(pictures: list[Image.Image], gap: int = 16) -> Image.Image:
    """Lay pictures side by side on grey."""
    height = max(each.height for each in pictures)
    out = Image.new("RGB", (sum(each.width + gap for each in pictures) + gap, height + 2 * gap), (214, 219, 224))
    left = gap
    for each in pictures:
        out.paste(each, (left, gap))
        left += each.width + gap
    return out


def main() -> None:
    """Make the pictures."""
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    office = Office.found()
    with verifier(office.trust()) as judge:
        sound = judge.explain(office.seal("ofd"), name="准予许可决定书.ofd")
        false = judge.explain(forged(office.seal("pdf")), name="准予许可决定书.pdf")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        keep("report-phone.png", beside([on_phone(browser, each) for each in (sound, false)]))
        keep("report-paper.png", beside([on_paper(browser, each, Path(folder)) for each in (sound, false)], 0))
        browser.close()


if __name__ == "__main__":
    main()
