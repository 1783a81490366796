"""Names: built, read into text, compared."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto import der
from crypto.errors import CertificateError, CryptoError
from crypto.names import NameParts, name, name_text, same_name


def rdn(oid: str, value: bytes) -> bytes:
    return der.set_of([der.sequence(der.oid(oid), value)])


def test_a_name_reads_back_most_specific_part_first() -> None:
    built = name("某某局", "某某市人民政府", "11440300007542000X")

    assert name_text(built) == "CN=某某局,organizationIdentifier=11440300007542000X,O=某某市人民政府,C=CN"


def test_special_characters_are_escaped_as_rfc_4514_says() -> None:
    assert name_text(name(' #a,b+c"d\\<e>;f ')) == 'CN=\\ #a\\,b\\+c\\"d\\\\\\<e\\>\\;f\\ ,C=CN'


def test_a_leading_hash_is_escaped_and_control_characters_are_shown_in_hexadecimal() -> None:
    assert name_text(name("#1\n")) == "CN=\\#1\\0a,C=CN"


def test_a_value_that_is_no_text_is_shown_as_hexadecimal_of_its_der() -> None:
    raw = der.sequence(rdn("2.5.4.45", der.bit_string(b"\xb0")))

    assert name_text(raw) == "2.5.4.45=#030200b0"


def test_an_unknown_type_is_shown_dotted() -> None:
    assert name_text(der.sequence(rdn("1.2.3.4", der.utf8("x")))) == "1.2.3.4=x"


def test_several_attributes_of_one_part_are_joined_by_plus() -> None:
    pairs = [der.sequence(der.oid("2.5.4.3"), der.utf8("a")), der.sequence(der.oid("2.5.4.10"), der.utf8("b"))]

    assert name_text(der.sequence(der.set_of(pairs))) == "CN=a+O=b"


@pytest.mark.parametrize("text", ["", "x" * 65])
def test_a_part_is_neither_empty_nor_longer_than_64_characters(text: str) -> None:
    with pytest.raises(CertificateError, match="64"):
        name(text)


@pytest.mark.parametrize("country", ["C", "CHN", "中国", "1A"])
def test_a_country_is_two_letters(country: str) -> None:
    with pytest.raises(CertificateError):
        name("a", country=country)


def test_string_type_case_and_runs_of_space_do_not_count_in_comparison() -> None:
    one = der.sequence(rdn("2.5.4.3", der.printable("Some  Root CA")))
    other = der.sequence(rdn("2.5.4.3", der.utf8("some root ca ")))

    assert same_name(one, other)


def test_names_of_different_parts_differ() -> None:
    assert not same_name(name("a", "b"), name("a"))
    assert not same_name(name("a"), name("b"))


@given(st.text(min_size=1, max_size=64))
def test_any_text_survives(text: str) -> None:
    try:
        built = name(text)
    except UnicodeEncodeError:  # A lone surrogate is no text.
        return
    assert NameParts.from_der(built).value("2.5.4.3") == text


@given(st.binary(max_size=80))
def test_rubbish_is_refused_and_nothing_else(data: bytes) -> None:
    try:
        NameParts.from_der(data)
    except CryptoError:
        return


@pytest.mark.parametrize(
    ("unseen", "shown"), [("\u202e", r"\e2\80\ae"), ("\u200b", r"\e2\80\8b"), ("\x9b", r"\c2\9b"), ("\x00", r"\00")]
)
def test_characters_that_are_not_seen_are_shown_by_their_octets(unseen: str, shown: str) -> None:
    assert name_text(name(f"某某局{unseen}印章")) == f"CN=某某局{shown}印章,C=CN"
