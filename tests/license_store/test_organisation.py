"""Organisation codes (GB 32100): our check agrees with python-stdnum's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import uscc

from license_store import organisation

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
bodies = st.builds(
    "{}{}{}".format,
    st.text(ALPHABET, min_size=2, max_size=2),
    st.text("0123456789", min_size=6, max_size=6),
    st.text(ALPHABET, min_size=9, max_size=9),
)


@given(bodies)
def test_the_check_character_is_the_one_stdnum_computes(body: str) -> None:
    assert organisation.check_character(body) == uscc.calc_check_digit(body)


@given(bodies, st.data())
def test_any_single_changed_character_is_caught(body: str, data: st.DataObject) -> None:
    code = body + organisation.check_character(body)
    assert organisation.parse(code) == code
    place = data.draw(st.integers(0, 17))
    other = data.draw(st.characters().filter(lambda character: character != code[place]))
    with pytest.raises(organisation.NotAnOrganisationCode):
        organisation.parse(code[:place] + other + code[place + 1 :])


@pytest.mark.parametrize(
    "text", ["", "91440300MA9999999", "91440300MA9999999FF", "９１440300MA9999999F", "91440300ma9999999f"]
)
def test_what_is_no_code_is_refused(text: str) -> None:
    with pytest.raises(organisation.NotAnOrganisationCode):
        organisation.parse(text)


def test_the_region_is_six_digits_of_the_code() -> None:
    assert organisation.region(organisation.parse("91440300MA9999999F")) == "440300"
