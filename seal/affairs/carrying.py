"""Carrying out: what an approved affair does to the register, within the transaction of its approval."""

import json
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Protocol, TypeVar, runtime_checkable

import structlog

from crypto.errors import CryptoError
from crypto.keys import KeyId, KeyVault, VaultSigner
from crypto.x509 import Certificate, pem_bodies
from kernel.audit import canonical
from kernel.objects import ObjectStore
from seal import versions
from seal.affairs.actions import Action
from seal.affairs.model import Affair
from seal.affairs.payloads import (
    SHAPES,
    FilingPart,
    GrantEnd,
    GrantPart,
    KeyPart,
    Making,
    Payload,
    PicturePart,
    PolicyPart,
    Remaking,
)
from seal.affairs.warrant import Warrant
from seal.errors import SealRefused
from seal.model import Picture, Seal
from seal.register import SealApplication, SealMaker, SealRegister, SigningKey
from seal.usage import store as uses
from seal.usage.grants import GrantUnknown

_log = structlog.get_logger("xinyin.affairs")
_APART = ("subject", "organisation", "valid_from", "valid_to")
"""What of a grant has a column of its own."""
_Shape = TypeVar("_Shape", bound=Payload)


@runtime_checkable
class KeyDestroyer(Protocol):
    """A vault that can destroy a key: when ``destroy`` returns, the key never signs again. Done twice, it is done."""

    def destroy(self, key: KeyId) -> None:
        """Destroy a key of this vault, if it is there still."""


class Carrier:
    """Does what was approved; holds nothing but the doors to where it is done."""

    def __init__(self, *, register: SealRegister, objects: ObjectStore, vault: KeyVault) -> None:
        self._register = register
        self._objects = objects
        self._vault = vault
        self._deeds: Mapping[Action, Callable[[Warrant, Affair], Mapping[str, object]]] = {
            **dict.fromkeys(Action, self._move),
            Action.MAKE: self._make,
            Action.CHANGE: self._remake,
            Action.RENEW: self._remake,
            Action.FILE: self._file,
            Action.POLICY: self._policy,
            Action.EXPORT: self._export,
            Action.DESTROY: self._destroy,
            Action.GRANT: self._grant,
            Action.END_GRANT: self._end_grant,
        }

    def carry_out(self, warrant: Warrant, affair: Affair) -> str:
        """Do it, and give what came of it as canonical JSON."""
        return canonical(self._deeds[affair.action](warrant, affair))

    def destroy_keys(self, affair: Affair) -> tuple[KeyId, ...]:
        """Have the vault destroy the keys of a destroyed seal, if it can; give those that it did."""
        if not isinstance(self._vault, KeyDestroyer):
            return ()
        keys = tuple(KeyId(key) for key in json.loads(affair.outcome or "{}").get("keys", ()))
        destroyed = []
        for key in keys:
            try:
                self._vault.destroy(key)
            except CryptoError as error:
                # The seal is destroyed already, and what is left is told of until somebody sees to it.
                _log.exception("key_not_destroyed", key_id=key, exc_info=error)
            else:
                destroyed.append(key)
        return tuple(destroyed)

    # --- deeds ---

    def _move(self, warrant: Warrant, _: Affair) -> Mapping[str, object]:
        return {"status": self._register.move(warrant).status.value}

    def _make(self, warrant: Warrant, affair: Affair) -> Mapping[str, object]:
        asked = _read(Making, affair)
        application = SealApplication(
            id=affair.seal,
            kind=asked.kind,
            name=asked.name,
            owner=asked.owner,
            owner_name=asked.owner_name,
            picture=self._picture(asked.picture),
            valid_from=asked.valid_from,
            valid_to=asked.valid_to,
        )
        keys = [self._signing_key(part, warrant) for part in asked.keys]
        return _told(self._register.make(warrant, application, keys=keys, maker=self._maker(asked, warrant)))

    def _remake(self, warrant: Warrant, affair: Affair) -> Mapping[str, object]:
        asked = _read(Remaking, affair)
        seal = self._register.read(warrant.conn, affair.seal)
        application = SealApplication(
            id=seal.id,
            kind=seal.kind,
            name=asked.name or seal.name,
            owner=seal.owner,
            owner_name=asked.owner_name or seal.owner_name,
            picture=self._picture(asked.picture) if asked.picture else seal.picture,
            valid_from=asked.valid_from or seal.valid_from,
            valid_to=asked.valid_to or seal.valid_to,
        )
        if asked.keys is None:
            keys = list(self._register.signing_keys(warrant.conn, seal))
        else:
            keys = [self._signing_key(part, warrant) for part in asked.keys]
        return _told(self._register.remake(warrant, application, keys=keys, maker=self._maker(asked, warrant)))

    def _file(self, warrant: Warrant, affair: Affair) -> Mapping[str, object]:
        asked = _read(FilingPart, affair)
        filed = self._register.file(warrant, filing_number=asked.filing_number, body=asked.body, code=asked.code)
        return {"status": filed.status.value}

    def _policy(self, warrant: Warrant, affair: Affair) -> Mapping[str, object]:
        use = _read(PolicyPart, affair).use
        self._register.set_policy(warrant, use)
        return {"use": use.value}

    def _grant(self, warrant: Warrant, affair: Affair) -> Mapping[str, object]:
        asked = _read(GrantPart, affair)
        self._register.move(warrant)
        terms = asked.model_dump(mode="json", exclude=set(_APART))
        whole = {name: getattr(asked, name) for name in _APART}
        uses.insert(
            warrant.conn, uses.GRANTS, id=affair.id, seal=affair.seal, terms=canonical(terms), at=warrant.at, **whole
        )
        return {"grant": affair.id}

    def _end_grant(self, warrant: Warrant, affair: Affair) -> Mapping[str, object]:
        grant = _read(GrantEnd, affair).grant
        self._register.move(warrant)
        found = uses.find_grant(warrant.conn, grant)
        if found is None or found.seal != affair.seal or found.ended_at is not None:
            raise GrantUnknown("This seal has no such grant that could be ended.")
        uses.insert(warrant.conn, uses.GRANT_ENDS, grant=grant, at=warrant.at, affair=affair.id)
        return {"grant": grant}

    def _export(self, warrant: Warrant, _: Affair) -> Mapping[str, object]:
        seal = self._register.move(warrant)
        return {**_told(seal), "seseal": self._objects.put(seal.seseal)}

    def _destroy(self, warrant: Warrant, affair: Affair) -> Mapping[str, object]:
        keys = sorted({row.key for row in versions.credentials(warrant.conn, affair.seal)})
        return {**self._move(warrant, affair), "keys": keys}

    # --- parts ---

    def _picture(self, part: PicturePart) -> Picture:
        return Picture(png=self._objects.get(part.object_key), width_mm=part.width_mm, height_mm=part.height_mm)

    def _path(self, part: KeyPart, warrant: Warrant) -> tuple[Certificate, ...]:
        """Give the certificates of a part: the first for the vault's key, valid now, each issued by the next."""
        path = tuple(map(Certificate.from_der, pem_bodies(part.certificates, "CERTIFICATE")))
        if not path:
            raise SealRefused(f"No certificate came along for the key {part.key}.")
        if path[0].public_key.fingerprint != self._vault.public_key(KeyId(part.key)).fingerprint:
            raise SealRefused(f"The certificate is not for the key {part.key} of the vault.")
        if not path[0].valid_at(warrant.at):
            raise SealRefused(f"The certificate for the key {part.key} is outside its validity.")
        for each, issuer in pairwise(path):
            if not each.issued_by(issuer):
                raise SealRefused(f"{each.subject_text} was not issued by {issuer.subject_text}.")
        return path

    def _signing_key(self, part: KeyPart, warrant: Warrant) -> SigningKey:
        path, key = self._path(part, warrant), KeyId(part.key)
        if set(versions.seals_of_key(warrant.conn, key)) - {warrant.seal}:
            raise SealRefused(f"The key {part.key} is another seal's.")
        chain = tuple(each for each in path[1:] if not each.self_issued)
        return SigningKey(suite=self._vault.suite(key), key=key, certificate=path[0], chain=chain)

    def _maker(self, asked: Making | Remaking, warrant: Warrant) -> SealMaker:
        certificate = self._path(asked.maker, warrant)[0]
        signer = VaultSigner(self._vault, KeyId(asked.maker.key))
        return SealMaker(signer=signer, certificate=certificate, vendor=asked.maker.vendor)


def _read(shape: type[_Shape], affair: Affair) -> _Shape:
    if SHAPES[affair.action] is not shape:
        raise TypeError(f"{affair.action} is not carried out by {shape.__name__}")
    return shape.model_validate_json(affair.payload)


def _told(seal: Seal) -> Mapping[str, object]:
    return {"status": seal.status.value, "version": seal.version}
