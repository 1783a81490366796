"""Verifying and sealing OFD: invoices and 200 pages against our goals, a sealing against its bare cryptography."""

import os
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from benchmarks.row import Contender, Row, Spread, cpu_microseconds
from crypto.digests import SM3
from crypto.engines import default_engine
from crypto.keys import PublicKey, digest_to_sign
from crypto.suites import SM2_SM3
from crypto.vaults.software import make_key, open_key
from crypto.x509 import ROOT, SEAL_MAKER, SIGNER, Certificate, CertificateProfile, make_certificate, name
from seal.artwork import Design, draw
from seal.formats.ofd import OFD_SES, Page, Text, verify_ofd, write_simple_ofd
from seal.formats.ofd.package import OfdPackage
from seal.model import Credential, Mark, Picture, Verdict
from seal.placing import AtPoint, Edge, Placement, Straddle
from seal.ses import make_seseal
from seal.trust import Trust

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
YEAR = timedelta(days=365)
ROUNDS = 20
INVOICE = "ofd/ofd/999.ofd"
"""A real invoice of five pages, not ours to ship: measured where the tests' corpus is at hand."""
GOAL_VERIFY, GOAL_STRADDLE = 50_000.0, 1_000_000.0
"""µs of CPU time that are not to be exceeded."""
REACH_FLOOR = 1 / 3
PAGES, STRADDLED = 10, 200


class _Key:
    suite = SM2_SM3

    def __init__(self) -> None:
        made = make_key(SM2_SM3, default_engine())
        self.public_key: PublicKey = made.public_key
        self._sign = open_key(SM2_SM3, default_engine(), made.pkcs8)

    def sign(self, message: bytes) -> bytes:
        return self._sign(digest_to_sign(SM2_SM3, self.public_key, message))


@dataclass(frozen=True, kw_only=True)
class _Bureau:
    """A root, a signer and its seal."""

    root: Certificate
    signer: _Key
    credential: Credential
    picture: Picture

    @classmethod
    def open(cls) -> "_Bureau":
        keys = root, maker, signer = _Key(), _Key(), _Key()
        anchor = _certificate("Bench Root", root, ROOT, root, None)
        makers = _certificate("Bench Maker", maker, SEAL_MAKER, keys[0], anchor)
        signers = _certificate("44030000000001", signer, SIGNER, keys[0], anchor)
        picture = draw(Design(kind="department", name="某某区行政审批局", line="审批专用章"))
        seal = make_seseal(
            header_vid="XINYIN",
            esid="44030000000001",
            kind=1,
            name="信印基准测试专用章",
            certificates=[signers],
            created=NOW - timedelta(days=1),
            valid_from=NOW - timedelta(days=1),
            valid_to=NOW + YEAR,
            picture=picture,
            maker=maker,
            maker_certificate=makers,
        )
        credential = Credential(certificate=signers, chain=(), suite=SM2_SM3, seseal=seal)
        return cls(root=anchor, signer=signer, credential=credential, picture=picture)

    def seal(self, document: bytes, placement: Placement) -> bytes:
        mark = Mark(seal_name="章", picture=self.picture, placement=placement)
        return OFD_SES.prepare(document, mark, self.credential, NOW).apply(self.signer.sign)


def rows() -> list[dict[str, object]]:
    """Measure; some ten seconds."""
    bureau = _Bureau.open()
    measured = [*_verifying(bureau), _sealing(bureau), _straddling(bureau)]
    return [row.as_dict() for row in measured]


def _verifying(bureau: _Bureau) -> list[Row]:
    """Judge the real invoice where it is at hand, and a document of ours of as many pages."""
    ours = bureau.seal(_document(5), AtPoint.on(1, x_mm=100, y_mm=100))
    trust = Trust(anchors=(bureau.root,))
    assert verify_ofd(ours, trust).verdict is Verdict.VALID
    documents = {"verify 5 pages of ours, one seal": ours}
    if real := _invoice():
        assert verify_ofd(real, trust).verdict is Verdict.INDETERMINATE
        documents["verify 999.ofd (5 pages, one seal)"] = real
    made = []
    for work, document in documents.items():
        (cost,) = cpu_microseconds(
            [Contender(run=lambda each=document: verify_ofd(each, trust), times=3)], rounds=ROUNDS
        )
        made.append(_against_goal(work, cost, GOAL_VERIFY))
    return made


def _sealing(bureau: _Bureau) -> Row:
    """Seal; the peer hashes every file of the sealed package and signs twice, which no sealing can do without."""
    document = _document(PAGES)
    sealed = OfdPackage(bureau.seal(document, AtPoint.on(1, x_mm=100, y_mm=100)))
    contents = [sealed.read(path) for path in sealed.paths]

    def floor() -> None:
        for content in contents:
            SM3.digest(content)
        for _ in range(2):
            bureau.signer.sign(contents[0])

    mine, bare = cpu_microseconds(
        [
            Contender(run=lambda: bureau.seal(document, AtPoint.on(1, x_mm=100, y_mm=100)), times=3),
            Contender(run=floor, times=3),
        ],
        rounds=ROUNDS,
    )
    return Row(
        work=f"seal {PAGES} pages",
        unit="µs CPU",
        ours=mine,
        peer="SM3 of its files, two SM2 signatures",
        theirs=bare,
        reach=REACH_FLOOR,
    )


def _straddling(bureau: _Bureau) -> Row:
    document = _document(STRADDLED)
    run = Contender(run=lambda: bureau.seal(document, Straddle(edge=Edge.RIGHT)), times=1)
    (cost,) = cpu_microseconds([run], rounds=5)
    return _against_goal(f"straddle seal over {STRADDLED} pages", cost, GOAL_STRADDLE)


def _against_goal(work: str, cost: Spread, goal: float) -> Row:
    return Row(
        work=work,
        unit="µs CPU",
        ours=cost,
        peer=f"goal: {goal / 1000:g} ms",
        theirs=Spread(p50=goal, p99=None),
        reach=1,
    )


def _invoice() -> bytes | None:
    beside = Path(__file__).resolve().parents[2] / "shared" / "corpus"
    found = Path(os.environ.get("XINYIN_CORPUS") or beside) / INVOICE
    return found.read_bytes() if found.is_file() else None


def _document(pages: int) -> bytes:
    lines = [f"第{number}项 一般经营项目及其说明，金额合计一百二十三元四角五分" for number in range(20)]
    items = tuple(Text(x_mm=20, y_mm=20 + 10 * row, text=line, size_mm=4) for row, line in enumerate(lines))
    return write_simple_ofd(
        [Page(items=items) for _ in range(pages)], doc_id="0" * 32, title="基准", created=date(2026, 11, 22)
    )


def _certificate(
    called: str, key: _Key, profile: CertificateProfile, issuer_key: _Key, issuer: Certificate | None
) -> Certificate:
    return make_certificate(
        subject=name(called),
        public_key=key.public_key,
        issuer=issuer,
        issuer_key=issuer_key,
        serial=int.from_bytes(called.encode()[:8], "big"),
        not_before=NOW - YEAR,
        not_after=NOW + YEAR,
        profile=profile,
    )
