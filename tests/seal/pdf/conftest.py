"""Sealers, a mark, a licence to seal and the corpus of signed documents."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from crypto.suites import ES256, SM2_SM3
from seal.model import Mark
from seal.placing import AtPoint
from tests.seal.pdf.making import Sealer, make_picture, make_sealer, render


@pytest.fixture(scope="session")
def p256_sealer() -> Sealer:
    return make_sealer(ES256)


@pytest.fixture(scope="session")
def sm2_sealer() -> Sealer:
    return make_sealer(SM2_SM3)


@pytest.fixture(params=["SM2-SM3", "ES256"])
def sealer(request: pytest.FixtureRequest, p256_sealer: Sealer, sm2_sealer: Sealer) -> Sealer:
    return p256_sealer if request.param == "ES256" else sm2_sealer


@pytest.fixture(scope="session")
def mark() -> Mark:
    placement = AtPoint.on(-1, x_mm=140, y_mm=230)
    return Mark(seal_name="某某区行政审批局", picture=make_picture(), placement=placement, reason="签发证照")


@pytest.fixture(scope="session")
def licence() -> bytes:
    """A page as our own renderer makes it."""
    return render()


@pytest.fixture(scope="session")
def pdf_corpus(corpus: Path) -> Path:
    return corpus / "pdf"


@pytest.fixture(scope="session")
def expected(pdf_corpus: Path) -> Mapping[str, str]:
    rows = json.loads((pdf_corpus / "expected.json").read_text())
    return {file: row["expect"] for file, row in rows.items()}
