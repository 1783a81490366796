"""A browser and a relying party in one: what a test does to the provider, it does through HTTP."""

import base64
import hashlib
import json
import re
import secrets
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from httpx2 import Client, Response

CALLBACK = "https://portal.example.test/callback"
AFTER_LOGOUT = "https://portal.example.test/bye"
PASSWORD = "correct horse 电池"


@dataclass
class Form:
    """A page's form: hidden fields and buttons."""

    fields: dict[str, str] = field(default_factory=dict)
    buttons: list[str] = field(default_factory=list)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.form: Form | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.form = Form()
        elif self.form is not None and tag == "input":
            self.form.fields[given["name"]] = given.get("value", "")
        elif self.form is not None and tag == "button":
            self.form.buttons.append(given.get("value", ""))


def form_of(page: Response) -> Form:
    reader = _Forms()
    reader.feed(page.text)
    assert reader.form is not None, page.text
    return reader.form


def payload(token: str) -> dict[str, Any]:
    part = token.split(".")[1]
    decoded: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return decoded


def challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def answer_of(response: Response) -> dict[str, str]:
    """The parameters that a redirect to the client carries."""
    assert response.status_code == 303, response.text
    query = urlsplit(response.headers["location"]).query
    return {name: values[0] for name, values in parse_qs(query, keep_blank_values=True).items()}


class Portal:
    """One browser with its cookies, at one client."""

    def __init__(self, http: Client, client_id: str, secret: str | None) -> None:
        self.http = http
        self.client_id = client_id
        self.secret = secret
        self.verifier = secrets.token_urlsafe(48)

    def query(self, **changed: str | None) -> dict[str, str]:
        asked: dict[str, str | None] = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": CALLBACK,
            "scope": "openid profile identity",
            "state": "af0ifjsldkj",
            "nonce": "n-0S6_WzA2Mj",
            "code_challenge": challenge(self.verifier),
            "code_challenge_method": "S256",
            **changed,
        }
        return {name: value for name, value in asked.items() if value is not None}

    def authorize(self, **changed: str | None) -> Response:
        """Ask for a code; give the first page or answer."""
        return self.follow(self.http.get("/oauth2/authorize?" + urlencode(self.query(**changed))))

    def follow(self, response: Response) -> Response:
        """Follow redirects as long as they stay at the provider."""
        while response.status_code == 303 and "/oauth2/" in response.headers["location"]:
            response = self.http.get(response.headers["location"])
        return response

    def send(self, page: Response, action: str, **values: str) -> Response:
        """Fill in a page's form and press a button."""
        form = form_of(page)
        assert action in form.buttons
        return self.follow(self.http.post(str(page.url), data={**form.fields, **values, "action": action}))

    def login(self, page: Response, username: str = "zhangsan", password: str = PASSWORD) -> Response:
        return self.send(page, "login", username=username, password=password)

    def sign_in(self, username: str = "zhangsan", **changed: str | None) -> Response:
        """Ask, log in, agree; give the answer."""
        page = self.authorize(**changed)
        if page.status_code == 200 and "password" in form_of(page).fields:
            page = self.login(page, username)
        if page.status_code == 200 and "allow" in form_of(page).buttons:
            page = self.send(page, "allow")
        return page

    def code(self, username: str = "zhangsan", **changed: str | None) -> str:
        return answer_of(self.sign_in(username, **changed))["code"]

    def token(self, *, secret: str | None = None, query: str = "", **form: str) -> Response:
        """Send a token request, with HTTP Basic if the client has a secret."""
        headers = {}
        if self.secret:
            credentials = base64.b64encode(f"{self.client_id}:{secret or self.secret}".encode()).decode()
            headers["Authorization"] = f"Basic {credentials}"
        return self.http.post(f"/oauth2/token{query}", data=form, headers=headers)

    def redeem(self, code: str, **changed: str) -> Response:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": CALLBACK,
            "code_verifier": self.verifier,
            **({} if self.secret else {"client_id": self.client_id}),
            **changed,
        }
        return self.token(**form)

    def tokens(self, **changed: str) -> dict[str, Any]:
        response = self.redeem(self.code(**changed))
        assert response.status_code == 200, response.text
        given: dict[str, Any] = response.json()
        return given

    def userinfo(self, token: str) -> Response:
        return self.http.get("/oauth2/userinfo", headers={"Authorization": f"Bearer {token}"})


def text_of(page: Response) -> str:
    """What a person reads."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text))
