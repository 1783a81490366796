"""Licence identifiers (GB/T 36904): published ones are read, and no slip of the pen gets through."""

import json
import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from license_store import identifier

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "gbt36904.json").read_text("utf-8"))
CAPITALS = string.digits + string.ascii_uppercase
identifiers = st.builds(
    identifier.make,
    type_code=st.text(CAPITALS, min_size=21, max_size=21),
    issuer=st.text(CAPITALS, min_size=18, max_size=18),
    serial=st.text(CAPITALS, min_size=1, max_size=64),
    version=st.integers(1, 999),
)


@pytest.mark.parametrize("text", VECTORS["right"])
def test_a_published_identifier_is_read_and_written_back(text: str) -> None:
    assert str(identifier.parse(text)) == text


@pytest.mark.parametrize("text", VECTORS["wrong"])
def test_a_published_identifier_with_a_wrong_check_character_is_refused(text: str) -> None:
    with pytest.raises(identifier.NotAnIdentifier, match="check character"):
        identifier.parse(text)


def test_a_region_code_as_issuer_is_read_and_flagged_but_never_made() -> None:
    read = identifier.parse(VECTORS["right"][3])
    assert read.issuer_is_region
    with pytest.raises(identifier.NotAnIdentifier):
        identifier.make(type_code=read.type_code, issuer=read.issuer, serial="1", version=1)


@given(identifiers)
def test_what_is_made_is_read_back(made: identifier.Identifier) -> None:
    assert identifier.parse(str(made)) == made


@given(identifiers, st.data())
def test_any_single_changed_character_is_caught(made: identifier.Identifier, data: st.DataObject) -> None:
    text = str(made)
    place = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.characters().filter(lambda character: character != text[place]))
    with pytest.raises(identifier.NotAnIdentifier):
        identifier.parse(text[:place] + other + text[place + 1 :])


@pytest.mark.parametrize("version", [0, 1000])
def test_a_version_outside_three_digits_is_refused(version: int) -> None:
    with pytest.raises(identifier.NotAnIdentifier, match="version"):
        identifier.make(type_code="0" * 21, issuer="0" * 18, serial="1", version=version)


@given(st.text())
def test_no_text_makes_the_reader_fail_otherwise(text: str) -> None:
    with pytest.raises(identifier.NotAnIdentifier):
        identifier.parse(text)
