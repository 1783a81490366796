"""Seal artwork: what is drawn, and what is refused because it cannot be."""

import io
from dataclasses import replace

import pytest
from PIL import Image

from seal.errors import ArtworkRefused
from seal.image import RED, RoundSeal, draw_round_seal, has_glyph, packaged_font, seal_font
from seal.model import Picture

NAME = "某某市政务服务数据管理局"


def drawn(*, dpi: int = 100, **words: object) -> Picture:
    return draw_round_seal(replace(RoundSeal(name=NAME), **words), font=packaged_font(), dpi=dpi)  # type: ignore[arg-type]


def opened(picture: Picture) -> Image.Image:
    return Image.open(io.BytesIO(picture.png))


def inked(image: Image.Image, box: tuple[float, float, float, float]) -> float:
    """Give the share of ink in a box given in parts of the picture's size."""
    size = image.width
    alpha = image.getchannel("A").crop(tuple(round(part * size) for part in box))  # type: ignore[arg-type]
    return sum(alpha.tobytes()) / 255 / (alpha.width * alpha.height)


def test_a_seal_is_drawn_at_its_printed_size() -> None:
    picture = drawn(dpi=300)
    image = opened(picture)
    assert (picture.width_mm, picture.height_mm) == (42, 42)
    assert image.size == (496, 496)
    assert image.info["dpi"] == pytest.approx((300, 300), abs=0.1)
    assert image.mode == "RGBA"


def test_ink_is_red_on_a_transparent_ground() -> None:
    image = opened(drawn())
    colours = image.getcolors(maxcolors=100_000)
    assert colours is not None
    assert {colour[:3] for _, colour in colours if colour[3]} == {RED}  # type: ignore[index]
    assert image.getpixel((0, 0)) == (255, 255, 255, 0)


def test_ring_star_and_name_are_where_they_belong() -> None:
    image = opened(drawn())
    assert inked(image, (0.48, 0.001, 0.52, 0.026)) > 0.9  # the ring's top
    assert inked(image, (0.46, 0.44, 0.54, 0.52)) > 0.9  # the star's heart
    assert inked(image, (0.45, 0.06, 0.55, 0.16)) > 0.2  # the name's middle, under the ring
    assert inked(image, (0.35, 0.72, 0.65, 0.93)) == 0  # free without text below and code


def test_text_below_and_code_fill_the_lower_part() -> None:
    image = opened(drawn(below="审批专用章", code="4403000000001"))
    assert inked(image, (0.3, 0.66, 0.7, 0.74)) > 0.2
    assert inked(image, (0.4, 0.9, 0.6, 0.96)) > 0.1


@pytest.mark.parametrize("length", range(4, 26))
def test_every_length_of_name_is_legible_and_even(length: int) -> None:
    """The left half carries as much as the right: names are centred; and every character leaves ink."""
    image = opened(drawn(name="国" * length, star=False))
    left, right = inked(image, (0, 0, 0.5, 1)), inked(image, (0.5, 0, 1, 1))
    assert left == pytest.approx(right, rel=0.03)
    assert left > 0.1


def test_the_same_words_give_the_same_octets() -> None:
    assert drawn().png == drawn().png


def test_a_missing_glyph_is_refused_by_name() -> None:
    with pytest.raises(ArtworkRefused, match="GRINNING FACE"):
        drawn(name="某某市\U0001f600政务局")
    assert not has_glyph(packaged_font(), " ")


@pytest.mark.parametrize(
    "words",
    [
        {"name": "三字名"},
        {"name": "国" * 26},
        {"below": "九个汉字太长放不下"},
        {"code": "编码"},
        {"code": "1" * 19},
        {"diameter_mm": 10},
    ],
)
def test_words_that_do_not_fit_are_refused(words: dict[str, object]) -> None:
    with pytest.raises(ArtworkRefused):
        drawn(**words)  # type: ignore[arg-type]


def test_a_font_is_always_at_hand() -> None:
    assert packaged_font().path.is_file()
    assert has_glyph(seal_font(), "章")
