"""Typesetting: templates of ours, filled in with texts of others, as PDF/A-2b or pictures."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import typst

from license_store.model import RenderingFailed
from seal.errors import GlyphMissing
from seal.fonts import Font, named

_TEMPLATES = Path(__file__).parent / "templates" / "render"
_MISFIT = "does not fit"
"""What a template's assertion says when no size of type is small enough."""


class Typesetter:
    """Sets templates. Safe to share between threads, not across a fork.

    One compiler is kept for each template: making one costs ten times a page. System fonts are left aside, so
    the same facts give the same octets on every machine.
    """

    def __init__(self, font: Font) -> None:
        self.font = font
        self._fonts = typst.Fonts(
            include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(font.path.parent)]
        )
        self._compilers: dict[str, typst.Compiler] = {}
        self._lock = threading.Lock()

    @contextmanager
    def compiler(self, template: str) -> Iterator[typst.Compiler]:
        """Lend the compiler of a template to one thread at a time; answer what does not fit with a refusal."""
        with self._lock:
            compiler = self._compilers.get(template)
            if compiler is None:
                compiler = typst.Compiler(
                    str(_TEMPLATES / template),
                    root=str(_TEMPLATES),
                    font_paths=self._fonts,
                    ignore_system_fonts=True,
                )
                self._compilers[template] = compiler
            try:
                yield compiler
            except typst.TypstError as error:
                if _MISFIT not in str(error):
                    raise
                raise RenderingFailed(
                    "The data do not fit on the page, even in the smallest type: shorten them."
                ) from error

    def facts(self, data: Mapping[str, object]) -> str:
        """Put everything that varies into one JSON text, so that data are never markup; GlyphMissing if unshowable."""
        facts = json.dumps({"font": self.font.family, **data}, ensure_ascii=False)
        absent = self.font.missing(facts)
        if absent:
            raise GlyphMissing(f"The font {self.font.family} has no glyph for {named(absent)}.")
        return facts
