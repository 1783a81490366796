"""Pages: server-rendered HTML that works without scripts, in Chinese first, under a policy that allows nothing else.

A floor's templates live in ``<floor>/templates/<floor>/`` and extend ``base.html``; their parts are in ``parts.html``.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from functools import lru_cache, partial
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

import jinja2
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from kernel.assets import static_app, static_url
from kernel.csrf import CsrfTokens

if TYPE_CHECKING:
    from kernel.problem import Problem

LANGUAGES = ("zh", "en")
_LANGUAGE_COOKIE, _TYPE_COOKIE = "xinyin_lang", "xinyin_type"
_YEAR = 365 * 24 * 3600
# The People's Republic has one zone, and no summer time since 1991.
_CHINA = timezone(timedelta(hours=8))
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*")
_AUTHORITY = re.compile(r"[A-Za-z0-9.-]+(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?")
_NEVER_A_TARGET = frozenset({"javascript", "data", "blob", "filesystem", "about", "file", "vbscript"})

_HEADERS: Mapping[str, str] = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Vary": "Cookie, Accept-Language",
}
# Title and advice of the error page by status: Chinese title, English title, Chinese advice, English advice.
_WORDS: Mapping[int, tuple[str, str, str, str]] = {
    400: (
        "请求有误",
        "Something in the request is wrong",
        "请返回上一页，检查后重试。",
        "Go back, check and try again.",
    ),
    401: ("请先登录", "Please sign in", "您尚未登录，或登录已失效。", "You are not signed in, or no longer."),
    403: (
        "没有权限",
        "Not allowed",
        "您的账号没有这项权限，或页面已过期。",
        "Your account may not do this, or the page expired.",
    ),
    404: ("没有找到", "Not found", "请检查网址或编号是否完整。", "Check that the address or the number is complete."),
    405: ("请求有误", "Something in the request is wrong", "请返回上一页重新操作。", "Go back and start again."),
    409: (
        "现在不能这样做",
        "Not possible now",
        "情况已有变化，请刷新后重试。",
        "Things have changed: reload and try again.",
    ),
    413: ("文件太大", "The file is too large", "请选择较小的文件。", "Choose a smaller file."),
    415: (
        "不支持这种文件",
        "This kind of file is not supported",
        "请上传 PDF 或 OFD 文件。",
        "Upload a PDF or OFD file.",
    ),
    422: (
        "填写有误",
        "Something is not filled in right",
        "请返回上一页，检查后重试。",
        "Go back, check and try again.",
    ),
    429: ("操作太频繁", "Too many attempts", "请稍等几分钟再试。", "Wait a few minutes and try again."),
    503: (
        "暂时无法办理",
        "Not available now",
        "您的操作没有生效，请稍后再试。",
        "Nothing was done; please try again later.",
    ),
}
_OTHERWISE = (
    "系统出错",
    "Something went wrong",
    "问题已被记录，请稍后再试。",
    "It has been recorded; please try again later.",
)
_EXPLAINED = frozenset({400, 403, 409, 413, 415, 429})


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """How the person in front of the page wants to read it."""

    lang: str
    large: bool

    def t(self, zh: str, en: str) -> str:
        """Choose the text in the reader's language."""
        return zh if self.lang == "zh" else en


class Pages:
    """Renders the templates of ``floors`` (package names, besides the kernel's own).

    Every page carries a Content-Security-Policy that allows our own style sheet and images and no script.
    ``csrf_key`` (32 octets or more) signs form tokens. With ``secure`` cookies travel on HTTPS only; anything but
    development on plain HTTP leaves it on.
    """

    def __init__(
        self, floors: Iterable[str] = (), *, csrf_key: bytes, secure: bool = True, static: str = "/static"
    ) -> None:
        self._secure = secure
        self._csrf = CsrfTokens(csrf_key, secure=secure)
        # One environment a language, so that ``t`` needs no context and works inside imported macros.
        self._environments = {lang: _compiled(("kernel", *floors), lang, static) for lang in LANGUAGES}

    def reader(self, request: Request, lang: str | None = None) -> Reader:
        """Tell how to address the person: ``lang`` if given, else ?lang, the cookie, Accept-Language, Chinese."""
        asked = request.query_params.get("type") or request.cookies.get(_TYPE_COOKIE)
        wishes = (lang, request.query_params.get("lang"), request.cookies.get(_LANGUAGE_COOKIE))
        chosen = next((wish for wish in wishes if wish in LANGUAGES), None)
        return Reader(lang=chosen or _accepted_language(request), large=asked == "large")

    def render(  # noqa: PLR0913 - each is one header or one choice of the page
        self,
        request: Request,
        template: str,
        status: int = 200,
        *,
        lang: str | None = None,
        form_action: Iterable[str] = (),
        cache: str = "no-store",
        **context: object,
    ) -> HTMLResponse:
        """Render ``template`` as a whole answer.

        ``form_action`` names the URLs outside that a form of this page may end up at by redirect: browsers apply
        the policy to the redirect too, so a login page names its client's redirect URI. ``cache`` is the
        Cache-Control value; a page with a form or a changed setting is never cached, whatever it says.
        """
        reader = self.reader(request, lang)
        form = self._csrf.form(request)
        html = (
            self._environments[reader.lang]
            .get_template(template)
            .render(context, large=reader.large, links=_links(request), csrf_field=form.field)
        )
        response = HTMLResponse(html, status_code=status, headers=_HEADERS)
        response.headers["Content-Security-Policy"] = _policy(form_action)
        response.headers["Content-Language"] = reader.t("zh-CN", "en")
        personal = self._remember(request, response)
        if form.used:
            form.attach(response)
            personal = True
        response.headers["Cache-Control"] = "no-store" if personal else cache
        return response

    def error(self, request: Request, problem: "Problem") -> HTMLResponse:
        """Render the page of a problem: what happened, what to do, and the numbers to quote."""
        words = _WORDS.get(problem.status, _OTHERWISE)
        reader = self.reader(request)
        return self.render(
            request,
            "error.html",
            problem.status,
            title=reader.t(words[0], words[1]),
            advice=reader.t(words[2], words[3]),
            # A bug's or an unknown page's detail tells a person nothing.
            detail=problem.detail if problem.status in _EXPLAINED else "",
            code=problem.code,
            request_id=problem.request_id,
        )

    def check_csrf(self, request: Request, token: str | None) -> None:
        """Refuse with CsrfRefused unless ``token`` (form field ``csrf``) was made for this browser by us."""
        self._csrf.check(request, token)

    def _remember(self, request: Request, response: Response) -> bool:
        """Keep a choice made by a link in a cookie; tell whether there was one."""
        choices = (
            (_LANGUAGE_COOKIE, request.query_params.get("lang"), LANGUAGES),
            (_TYPE_COOKIE, request.query_params.get("type"), ("large", "normal")),
        )
        made = [(cookie, choice) for cookie, choice, known in choices if choice in known]
        for cookie, choice in made:
            response.set_cookie(cookie, choice or "", max_age=_YEAR, secure=self._secure, httponly=True, samesite="lax")
        return bool(made)


@lru_cache(maxsize=32)
def _compiled(floors: tuple[str, ...], lang: str, static: str) -> jinja2.Environment:
    """Share one environment among all who show the same floors: its templates are compiled once a process."""
    return environment(jinja2.ChoiceLoader([jinja2.PackageLoader(name) for name in floors]), lang, static)


def environment(loader: jinja2.BaseLoader, lang: str, static: str) -> jinja2.Environment:
    """Make what renders templates in one language: ``t`` chooses the text, ``day`` and ``moment`` write times.

    ``brief`` writes an instant in figures alone, for tables: the page says once that it is China's time.
    """
    made = jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    made.globals.update(lang=lang, t=Reader(lang=lang, large=False).t, static=partial(static_url, static))
    made.filters.update(day=partial(_day, lang), moment=partial(_moment, lang), brief=_brief)
    return made


def _day(lang: str, value: date) -> str:
    """Write a date, or an instant's date in China."""
    if isinstance(value, datetime):
        value = value.astimezone(_CHINA).date()
    return f"{value.year}年{value.month}月{value.day}日" if lang == "zh" else f"{value.day} {value:%B %Y}"


def _moment(lang: str, value: datetime) -> str:
    """Write an instant to the second in China's time, and say so."""
    clock = f"{value.astimezone(_CHINA):%H:%M:%S}"
    return f"{_day(lang, value)} {clock}（北京时间）" if lang == "zh" else f"{_day(lang, value)}, {clock} (UTC+8)"


def _brief(value: datetime) -> str:
    """Write an instant to the second in China's time, in figures alone."""
    return f"{value.astimezone(_CHINA):%Y-%m-%d %H:%M:%S}"


def _links(request: Request) -> dict[str, str]:
    """Links to this same page with one setting changed: a query alone, so no path or host is ever echoed."""
    settings: tuple[tuple[str, str, str], ...] = (
        ("zh", "lang", "zh"),
        ("en", "lang", "en"),
        ("large", "type", "large"),
        ("normal", "type", "normal"),
    )
    kept = [(key, value) for key, value in request.query_params.multi_items() if key not in {"lang", "type"}]
    return {name: "?" + urlencode([*kept, (key, value)]) for name, key, value in settings}


def _accepted_language(request: Request) -> str:
    """Give the first of our languages in Accept-Language (RFC 9110 12.5.4) by weight; Chinese when none is."""
    best, weight = "zh", 0.0
    for item in request.headers.get("accept-language", "")[:500].split(","):
        tag, _, parameter = item.strip().partition(";")
        try:
            quality = float(parameter.strip().removeprefix("q=")) if parameter else 1.0
        except ValueError:
            continue
        lang = tag.strip().lower().split("-")[0]
        if lang in LANGUAGES and quality > weight:
            best, weight = lang, quality
    return best


def _policy(form_action: Iterable[str]) -> str:
    targets = " ".join(dict.fromkeys(("'self'", *(_source(url) for url in form_action))))
    return (
        f"default-src 'none'; style-src 'self'; img-src 'self' data:; form-action {targets}; "
        "frame-ancestors 'none'; base-uri 'none'"
    )


def _source(url: str) -> str:
    """Turn a URL into a policy source: its origin, or the bare scheme of a native app's redirect URI."""
    parts = urlsplit(url)
    if not _SCHEME.fullmatch(parts.scheme) or parts.scheme in _NEVER_A_TARGET:
        raise ValueError("a form may only lead to an absolute URL of a harmless scheme")
    if parts.scheme not in {"http", "https"}:
        return f"{parts.scheme}:"
    if not _AUTHORITY.fullmatch(parts.netloc):
        raise ValueError("a form may only lead to a URL with a plain host name")
    return f"{parts.scheme}://{parts.netloc}"


__all__ = ["LANGUAGES", "Pages", "Reader", "environment", "static_app"]
