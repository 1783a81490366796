"""Facts about revocation that a verifier has at hand: kept read, sorted and verified once."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from itertools import chain
from typing import TypeVar

from crypto.crl import RevocationList
from crypto.errors import CryptoError
from crypto.names import Folded, fold_name
from crypto.ocsp_answer import OcspAnswer, parse_answer
from crypto.revocation import Revocation
from crypto.revoked import Revoked
from crypto.x509 import Certificate

_Fact = TypeVar("_Fact", bound=RevocationList | OcspAnswer)
NEAREST = 12
"""Lists and answers chosen on each side of the time asked for, and as many of the newest."""


@dataclass(frozen=True, kw_only=True)
class KeptList(RevocationList):
    """A list that remembers whose key made its signature: with a hundred thousand entries that is worth while."""

    checked: dict[bytes, bool] = field(default_factory=dict, compare=False, repr=False)

    def signed_by(self, spki: bytes) -> bool:
        """Whether the key in ``spki`` made the signature."""
        if spki not in self.checked:
            self.checked[spki] = super().signed_by(spki)
        return self.checked[spki]


@dataclass(frozen=True, kw_only=True)
class KeptAnswer(OcspAnswer):
    """An answer that remembers whose key made its signature."""

    checked: dict[bytes, bool] = field(default_factory=dict, compare=False, repr=False)

    def signed_by(self, spki: bytes) -> bool:
        """Whether the key in ``spki`` made the signature."""
        if spki not in self.checked:
            self.checked[spki] = super().signed_by(spki)
        return self.checked[spki]


def kept_list(octets: bytes) -> KeptList:
    """Read a list; a CertificateError if the octets are none."""
    read = RevocationList.from_der(octets)
    return KeptList(**{each.name: getattr(read, each.name) for each in fields(read)})


def kept_answer(octets: bytes) -> KeptAnswer:
    """Read an OCSP answer; an OcspError if the octets are none."""
    read = parse_answer(octets)
    return KeptAnswer(**{each.name: getattr(read, each.name) for each in fields(read)})


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnWord:
    """What an authority of our own has on record of its certificates: word that needs no signature."""

    issuer: Certificate
    revoked: Mapping[int, Revoked]
    """By serial; all others are good."""


class Facts:
    """Lists, OCSP answers and our own authorities' word, each found by whom it speaks of. Never changes."""

    def __init__(
        self,
        *,
        crls: Iterable[RevocationList] = (),
        answers: Iterable[OcspAnswer] = (),
        own: Iterable[OwnWord] = (),
        unread: Iterable[str] = (),
    ) -> None:
        self.crls = tuple(crls)
        self.answers = tuple(answers)
        self.own = tuple(own)
        self.unread = tuple(unread)
        """Why facts that lay at hand were not read, one sentence each."""
        self._lists: defaultdict[Folded, list[RevocationList]] = defaultdict(list)
        for each in sorted(self.crls, key=_issued):
            self._lists[fold_name(each.issuer)].append(each)
        self._answers: defaultdict[int, list[OcspAnswer]] = defaultdict(list)
        # An answer that says nothing has no time, and no certificate it could be found by.
        for answer in sorted((each for each in self.answers if each.answers), key=_said):
            for serial in {said.cert_id.serial for said in answer.answers}:
                self._answers[serial].append(answer)

    def __bool__(self) -> bool:
        return bool(self.crls or self.answers or self.own)

    def __add__(self, other: "Facts") -> "Facts":
        """Give both together."""
        if not self or not other:
            return self or other
        return Facts(
            crls=(*self.crls, *other.crls),
            answers=(*self.answers, *other.answers),
            own=(*self.own, *other.own),
            unread=(*self.unread, *other.unread),
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Facts):
            return NotImplemented
        return (self.crls, self.answers, self.own) == (other.crls, other.answers, other.own)

    def __hash__(self) -> int:
        return hash((len(self.crls), len(self.answers)))

    @classmethod
    def read(cls, *, crls: Iterable[bytes] = (), answers: Iterable[bytes] = ()) -> "Facts":
        """Read what came with a document; what cannot be read is left out, as if it had not come."""
        return cls(crls=_readable(crls, kept_list), answers=_readable(answers, kept_answer))

    def about(self, certificates: Iterable[Certificate], at: datetime) -> Revocation:
        """Choose what may speak of ``certificates`` at ``at``: the newest, and the nearest before and after.

        However many facts are at hand, few are looked into: lists grow from one to the next, and a certificate that
        left them after it expired stands on those nearest to the time asked for.
        """
        asked = tuple(certificates)
        issuers = dict.fromkeys(fold_name(each.issuer) for each in asked)
        serials = dict.fromkeys(each.serial for each in asked)
        lists = (_nearest(self._lists.get(issuer, []), at, _issued) for issuer in issuers)
        answers = (_nearest(self._answers.get(serial, []), at, _said) for serial in serials)
        return Revocation(
            crls=tuple(chain.from_iterable(lists)), answers=tuple(dict.fromkeys(chain.from_iterable(answers)))
        )

    def own_word(self, issuer: Certificate) -> OwnWord | None:
        """Give the record of ``issuer``, if it is an authority of our own."""
        same = (each for each in self.own if (each.issuer.spki, each.issuer.subject) == (issuer.spki, issuer.subject))
        return next(same, None)

    def verify_beforehand(self, issuers: Iterable[Certificate]) -> None:
        """Verify what can be verified under ``issuers`` now, so that nobody need do it again."""
        for issuer in issuers:
            for each in self._lists.get(fold_name(issuer.subject), ()):
                each.issued_by(issuer)


def _issued(fact: RevocationList) -> datetime:
    return fact.this_update


def _said(fact: OcspAnswer) -> datetime:
    return max(each.this_update for each in fact.answers)


def _nearest(facts: list[_Fact], at: datetime, when: Callable[[_Fact], datetime]) -> Iterator[_Fact]:
    """Give, of facts in the order of their times, those nearest to ``at`` and the newest."""
    place = bisect_left(facts, at, key=when)
    chosen = {*range(place - NEAREST, place + NEAREST), *range(len(facts) - NEAREST, len(facts))}
    yield from (facts[each] for each in sorted(chosen) if 0 <= each < len(facts))


def _readable(octets: Iterable[bytes], read: Callable[[bytes], _Fact]) -> Iterator[_Fact]:
    for each in octets:
        try:
            yield read(each)
        except CryptoError:
            continue
