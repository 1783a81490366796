"""Fonts: what they can show, and how they name what they cannot."""

from seal.fonts import named, packaged_font, packaged_seal_font, seal_font


def test_the_packaged_font_shows_chinese_and_rare_characters_and_no_emoji() -> None:
    assert packaged_font().missing("证照 abc\n䶮𬱖😀กa😀") == "😀ก"


def test_what_is_missing_is_named_with_its_code_point() -> None:
    assert named("😀ก") == "😀 (U+1F600), ก (U+0E01)"


def test_a_font_for_seals_is_always_at_hand() -> None:
    assert packaged_font().path == packaged_seal_font().path
    assert packaged_font().path.is_file()
    assert not seal_font().missing("印章")
