"""One small world, judged once: a PDF and an OFD, sound, forged, of an unknown authority."""

from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from crypto.digests import SHA256, sm3
from crypto.suites import ES256, SM2_SM3
from crypto.x509 import ROOT, SEAL_MAKER, SIGNER
from seal.evidence import with_evidence
from seal.formats.ofd import OFD_SES
from seal.formats.pdf import PDF_PADES
from seal.formats_table import document_type
from seal.model import Credential, FileFacts, Judgement, Mark
from seal.placing import AtPoint
from seal.ses import make_seseal
from seal.trust import Trust
from seal.verifying import verify_in_process
from tests.judges.ofd_picture import SEAL_NUMBER, certified
from tests.seal.pdf.making import make_picture, render
from tests.seal.trust.making import AT, DAY, NOW, World
from tests.sims.ofd_workshop import plain_document

MARK = Mark(seal_name="章", picture=make_picture(), placement=AtPoint.on(1, x_mm=20, y_mm=20), reason="准予<b>许可</b>")


@dataclass(frozen=True)
class Town:
    """Two sealed documents, whom to believe, and a way of judging."""

    world: World
    pdf: bytes
    ofd: bytes
    bare: bytes
    ofd_trust: Trust

    def judge(self, document: bytes, trust: Trust | None = None) -> Judgement:
        kind = document_type(document)
        believed = trust or (self.ofd_trust if kind.name == "ofd" else self.world.trust(self.world.listed()))
        facts = FileFacts(
            name=f"决定书.{kind.name}",
            media_type=kind.media_type,
            size=len(document),
            sm3=sm3(document),
            sha256=SHA256.digest(document),
        )
        report = with_evidence(verify_in_process(document, believed, now=NOW))
        return Judgement(file=facts, report=report, judged_at=NOW, as_of=None, register_asked=False)


def flipped(document: bytes, mark: bytes, after: int) -> bytes:
    at = document.index(mark) + after
    return document[:at] + bytes([document[at] ^ 1]) + document[at + 1 :]


@pytest.fixture(scope="session")
def town() -> Town:
    world = World()
    credential = Credential(certificate=world.signer.certificate, chain=(world.ca.certificate,), suite=ES256)
    bare = render()
    pdf = PDF_PADES.prepare(bare, MARK, credential, AT).apply(world.signer.signer.sign)
    root = certified("Sample Root", ROOT, AT)
    maker, signer = certified("Sample Maker", SEAL_MAKER, AT, root), certified(SEAL_NUMBER, SIGNER, AT, root)
    seseal = make_seseal(
        header_vid="XINYIN",
        esid=SEAL_NUMBER,
        kind=1,
        name="某某市政务服务数据管理局",
        certificates=[signer.certificate],
        created=AT,
        valid_from=AT - timedelta(hours=1),
        valid_to=AT + 300 * DAY,
        picture=MARK.picture,
        maker=maker.key,
        maker_certificate=maker.certificate,
    )
    sealing = replace(credential, certificate=signer.certificate, chain=(), suite=SM2_SM3, seseal=seseal)
    ofd = OFD_SES.prepare(plain_document(), MARK, sealing, AT).apply(signer.key.sign)
    return Town(world=world, pdf=pdf, ofd=ofd, bare=bare, ofd_trust=Trust(anchors=(root.certificate,)))


@pytest.fixture(scope="session")
def judgements(town: Town) -> dict[str, Judgement]:
    """What comes of each document: the name says what is the matter with it."""
    nobody = Trust(anchors=())
    return {
        "sound pdf": town.judge(town.pdf),
        "sound ofd": town.judge(town.ofd),
        "forged pdf": town.judge(flipped(town.pdf, b"stream\n", 20)),
        "unknown pdf": town.judge(town.pdf, town.world.trust()),
        "unknown ofd": town.judge(town.ofd, nobody),
        "bare pdf": town.judge(town.bare),
        "broken pdf": town.judge(town.pdf[:-40]),
    }
