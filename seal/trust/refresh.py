"""Refreshing: fetch revocation lists and OCSP answers for certificates we know, verify them, keep them.

Only addresses in certificates that are trusted or our own are asked, never those in a document; and nothing that
was kept is removed, for documents of past times are judged by it.
"""

import secrets
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

import structlog

from crypto.crl import MAX_CRL, RevocationList
from crypto.digests import sm3
from crypto.errors import CryptoError
from crypto.ocsp import CertId, CertStatus, SingleAnswer, make_request
from crypto.ocsp_answer import MAX_ANSWER, SKEW, OcspAnswer, OcspProblem, parse_answer, verify_answer
from crypto.revocation import Revocation, RevocationJudge, Standing
from crypto.vaults.files import make_folder, write_once
from crypto.x509 import Certificate
from kernel.clock import Clock
from seal.pki.http_post import HttpPost, PostFailed, is_public
from seal.trust.files import ANSWER_FILE, CRLS, LIST_FILE, OCSP, read_list
from seal.trust.model import Trust, TrustSource

_log = structlog.get_logger("xinyin.trust")
TIMEOUT = timedelta(seconds=15)
_PORTS = frozenset({None, 80, 443})
_WEB = ("http://", "https://")
_LEAST_AHEAD = timedelta(hours=1)
"""How long before a fact ends a newer one is fetched, at least; else a quarter of its life."""


class State(StrEnum):
    """What became of one fact."""

    STORED = "stored"
    UNCHANGED = "unchanged"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of asking one address for one thing; ``detail`` has the exact cause of a failure."""

    url: str
    about: str
    state: State
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Errand:
    """One address to ask: for the list of ``issuer``, or, with ``certificate``, about that certificate."""

    url: str
    issuer: Certificate
    certificate: Certificate | None = None


class _Unfit(Exception):
    """What was fetched is not kept; the text says why."""


class Refresher:
    """Fetches facts into a trust folder.

    ``trust`` gives the anchors, intermediates and facts of now, ``known`` our own certificates and those above them.
    ``hosts`` are hosts that the operator named: only they may have private addresses and unusual ports.
    """

    def __init__(  # noqa: PLR0913 - its dependencies
        self,
        folder: Path,
        *,
        trust: TrustSource,
        clock: Clock,
        known: Callable[[], Iterable[Certificate]] = tuple,
        hosts: Iterable[str] = (),
        timeout: timedelta = TIMEOUT,
    ) -> None:
        self._folder = folder
        self._trust = trust
        self._clock = clock
        self._known = known
        self._hosts = frozenset(host.lower() for host in hosts)
        self._timeout = timeout
        self._http = HttpPost(reachable=self._reachable)

    def refresh(self, *, only_due: bool = False) -> tuple[Outcome, ...]:
        """Ask every address, or only those whose newest fact ends soon, and keep what holds."""
        trust, now = self._trust(), self._clock.now()
        errands = [each for each in self._errands(trust) if not only_due or _due(each, trust, now)]
        return tuple(self._run(each, trust) for each in errands)

    def keep(self) -> int:
        """Fetch what is due, log what could not be had, and tell how many facts are new."""
        outcomes = self.refresh(only_due=True)
        for each in outcomes:
            if each.state is State.FAILED:
                _log.warning("fact_not_fetched", url=each.url, about=each.about, cause=each.detail)
        return sum(each.state is State.STORED for each in outcomes)

    def take_list(self, octets: bytes) -> Outcome:
        """Keep a list that was brought by hand, of an authority that is known."""
        trust = self._trust()
        try:
            read = read_list(octets)
            issuer = next((each for each in self._authorities(trust) if read.issued_by(each)), None)
            if issuer is None:
                detail = "no authority that is known here signed it"
                return Outcome(url="", about="revocation list", state=State.FAILED, detail=detail)
            return self._keep_list(read, _Errand(url="", issuer=issuer), trust)
        except (CryptoError, _Unfit, OSError) as error:
            return Outcome(url="", about="revocation list", state=State.FAILED, detail=str(error))

    # --- whom to ask ---

    def _authorities(self, trust: Trust) -> tuple[Certificate, ...]:
        return tuple(dict.fromkeys((*trust.anchors, *trust.intermediates, *self._known())))

    def _errands(self, trust: Trust) -> Iterator[_Errand]:
        authorities = self._authorities(trust)
        own = frozenset(self._known())
        asked: set[tuple[str, bytes, bytes]] = set()
        for certificate in authorities:
            issuer = next((each for each in authorities if certificate.issued_by(each)), None)
            if issuer is None or certificate.self_issued:
                continue
            lists = [_Errand(url=url, issuer=issuer) for url in certificate.crl_urls]
            # A responder is asked about our own certificates and authorities; lists speak of all others as well.
            single = certificate in own or certificate.is_ca
            answers = [_Errand(url=url, issuer=issuer, certificate=certificate) for url in certificate.ocsp_urls]
            for each in (*lists, *(answers if single else ())):
                key = each.url, issuer.raw, b"" if each.certificate is None else each.certificate.raw
                if each.url.lower().startswith(_WEB) and key not in asked:
                    asked.add(key)
                    yield each

    def _reachable(self, host: str, address: str) -> bool:
        if host.lower() in self._hosts:
            return True
        return is_public(address)

    # --- asking ---

    def _run(self, errand: _Errand, trust: Trust) -> Outcome:
        about = (errand.certificate or errand.issuer).subject_text
        try:
            self._check_port(errand.url)
            if errand.certificate is None:
                octets = self._http.get(errand.url, timeout=self._timeout, max_size=MAX_CRL)
                return self._keep_list(read_list(octets), errand, trust)
            return self._ask(errand, errand.certificate)
        except (CryptoError, _Unfit) as error:
            detail = str(error)
        except PostFailed as error:
            detail = f"{error.fault.value}: {error.detail}"
        except OSError as error:
            detail = f"it could not be kept: {error.strerror or error}"
        return Outcome(url=errand.url, about=about, state=State.FAILED, detail=detail)

    def _check_port(self, url: str) -> None:
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port
        except ValueError as error:
            raise _Unfit(f"the address is none: {error}") from error
        if port not in _PORTS and host not in self._hosts:
            raise _Unfit(f"port {port} is asked only of hosts that the operator named")

    def _keep_list(self, read: RevocationList, errand: _Errand, trust: Trust) -> Outcome:
        now = self._clock.now()
        if read.not_understood:
            raise _Unfit(f"the list restricts itself in a way not used here: {', '.join(sorted(read.not_understood))}")
        if not read.issued_by(errand.issuer):
            raise _Unfit(f"the list is not signed by {errand.issuer.subject_text}")
        if read.this_update > now + SKEW:
            raise _Unfit(f"the list is from the future: {read.this_update.isoformat()}")
        newest = newest_list(trust, errand, like=read)
        if newest is not None and newest.raw != read.raw and _older(read, newest):
            raise _Unfit(f"the list {_dated(read)} is older than the one at hand {_dated(newest)}")
        if errand.url and read.next_update is not None and read.next_update < now:
            raise _Unfit(f"the list is stale: a newer one was due {read.next_update.isoformat()}")
        name = f"{_mark(errand.issuer.raw)}-{read.this_update:%Y%m%dT%H%M%SZ}-{read.number or 0}-{_mark(read.raw)}"
        return self._keep(CRLS, name + LIST_FILE, read.raw, errand, f"list {_dated(read)}, {len(read)} entries")

    def _ask(self, errand: _Errand, certificate: Certificate) -> Outcome:
        now, nonce = self._clock.now(), secrets.token_bytes(32)
        request = make_request([CertId.of(certificate.serial, errand.issuer)], nonce=nonce)
        octets = self._http.post(
            errand.url,
            request,
            sends="application/ocsp-request",
            wants="application/ocsp-response",
            timeout=self._timeout,
            max_size=MAX_ANSWER,
        )
        answer = parse_answer(octets)
        # RFC 9654 and RFC 5019 let a responder leave the nonce out; another one is no answer to this question.
        sent = nonce if answer.nonce is not None else None
        problems = verify_answer(answer, certificate, issuer=errand.issuer, at=now, nonce=sent)
        if problems:
            raise _Unfit(f"the answer does not hold: {_why(answer, problems)}")
        said = answer.about(certificate, errand.issuer)
        finding = RevocationJudge(
            Revocation(crls=self._trust().facts.crls, answers=(answer,)), at=now, now=now
        ).finding(certificate, errand.issuer)
        if said is None or said.status is CertStatus.UNKNOWN:
            raise _Unfit("the OCSP responder does not know it")
        if finding.standing is Standing.UNKNOWN:
            raise _Unfit(f"the answer says nothing: {finding.why}")
        name = f"{_mark(certificate.raw)}-{said.this_update:%Y%m%dT%H%M%SZ}-{_mark(answer.raw)}"
        return self._keep(OCSP, name + ANSWER_FILE, answer.raw, errand, f"{said.status.value}, {_dated(said)}")

    def _keep(self, kind: str, name: str, octets: bytes, errand: _Errand, detail: str) -> Outcome:
        make_folder(self._folder / kind)
        state = State.STORED
        try:
            write_once(self._folder / kind / name, octets)
        except FileExistsError:
            state = State.UNCHANGED
        about = (errand.certificate or errand.issuer).subject_text
        return Outcome(url=errand.url, about=about, state=state, detail=detail)


def newest_list(trust: Trust, errand: _Errand, *, like: RevocationList | None = None) -> RevocationList | None:
    """Find the newest list at hand that answers an errand; ``like``: of the same scope only."""
    lists = (
        each
        for each in trust.facts.crls
        if each.issued_by(errand.issuer)
        and not each.not_understood
        and (like is None or each.scope == like.scope)
        and (like is not None or not each.scope.urls or errand.url in each.scope.urls)
    )
    return max(lists, key=lambda each: each.this_update, default=None)


def _due(errand: _Errand, trust: Trust, now: datetime) -> bool:
    if errand.certificate is None:
        newest = newest_list(trust, errand)
        return newest is None or _ends_soon(newest.this_update, newest.next_update, now)
    said = [
        one
        for one in (each.about(errand.certificate, errand.issuer) for each in trust.facts.answers)
        if one is not None
    ]
    newest_said = max(said, key=lambda each: each.this_update, default=None)
    return newest_said is None or _ends_soon(newest_said.this_update, newest_said.next_update, now)


def _ends_soon(since: datetime, until: datetime | None, now: datetime) -> bool:
    if until is None:
        return now - since > _LEAST_AHEAD
    ahead = max((until - since) / 4, min(_LEAST_AHEAD, (until - since) / 2))
    return now >= until - ahead


def _older(read: RevocationList, newest: RevocationList) -> bool:
    if read.number is not None and newest.number is not None and read.number != newest.number:
        return read.number < newest.number
    return read.this_update < newest.this_update


def _why(answer: OcspAnswer, problems: tuple[OcspProblem, ...]) -> str:
    told = ", ".join(problem.value for problem in problems)
    return f"{told} ({answer.status.name.lower()})" if OcspProblem.NOT_SUCCESSFUL in problems else told


def _dated(fact: RevocationList | SingleAnswer) -> str:
    number = f"{fact.number} " if isinstance(fact, RevocationList) and fact.number is not None else ""
    until = f" until {fact.next_update.isoformat()}" if fact.next_update else ""
    return f"{number}of {fact.this_update.isoformat()}{until}"


def _mark(octets: bytes) -> str:
    return sm3(octets).hex()[:16]
