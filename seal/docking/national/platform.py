"""The national platform's client: calls with token, envelope and frame, and every failure as one coded refusal.

Questions are asked again after a failure of the way; what changes something is sent once, and where no answer came
the refusal says that the outcome is unknown. What was refused unread (an old token, a used challenge) is sent anew.
"""

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from threading import Lock
from typing import Final, TypeVar

import structlog
from pydantic import BaseModel, ValidationError

from crypto.certificate import Certificate
from crypto.errors import CryptoError
from crypto.keys import Signer
from crypto.suites import SM2_SM3
from kernel.clock import Clock
from seal.docking.errors import (
    DockingAnswerUnreadable,
    DockingDataRefused,
    DockingDeclined,
    DockingLoginRefused,
    DockingOutcomeUnknown,
    DockingRefused,
    DockingSignatureRefused,
    DockingUnavailable,
)
from seal.docking.national.framing import envelope_sign, framed, password_hash
from seal.docking.national.model import (
    STAMP,
    Account,
    Deactivation,
    Dialect,
    Envelope,
    InvalidType,
    RandomAnswer,
    Receipt,
    Release,
    Renewal,
    RevokedAnswer,
    RevokedSeal,
    SecretAnswer,
    Standing,
    StatusAnswer,
    Task,
    TokenAnswer,
    stamp,
)
from seal.docking.upstream.wire import JSON
from seal.pki.http_post import HttpPost, PostFailed
from seal.ses.model import CHINA_TIME

TIMEOUT: Final = timedelta(seconds=15)
MAX_ANSWER: Final = 4 * 1024 * 1024
PAGE: Final = 100
MOST_PAGES: Final = 10_000
_MARGIN: Final = timedelta(seconds=30)
"""A token is not used for its last seconds."""
_TRIES: Final = 3
_LOGIN: Final = frozenset({400, 401, 403})

_log = structlog.get_logger("xinyin.docking")
Kind = TypeVar("Kind", bound=BaseModel)


class NationalPlatform:
    """Speaks to the platform for one account; safe between threads.

    ``signer`` is the SM2 key whose certificate is registered at the platform for this account.
    """

    def __init__(  # noqa: PLR0913 - its dependencies
        self,
        account: Account,
        *,
        signer: Signer,
        clock: Clock,
        post: HttpPost | None = None,
        dialect: Dialect | None = None,
        timeout: timedelta = TIMEOUT,
    ) -> None:
        if signer.suite is not SM2_SM3:
            raise DockingDataRefused("The platform takes SM2 signatures: name an SM2 key for it.")
        self._account = account
        self._signer = signer
        self._clock = clock
        self._post = post or HttpPost()
        self._dialect = dialect or Dialect()
        self._timeout = timeout
        self._token: tuple[str, datetime] | None = None
        self._lock = Lock()

    # --- questions ---

    def seal_status(self, code: str, name: str, certificate: Certificate | None = None) -> Standing | None:
        """Ask how the platform has a seal; None if it has none of this code."""
        asked = {"sealName": name, "sealCode": code, "queryTime": stamp(self._clock.now())}
        if certificate is not None:
            asked["certificate"] = certificate.pem()
        try:
            answer = self._call("status", asked, repeats=True)
        except DockingDeclined as declined:
            if declined.answer in self._dialect.unknown_seal:
                return None
            raise
        rows = [row for row in _rows(answer, StatusAnswer) if row.sealCode == code]
        if len(rows) != 1:
            raise DockingAnswerUnreadable("The platform was asked about one seal and answered about another number.")
        return Standing(rows[0].sealStatus)

    def revoked(self, since: datetime, *, size: int = PAGE, most_pages: int = MOST_PAGES) -> Iterator[RevokedSeal]:
        """List seals out of force since an instant, page after page; refuses a list that has no end."""
        for page in range(1, most_pages + 1):
            asked = {"beginTime": stamp(since), "pageNo": str(page), "pageSize": str(size)}
            rows = _rows(self._call("revoked", asked, repeats=True), RevokedAnswer)
            if len(rows) > size:
                raise DockingAnswerUnreadable("A page of the platform's list holds more than was asked for.")
            yield from (_revoked(row) for row in rows)
            if len(rows) < size:
                return
        raise DockingAnswerUnreadable("The platform's list of revoked seals does not end.")

    def random(self) -> str:
        """Get a challenge for one frame."""
        return _one(self._call("random", {}, repeats=True), RandomAnswer).random

    # --- changes ---

    def release(self, release: Release) -> Receipt:
        """File a seal; one that is there already is a success too."""
        try:
            return self._tell("release", release)
        except DockingDeclined as declined:
            if declined.answer not in self._dialect.known_seal:
                raise
            return Receipt(request_id=declined.request_id or "", code=declined.answer or "")

    def renew(self, renewal: Renewal) -> Receipt:
        """Tell of a longer validity."""
        return self._tell("renewal", renewal)

    def deactivate(self, deactivation: Deactivation) -> Receipt:
        """Put a seal out of force."""
        return self._tell("deactivate", deactivation)

    def refresh_secret(self) -> str:
        """Have the client's secret changed and give the new one; this object goes on with the old and is to be left."""
        return _one(self._call("secret", {"clientId": self._account.client}, repeats=False), SecretAnswer).clientSecret

    def _tell(self, method: str, task: Task) -> Receipt:
        code = self._dialect.methods[method]

        def frame() -> dict[str, str]:
            random, account = self.random(), self._account
            try:
                text = framed(task, code, identity=account.identity, random=random, signer=self._signer)
            except CryptoError as error:
                raise DockingUnavailable(
                    "The key that signs for the platform does not sign now: see `xinyin key check`."
                ) from error
            return {"data": text}

        try:
            answer = self._call(method, frame, repeats=False)
        except DockingSignatureRefused as refused:
            if refused.answer not in self._dialect.random_used:
                raise
            answer = self._call(method, frame, repeats=False)  # Refused unread: nothing was done. Once only.
        return Receipt(request_id=answer.requestId, code=answer.code)

    # --- one call ---

    def _call(self, method: str, asked: dict[str, str] | Callable[[], dict[str, str]], *, repeats: bool) -> Envelope:
        try:
            return self._once(method, asked() if callable(asked) else asked, repeats=repeats)
        except _TokenOver:
            with self._lock:
                self._token = None
        try:
            return self._once(method, asked() if callable(asked) else asked, repeats=repeats)
        except _TokenOver:
            raise DockingLoginRefused(
                "The platform calls a token over that it gave just now: compare the clocks, then ask its operator."
            ) from None

    def _once(self, method: str, asked: dict[str, str], *, repeats: bool) -> Envelope:
        account, name = self._account, self._dialect.methods[method]
        fields = {
            "method": name,
            "appKey": account.client,
            "username": account.user,
            "token": self._valid_token(),
            "timestamp": stamp(self._clock.now()),
            "format": "json",
            "version": "1.0",
            "type": "sync",
            **asked,
        }
        fields["sign"] = envelope_sign(account.secret, fields)
        answer = _read(self._send(self._dialect.call_path, fields, repeats=repeats), Envelope, changes=not repeats)
        self._judge(name, answer)
        return answer

    def _judge(self, name: str, answer: Envelope) -> None:
        code, dialect = answer.code, self._dialect
        if code in dialect.ok:
            return
        if code in dialect.token_over:
            raise _TokenOver
        # Its message may repeat what was sent: the code is logged and told, the words are not.
        _log.warning("platform_refused", method=name, answer=code, request=answer.requestId)
        refused: DockingRefused = DockingDeclined(f"The platform refuses {name} with code {code}: see its manual.")
        if code in dialect.login:
            refused = DockingLoginRefused(
                f"The platform refuses our account with code {code}: compare the docking file."
            )
        elif code in dialect.signature | dialect.random_used:
            refused = DockingSignatureRefused(
                f"The platform refuses our signature with code {code}: is this key's certificate registered there?"
            )
        refused.answer, refused.request_id = code, answer.requestId
        raise refused

    def _valid_token(self) -> str:
        with self._lock:
            now = self._clock.now()
            if self._token is None or self._token[1] <= now:
                given = self._login(now)
                lasts = timedelta(seconds=given.expires_in)
                self._token = given.access_token, now + max(lasts - _MARGIN, lasts / 2)
            return self._token[0]

    def _login(self, now: datetime) -> TokenAnswer:
        account, timestamp = self._account, stamp(now)
        fields = {
            "grant_type": "password",
            "client_id": account.client,
            "client_secret": account.secret,
            "username": account.user,
            "password": password_hash(account.password, account.salt, timestamp),
            "timestamp": timestamp,
            "version": "1.0",
        }
        return _read(self._send(self._dialect.token_path, fields, repeats=True), TokenAnswer, changes=False)

    def _send(self, path: str, fields: dict[str, str], *, repeats: bool) -> bytes:
        body = json.dumps(fields, ensure_ascii=False).encode()
        for left in reversed(range(_TRIES if repeats else 1)):
            try:
                return self._post.post(
                    self._account.url + path, body, sends=JSON, wants=JSON, timeout=self._timeout, max_size=MAX_ANSWER
                )
            except PostFailed as failed:
                _log.warning("platform_silent", path=path, cause=failed.detail, left=left)
                if failed.status in _LOGIN:
                    raise DockingLoginRefused(
                        f"The platform refuses us (status {failed.status}): compare the docking file and the clocks."
                    ) from failed
                last = failed
        said = f"The platform gives no answer: {last.fault.value} ({last.detail})."
        if repeats:
            raise DockingUnavailable(f"{said} Nothing was done there; it is tried again later.") from last
        raise DockingOutcomeUnknown(f"{said} Whether it did as asked is looked up before it is sent again.") from last


class _TokenOver(Exception):
    """The platform wants a newer token."""


def _read(body: bytes, kind: type[Kind], *, changes: bool) -> Kind:
    try:
        return kind.model_validate_json(body)
    except ValidationError:
        # Not chained: pydantic's text repeats the answer. An unreadable answer to a change tells nothing of it.
        if changes:
            raise DockingOutcomeUnknown(
                "The platform's answer cannot be read: whether it did as asked is unknown."
            ) from None
        raise DockingAnswerUnreadable("The platform's answer cannot be read: its interface may have changed.") from None


def _rows(answer: Envelope, kind: type[Kind]) -> list[Kind]:
    try:
        return [kind.model_validate(row) for row in answer.data]
    except ValidationError:
        raise DockingAnswerUnreadable("The data in the platform's answer are not what its method gives.") from None


def _one(answer: Envelope, kind: type[Kind]) -> Kind:
    rows = _rows(answer, kind)
    if len(rows) != 1:
        raise DockingAnswerUnreadable("The platform's answer holds no single row.")
    return rows[0]


def _revoked(row: RevokedAnswer) -> RevokedSeal:
    try:
        since = datetime.strptime(row.invalidEffectTime, STAMP).replace(tzinfo=CHINA_TIME)
    except ValueError:
        raise DockingAnswerUnreadable("A time in the platform's list is none.") from None
    return RevokedSeal(code=row.sealCode, name=row.sealName, why=InvalidType(row.invalidType), since=since)
