"""SVG of ours to PNG, by the SVG engine that comes with the typesetter of licences."""

import typst

_MM_PER_INCH = 25.4
_MOST_PIXELS = 40_000_000
_LEAST_DPI, _MOST_DPI = 10, 600
_PAGE = """#set page(width: {width:.4f}mm, height: {height:.4f}mm, margin: 0mm)
#image("page.svg", width: 100%, height: 100%)"""


def fitting_dpi(dpi: int, width_mm: float, height_mm: float) -> int:
    """Give the resolution nearest to ``dpi`` at which the page is not too large a picture."""
    square_inches = width_mm * height_mm / _MM_PER_INCH**2
    most = int((_MOST_PIXELS / square_inches) ** 0.5)
    return max(_LEAST_DPI, min(dpi, most, _MOST_DPI))


def to_png(svg: str, width_mm: float, height_mm: float, dpi: int) -> bytes:
    """Draw an SVG page at ``dpi`` dots an inch."""
    source = _PAGE.format(width=width_mm, height=height_mm).encode()
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False)
    compiler = typst.Compiler(  # type: ignore[type-var]  # its stub does not know virtual files
        {"main.typ": source, "page.svg": svg.encode()}, font_paths=fonts, ignore_system_fonts=True
    )
    png = compiler.compile(format="png", ppi=dpi)
    if not isinstance(png, bytes):
        raise TypeError("one page makes one picture")
    return png
