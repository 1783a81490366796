"""A national seal platform on 127.0.0.1: checks tokens, envelopes, challenges and SM2 signatures, and can fail."""

import base64
import binascii
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, Self

from crypto.keys import PublicKey
from crypto.suites import SM2_SM3
from seal.docking.national.framing import JOINER, envelope_sign, frame_text, password_hash, task_text
from seal.docking.national.model import STAMP, Account, Dialect
from seal.ses.model import CHINA_TIME
from tests.sims.posting import Answered, Posted, PostServer

FRESH = timedelta(minutes=5)
LIFE = 7200


class Mood(Enum):
    """What the platform does with a call."""

    GOOD = "good"
    WRONG_SIGNATURE = "wrong signature"
    TOKEN_EXPIRED = "token expired"
    RANDOM_REPLAYED = "random replayed"
    DECLINES = "declines"
    ERROR_500 = "error 500"
    MALFORMED = "malformed"
    NO_CODE = "no code"
    WRONG_DATA = "wrong data"
    ENDLESS = "endless"
    WRONG_TYPE = "wrong type"
    TOO_LARGE = "too large"
    SLOW = "slow"
    DOES_AND_CLOSES = "does and closes"


@dataclass
class Filed:
    """A seal as the platform has it."""

    code: str
    name: str
    until: str
    signature: str
    status: str = "1"
    why: str = ""
    since: str = ""


@dataclass
class NationalSimulator:
    """``mood`` holds for changes and queries, not for logging in; ``times`` bounds it to so many calls."""

    account: Account
    key: PublicKey
    now: Callable[[], datetime]
    dialect: Dialect = field(default_factory=Dialect)
    mood: Mood = Mood.GOOD
    times: int | None = None
    only: str | None = None
    """The one call that the mood is for; every call if left out."""
    seals: dict[str, Filed] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    tokens: dict[str, datetime] = field(default_factory=dict)
    randoms: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.secret = self.account.secret
        self.server = PostServer(self._answer)

    @property
    def url(self) -> str:
        return self.server.url

    def __enter__(self) -> Self:
        self.server.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.__exit__()

    def fail(self, mood: Mood, *, only: str | None = None, times: int | None = None) -> None:
        self.mood, self.only, self.times = mood, only, times

    def _answer(self, posted: Posted) -> Answered:
        fields: dict[str, str] = json.loads(posted.body)
        if posted.path == self.dialect.token_path:
            return self._token(fields)
        short = next(name for name, method in self.dialect.methods.items() if method == fields["method"])
        self.calls.append(short)
        mood = self._mood(short)
        early = {
            Mood.ERROR_500: Answered(b"{}", status=500),
            Mood.MALFORMED: Answered(b'{"code": "0", "data": [' + b"[" * 50_000),
            Mood.NO_CODE: Answered(b'{"data": []}'),
            Mood.TOO_LARGE: Answered(b'{"code": "0", "message": "' + b"x" * 5_000_000 + b'"}'),
            Mood.SLOW: Answered(silent=True),
        }
        if mood in early:
            return early[mood]
        answer = self._envelope(fields, short, mood)
        if answer["code"] != "0":
            self.refused.append(answer["code"])
        kind = "text/html" if mood is Mood.WRONG_TYPE else "application/json"
        return Answered(json.dumps(answer).encode(), kind=kind, closes=mood is Mood.DOES_AND_CLOSES)

    def _mood(self, short: str) -> Mood:
        if self.only not in (None, short) or self.times == 0:
            return Mood.GOOD
        if self.times is not None:
            self.times -= 1
        return self.mood

    def _token(self, fields: dict[str, str]) -> Answered:
        account = self.account
        expected = {
            "grant_type": "password",
            "client_id": account.client,
            "client_secret": self.secret,
            "username": account.user,
            "password": password_hash(account.password, account.salt, fields["timestamp"]),
            "version": "1.0",
        }
        if {**fields, "timestamp": ""} != {**expected, "timestamp": ""} or not self._fresh(fields["timestamp"]):
            return Answered(b"{}", status=401)
        token = secrets.token_hex(16)
        self.tokens[token] = self.now() + timedelta(seconds=LIFE)
        return Answered(json.dumps({"access_token": token, "expires_in": LIFE, "token_type": "bearer"}).encode())

    def _fresh(self, text: str) -> bool:
        at = datetime.strptime(text, STAMP).replace(tzinfo=CHINA_TIME)
        return abs(self.now() - at) <= FRESH

    def _envelope(self, fields: dict[str, str], short: str, mood: Mood) -> dict[str, Any]:
        code, data = self._code(fields, mood), []
        if code == "0":
            code, data = getattr(self, f"_on_{short}")(fields, mood)
        if mood is Mood.WRONG_DATA:
            data = [{"sealCode": 7}]
        request = secrets.token_hex(8)
        return {
            "method": fields["method"],
            "requestId": request,
            "code": code,
            "data": data,
            "message": "张三 13800138000",
        }

    def _code(self, fields: dict[str, str], mood: Mood) -> str:
        if (fields["appKey"], fields["username"], fields["format"], fields["version"], fields["type"]) != (
            self.account.client,
            self.account.user,
            "json",
            "1.0",
            "sync",
        ):
            return "1002"
        if fields["sign"] != envelope_sign(self.secret, fields) or not self._fresh(fields["timestamp"]):
            return "1003"
        if mood is Mood.TOKEN_EXPIRED or self.tokens.get(fields["token"], self.now()) <= self.now():
            self.tokens.pop(fields["token"], None)
            return "1001"
        return "9999" if mood is Mood.DECLINES else "0"

    # --- calls ---

    def _on_random(self, fields: dict[str, str], mood: Mood) -> tuple[str, list[dict[str, str]]]:
        del fields
        made = "0" * 32 if mood is Mood.RANDOM_REPLAYED else secrets.token_hex(16)
        if mood is not Mood.RANDOM_REPLAYED:
            self.randoms.add(made)
        return "0", [{"random": made}]

    def _on_status(self, fields: dict[str, str], mood: Mood) -> tuple[str, list[dict[str, str]]]:
        del mood
        seal = self.seals.get(fields["sealCode"])
        return ("2001", []) if seal is None else ("0", [{"sealCode": seal.code, "sealStatus": seal.status}])

    def _on_revoked(self, fields: dict[str, str], mood: Mood) -> tuple[str, list[dict[str, str]]]:
        page, size = int(fields["pageNo"]), int(fields["pageSize"])
        gone = [seal for seal in self.seals.values() if seal.status == "2" and seal.since >= fields["beginTime"]]
        rows = [
            {"sealCode": s.code, "sealName": s.name, "invalidType": s.why, "invalidEffectTime": s.since} for s in gone
        ]
        return "0", rows[:size] if mood is Mood.ENDLESS else rows[(page - 1) * size : page * size]

    def _on_secret(self, fields: dict[str, str], mood: Mood) -> tuple[str, list[dict[str, str]]]:
        del mood
        assert fields["clientId"] == self.account.client
        self.secret = secrets.token_urlsafe(24)
        return "0", [{"clientSecret": self.secret}]

    def _on_release(self, fields: dict[str, str], mood: Mood) -> tuple[str, list[dict[str, str]]]:
        code, data = self._opened(fields, mood)
        if code == "0" and data["sealCode"] in self.seals:
            return "2002", []
        if code == "0":
            name, until, signature = data["sealName"], data["validEnd"], data["signature"]
            self.seals[data["sealCode"]] = Filed(data["sealCode"], name, until, signature)
        return code, []

    def _on_renewal(self, fields: dict[str, str], mood: Mood) -> tuple[str, list[dict[str, str]]]:
        code, data = self._opened(fields, mood)
        if code == "0" and data["sealCode"] not in self.seals:
            return "2001", []
        if code == "0":
            seal = self.seals[data["sealCode"]]
            seal.until, seal.signature = data["validEndTime"], data["signature"]
        return code, []

    def _on_deactivate(self, fields: dict[str, str], mood: Mood) -> tuple[str, list[dict[str, str]]]:
        code, data = self._opened(fields, mood)
        if code != "0":
            return code, []
        found = [seal for seal in self.seals.values() if seal.signature == data["signature"]]
        if not found:
            return "2001", []
        found[0].status, found[0].why, found[0].since = "2", data["invalidType"], data["invalidEffectTime"]
        return "0", []

    def _opened(self, fields: dict[str, str], mood: Mood) -> tuple[str, dict[str, str]]:
        """Check a frame: identity, challenge of ours and not used, both signatures."""
        identity, random, rest = fields["data"].split(JOINER, 2)
        body, signature = rest.rsplit(JOINER, 1)
        task = json.loads(body)
        if mood is Mood.WRONG_SIGNATURE or identity != self.account.identity:
            return "1004", {}
        if random not in self.randoms:
            return "1005", {}
        self.randoms.discard(random)
        signed = (
            (frame_text(identity, random, body), signature),
            (task_text(task["taskCode"], task["taskData"], random), task["taskSignature"]),
        )
        if task["taskCode"] != fields["method"] or not all(self._verifies(*each) for each in signed):
            return "1004", {}
        return "0", task["taskData"]

    def _verifies(self, text: bytes, signature: str) -> bool:
        try:
            return self.key.verify(SM2_SM3, text, base64.b64decode(signature, validate=True))
        except binascii.Error:
            return False
