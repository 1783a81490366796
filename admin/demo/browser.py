"""A browser without a window: cookies, redirects and plain HTML forms, as a citizen's phone would use them."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.client import HTTPMessage
from http.cookiejar import CookieJar
from urllib.error import HTTPError
from urllib.parse import urlencode, urljoin
from urllib.request import HTTPCookieProcessor, ProxyHandler, Request, build_opener

TIMEOUT_SECONDS = 30
MAX_BODY = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back, after redirects."""

    url: str
    status: int
    headers: HTTPMessage
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")


@dataclass(slots=True)
class Form:
    """A form of a page: where it goes, how, and the values it holds."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)


class Browser:
    """Keeps cookies between calls; ``visit`` and ``submit`` follow redirects."""

    def __init__(self) -> None:
        # An empty ProxyHandler: the story never leaves this machine, whatever the environment says.
        self._opener = build_opener(ProxyHandler({}), HTTPCookieProcessor(CookieJar()))

    def visit(self, url: str, *, headers: dict[str, str] | None = None) -> Answer:
        """GET a page."""
        return self._send(Request(url, headers=headers or {}))  # noqa: S310 - the story's own http addresses

    def post(self, url: str, *, data: bytes, headers: dict[str, str]) -> Answer:
        """POST a body."""
        return self._send(Request(url, data=data, headers=headers, method="POST"))  # noqa: S310

    def submit(self, page: Answer, **values: str) -> Answer:
        """Fill in the page's first form and send it by its first button, as the return key does."""
        forms = read_forms(page.text)
        if not forms:
            raise LookupError(f"no form on {page.url}")
        form = forms[0]
        filled = {**form.fields, **values}
        filled.update(form.buttons[:1])
        target = urljoin(page.url, form.action or page.url)
        if form.method == "get":
            return self.visit(f"{target}?{urlencode(filled)}")
        return self.post(
            target, data=urlencode(filled).encode(), headers={"Content-Type": "application/x-www-form-urlencoded"}
        )

    def _send(self, request: Request) -> Answer:
        try:
            reply = self._opener.open(request, timeout=TIMEOUT_SECONDS)
        except HTTPError as error:
            reply = error
        with reply:
            return Answer(url=reply.url, status=reply.status, headers=reply.headers, body=reply.read(MAX_BODY))


class _FormReader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._open: Form | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open = Form(action=given.get("action", ""), method=given.get("method", "get").lower())
            self.forms.append(self._open)
        elif self._open is not None and "name" in given:
            is_button = tag == "button" or given.get("type") in {"submit", "image"}
            if is_button:
                self._open.buttons.append((given["name"], given.get("value", "")))
            elif tag == "input" and (given.get("type") not in {"checkbox", "radio"} or "checked" in given):
                self._open.fields[given["name"]] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None


def read_forms(html: str) -> list[Form]:
    """Give the forms of a page, hidden fields and defaults filled in."""
    reader = _FormReader()
    reader.feed(html)
    return reader.forms
