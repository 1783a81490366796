"""Trust as octets, for carrying it into the process that judges. The register stays behind."""

import json
from base64 import b64decode, b64encode
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from crypto.revoked import RevocationReason, Revoked
from crypto.x509 import Certificate
from seal.trust.facts import Facts, OwnWord, kept_answer, kept_list
from seal.trust.model import Trust


def encode_trust(trust: Trust) -> bytes:
    """Write certificates and facts."""
    facts = trust.facts
    return json.dumps(
        {
            "anchors": _texts(each.raw for each in trust.anchors),
            "intermediates": _texts(each.raw for each in trust.intermediates),
            "crls": _texts(each.raw for each in facts.crls),
            "answers": _texts(each.raw for each in facts.answers),
            "own": [
                {"issuer": b64encode(each.issuer.raw).decode(), "revoked": [_row(one) for one in each.revoked.values()]}
                for each in facts.own
            ],
            "unread": facts.unread,
        }
    ).encode()


def decode_trust(octets: bytes) -> Trust:
    """Read what ``encode_trust`` wrote."""
    read: dict[str, Any] = json.loads(octets)
    return Trust(
        anchors=tuple(map(Certificate.from_der, _octets(read["anchors"]))),
        intermediates=tuple(map(Certificate.from_der, _octets(read["intermediates"]))),
        facts=Facts(
            crls=map(kept_list, _octets(read["crls"])),
            answers=map(kept_answer, _octets(read["answers"])),
            own=[_own(each["issuer"], each["revoked"]) for each in read["own"]],
            unread=read["unread"],
        ),
    )


def _texts(octets: Iterable[bytes]) -> list[str]:
    return [b64encode(each).decode() for each in octets]


def _octets(texts: Iterable[str]) -> Iterable[bytes]:
    return map(b64decode, texts)


def _row(revoked: Revoked) -> tuple[str, str, int, str | None]:
    since = revoked.invalid_since.isoformat() if revoked.invalid_since else None
    return f"{revoked.serial:x}", revoked.at.isoformat(), revoked.reason.value, since


def _own(issuer: str, rows: Iterable[tuple[str, str, int, str | None]]) -> OwnWord:
    found = {}
    for serial, at, reason, since in rows:
        found[int(serial, 16)] = Revoked(
            serial=int(serial, 16),
            at=datetime.fromisoformat(at),
            reason=RevocationReason.read(reason),
            invalid_since=datetime.fromisoformat(since) if since else None,
        )
    return OwnWord(issuer=Certificate.from_der(b64decode(issuer)), revoked=found)
