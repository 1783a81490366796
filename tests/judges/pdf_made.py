"""What we seal, for outside judges to look at: a format or level joins by one row."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from crypto.suites import ES256, PS256, RS256, SM2_SM3, Suite
from seal.formats.pdf import PDF_GM_CMS, PDF_SES
from seal.levels import Level
from seal.placing import AtKeyword, AtPoint, Edge, PageList, Placement, Straddle
from tests.judges.judgement import DOC_TIMESTAMP
from tests.judges.pdf_papers import KEYWORD, Papers
from tests.judges.pdf_stamping import raised_by_us, stamped_by_us
from tests.judges.pdf_world import Sealed, World, asked

NO_PKCS7 = ("6.4.3-2", "6.4.3-3")
GM_SEAL, GM_CMS = "GM.sm2seal", "GM.sm2cms.detached"
_ELSEWHERE = AtPoint.on(-1, x_mm=20, y_mm=150)
_YEARS = 2.5
Make = Callable[[Sequence[World], Papers], Sealed]


@dataclass(frozen=True, slots=True)
class Signed:
    """What a judge must find of one signature, or one document time-stamp."""

    level: str
    """As EN 319 142-1 names it, without the words before; empty for formats that have none."""
    by: str
    """The name of a suite, or GM_SEAL or GM_CMS."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """One kind of document we make."""

    what: str
    suites: tuple[Suite, ...]
    signed: tuple[Signed, ...]
    """In the order of signing, document time-stamps last."""
    make: Make
    closes: bool = False
    """Whether its last signature permits no change."""
    ended: bool = False
    """Whether the signer's certificate is over when it is judged."""
    unread: tuple[str, ...] = ()
    """Judges that stop at one signature, and then say nothing of another that they could judge."""
    faults: tuple[str, ...] = ()
    """What keeps it from being PDF/A-2b: clauses of ISO 19005-2 with the test's number."""

    @property
    def whole(self) -> bool:
        """Whether the last revision is a signature's or a stamp's."""
        return self.signed[-1].level != "LT"

    @property
    def closing(self) -> list[bool]:
        """Tell of each signature and stamp whether it permits no change."""
        last = max(place for place, each in enumerate(self.signed) if each.level != DOC_TIMESTAMP)
        return [self.closes and place == last for place in range(len(self.signed))]

    def __str__(self) -> str:
        return f"{self.what}, {' and '.join(suite.name for suite in self.suites)}"


def _row(
    what: str, suite: Suite, levels: Sequence[str], make: Make, *, closes: bool = False, ended: bool = False
) -> Made:
    signed = tuple(Signed(level, suite.name) for level in levels)
    return Made(what=what, suites=(suite,), signed=signed, make=make, closes=closes, ended=ended)


def _leveled(suite: Suite) -> Iterator[Made]:
    # RSA has the levels between once: only what stands in the messages differs.
    for level in (Level.B, Level.LTA) if suite is PS256 else Level:
        name = level.removeprefix("b-").upper()
        stamps = [DOC_TIMESTAMP] * (level is Level.LTA)
        yield _row(f"one seal, {level.upper()}", suite, [name, *stamps], _at_level(level))


def _at_level(level: Level) -> Make:
    def make(worlds: Sequence[World], papers: Papers) -> Sealed:
        return asked(worlds[0].seal(papers.licence, level=level), worlds, alone=level.lasting)

    return make


def _renewed(worlds: Sequence[World], papers: Papers) -> Sealed:
    (world,) = worlds
    return asked(world.renew(world.seal(papers.licence, level=Level.LTA), _YEARS), worlds, years=_YEARS, alone=True)


def _two(level: Level) -> Make:
    def make(worlds: Sequence[World], papers: Papers) -> Sealed:
        once = worlds[0].seal(papers.licence, level=level)
        return asked(worlds[0].seal(once, level=level, placement=_ELSEWHERE), worlds, alone=level.lasting)

    return make


def _closed(level: Level) -> Make:
    def make(worlds: Sequence[World], papers: Papers) -> Sealed:
        return asked(worlds[0].seal(papers.licence, level=level, closes=True), worlds, alone=level.lasting)

    return make


def _locked(worlds: Sequence[World], papers: Papers) -> Sealed:
    (world,) = worlds
    return asked(world.seal(world.seal(papers.licence), placement=_ELSEWHERE, closes=True), worlds)


def _with_second(level: Level) -> Make:
    def make(worlds: Sequence[World], papers: Papers) -> Sealed:
        seen, hidden = worlds
        sealed = hidden.seal(seen.seal(papers.licence, level=level), level=level, shown=False)
        return asked(sealed, worlds, alone=level.lasting)

    return make


def _ses_with_second(level: Level) -> Make:
    def make(worlds: Sequence[World], papers: Papers) -> Sealed:
        seen, hidden = worlds
        once = seen.seal(papers.licence, layout=PDF_SES, level=Level.T if level.stamped else Level.B)
        return asked(hidden.seal(once, level=level, shown=False), worlds).trusting(seen.issuer)

    return make


def _placed(placement: Placement) -> Make:
    def make(worlds: Sequence[World], papers: Papers) -> Sealed:
        return asked(worlds[0].seal(papers.pages, placement=placement), worlds)

    return make


def _streamed(worlds: Sequence[World], papers: Papers) -> Sealed:
    return asked(worlds[0].seal(papers.streamed), worlds)


def _ses(level: Level = Level.B, *, closes: bool = False) -> Make:
    def make(worlds: Sequence[World], papers: Papers) -> Sealed:
        sealed = asked(worlds[0].seal(papers.licence, layout=PDF_SES, level=level, closes=closes), worlds)
        return sealed.trusting(worlds[0].issuer)  # an e-seal brings no certificates above its signer

    return make


def _gm_cms(level: Level = Level.B) -> Make:
    def make(worlds: Sequence[World], papers: Papers) -> Sealed:
        return asked(worlds[0].seal(papers.licence, layout=PDF_GM_CMS, level=level), worlds)

    return make


def _chinese(what: str, by: str, make: Make, *, closes: bool = False) -> Made:
    signed = (Signed("", by),)
    return Made(what=what, suites=(SM2_SM3,), signed=signed, make=make, closes=closes, faults=NO_PKCS7)


def _both(what: str, levels: Sequence[str], level: Level) -> Made:
    suites = (SM2_SM3, ES256)
    signed = tuple(Signed(each, suite.name) for each in levels for suite in suites)
    unread = ("DSS",) if level.stamped else ()  # no SM3, and it ends with an exception where a stamp has it
    return Made(what=what, suites=suites, signed=signed, make=_with_second(level), unread=unread)


def _ses_and_second(what: str, levels: Sequence[str], level: Level) -> Made:
    signed = (Signed("", GM_SEAL), *(Signed(each, ES256.name) for each in levels))
    suites = (SM2_SM3, ES256)
    return Made(what=what, suites=suites, signed=signed, make=_ses_with_second(level), faults=NO_PKCS7)


def _others(what: str, levels: Sequence[str], make: Callable[[bytes], Sealed]) -> Made:
    return Made(
        what=what,
        suites=(ES256,),
        signed=tuple(Signed(level, ES256.name) for level in levels),
        make=lambda _, papers: make(papers.licence),
    )


_P256_AND_SM2 = (ES256, SM2_SM3)
MADE: tuple[Made, ...] = (
    *(row for suite in (ES256, RS256, PS256, SM2_SM3) for row in _leveled(suite)),
    *(
        row
        for suite in _P256_AND_SM2
        for row in (
            _row("B-LTA renewed", suite, ["LTA", DOC_TIMESTAMP, DOC_TIMESTAMP], _renewed, ended=True),
            _row("two seals, B-B", suite, ["B", "B"], _two(Level.B)),
            _row("two seals, B-LTA", suite, ["LTA", "LTA", DOC_TIMESTAMP, DOC_TIMESTAMP], _two(Level.LTA)),
            _row("closed", suite, ["B"], _closed(Level.B), closes=True),
            _row("closed, B-LTA", suite, ["LTA", DOC_TIMESTAMP], _closed(Level.LTA), closes=True),
            _row("a later seal that locks", suite, ["B", "B"], _locked, closes=True),
        )
    ),
    _both("two signatures of one sealing, B-B", ["B"], Level.B),
    _both("two signatures of one sealing, B-LTA", ["LTA", DOC_TIMESTAMP], Level.LTA),
    _row("over the edges of four pages", ES256, ["B"], _placed(Straddle(edge=Edge.RIGHT))),
    _row("on a list of pages", ES256, ["B"], _placed(AtPoint(pages=PageList.parse("1,3-4"), x_mm=140, y_mm=200))),
    _row("at a keyword", ES256, ["B"], _placed(AtKeyword(text=KEYWORD))),
    Made(
        what="a file with a cross-reference stream",
        suites=(ES256,),
        signed=(Signed("B", ES256.name),),
        make=_streamed,
    ),
    _others("our document time-stamp over another's signature", ["T", DOC_TIMESTAMP], stamped_by_us),
    _others("another's signature raised to B-LTA", ["LTA", DOC_TIMESTAMP], raised_by_us),
    _chinese("e-seal", GM_SEAL, _ses()),
    _chinese("e-seal, stamped", GM_SEAL, _ses(Level.T)),
    _chinese("e-seal, closed", GM_SEAL, _ses(closes=True), closes=True),
    _chinese("GB/T 35275", GM_CMS, _gm_cms()),
    _chinese("GB/T 35275, stamped", GM_CMS, _gm_cms(Level.T)),
    _ses_and_second("e-seal and a second signature, B-B", ["B"], Level.B),
    _ses_and_second("e-seal, stamped, and a second signature, B-LTA", ["LTA", DOC_TIMESTAMP], Level.LTA),
)

_LEFT_OUT = frozenset(
    {
        "two seals, B-B",
        "closed, B-LTA",
        "on a list of pages",
        "two signatures of one sealing, B-LTA",
        "e-seal, stamped",
        "GB/T 35275, stamped",
        "e-seal and a second signature, B-B",
        "two signatures of one sealing, B-B",
    }
)
ARCHIVED = tuple(
    row
    for row in MADE
    if row.what not in _LEFT_OUT and (ES256 in row.suites or row.faults or row.what == "two seals, B-LTA")
)
"""Those veraPDF is asked about, a quarter of a second each: what others have in them too is left out."""
