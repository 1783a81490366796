"""Our licences are PDF/A-2b: veraPDF says it. That seals leave them so is asked with everything we make."""

from tests.judges.pdf_java import verapdf
from tests.judges.pdf_papers import make_licence
from tests.seal.pdf.making import render


def test_a_licence_is_pdf_a_2b() -> None:
    assert verapdf(make_licence()).complaints == ()


def test_verapdf_names_the_clauses_a_plain_page_fails() -> None:
    # ISO 19005-2 6.6.4: nothing in the metadata says that it is PDF/A.
    assert "6.6.4-1" in verapdf(render()).complaints
