"""easyofd reads our texts and finds the seals, with their pictures, where we put them."""

import hashlib
import io
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from PIL import Image

from seal.artwork import Design, draw
from seal.fonts import packaged_seal_font
from seal.formats.ofd import OFD_SES, Page, Text, write_simple_ofd
from tests.judges import easyofd

AT = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


def test_easyofd_reads_our_texts_and_takes_our_seals_out(bureau: Any) -> None:
    lines = ["准予行政许可决定书", "请在盖章处盖章"]
    pages = [Page(items=(Text(x_mm=30, y_mm=40, text=line, size_mm=6),)) for line in lines]
    plain = write_simple_ofd(pages, doc_id="0" * 32, title="样例", created=date(2026, 11, 22))
    picture = draw(Design(kind="department", name="云川市行政审批局"), font=packaged_seal_font(), dpi=300)
    mark = replace(bureau.mark(page=2, x_mm=100, y_mm=110), picture=picture)
    credential = bureau.credential(seseal=bureau.seal(picture=picture))

    def seal(document: bytes, page: int, hours: int) -> bytes:
        placed = replace(mark, placement=bureau.mark(page=page, x_mm=20 + hours, y_mm=30).placement)
        prepared = OFD_SES.prepare(document, placed, credential, AT + timedelta(hours=hours))
        return prepared.apply(bureau.signer.signer.sign)

    once = seal(plain, 2, 0)
    twice = seal(once, 1, 1)
    points = hashlib.sha256(Image.open(io.BytesIO(picture.png)).convert("RGBA").tobytes()).hexdigest()
    side = picture.width_mm
    first = easyofd.Seal(page=1, boundary=f"20 30 {side} {side}", pictures=(points,))
    second = easyofd.Seal(page=0, boundary=f"21 30 {side} {side}", pictures=(points,))
    for reading, seals in zip(easyofd.read(once, twice), ({first}, {first, second}), strict=True):
        assert (reading.pages, reading.texts) == (2, tuple(lines))
        assert set(reading.seals) == seals
