"""An office where affairs are dealt with: people with rights, papers, keys for seals that are not made yet."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from kernel.audit import AuditLog
from kernel.clock import ManualClock
from kernel.db import Database
from kernel.objects import ObjectStore
from kernel.principal import Principal, PrincipalKind
from seal.affairs.actions import APPLICATION, Action
from seal.affairs.carrying import Carrier
from seal.affairs.model import Affair, Paper, Proposal, Verdict
from seal.affairs.service import AffairService
from seal.model import SealId, SealStatus
from seal.register import SealMaker, SealRegister, SigningKey
from tests.seal.conftest import OWNER, OWNER_NAME, START, Authority, application
from tests.sims.registrar import Registrar

NEW = SealId("44030000000099")
PROPOSING = ("seal.apply", "seal.manage", "seal.file", "seal.lose")


def person(name: str, *rights: str, kind: PrincipalKind = PrincipalKind.PERSON, **more: Any) -> Principal:
    return Principal(subject=name, kind=kind, rights=frozenset(f"{right}:*" for right in rights), **more)


ALICE = person("alice", *PROPOSING)
BOB = person("bob", "seal.review")
CAROL = person("carol", "seal.make", "seal.approve")
DAVE = person("dave", "seal.make", "seal.approve", "seal.review")
BOSS = person("boss", *PROPOSING, "seal.review", "seal.make", "seal.approve")


@pytest.fixture(scope="session")
def new_keys(authority: Authority) -> tuple[SigningKey, ...]:
    """Keys that are no seal's yet."""
    return authority.ca.issue_for_seal(NEW, owner=OWNER, owner_name=OWNER_NAME)


def grant_of(seal: str) -> str:
    """Name the grant that a test gave a seal beforehand."""
    return f"grant{seal}".ljust(26, "x")


@dataclass(frozen=True)
class Office:
    """Everything an affair needs, over one database."""

    db: Database
    clock: ManualClock
    audit: AuditLog
    objects: ObjectStore
    register: SealRegister
    registrar: Registrar
    authority: Authority
    affairs: AffairService
    new_keys: tuple[SigningKey, ...]
    paper: str
    """Where an application lies."""
    picture: str

    def payload(self, action: Action, seal: SealId = NEW) -> Mapping[str, Any]:
        maker = self.authority.ca.maker()
        with_keys = {"keys": [part(key) for key in self.new_keys], "maker": maker_part(maker)}
        image = {"object_key": self.picture, "width_mm": 42, "height_mm": 42}
        parts: dict[Action, dict[str, Any]] = {
            Action.MAKE: {
                "kind": 1,
                "name": f"{OWNER_NAME}专用章",
                "owner": OWNER,
                "owner_name": OWNER_NAME,
                "picture": image,
                "valid_from": START,
                "valid_to": START + timedelta(days=300),
                **with_keys,
            },
            Action.RENEW: {"valid_to": START + timedelta(days=700), **with_keys},
            Action.CHANGE: {"name": "改名后的印章", "maker": maker_part(maker)},
            Action.FILE: {"filing_number": "备2026-1", "body": "某某市公安局", "code": "4403000000001"},
            Action.POLICY: {"use": "approved"},
            Action.GRANT: {
                "subject": "portal",
                "valid_from": START,
                "valid_to": START + timedelta(days=30),
                "per_day": 9,
            },
            Action.END_GRANT: {"grant": grant_of(seal)},
        }
        return parts.get(action, {})

    def proposal(self, action: Action, seal: SealId, **changes: Any) -> Proposal:
        papers = (Paper(kind=APPLICATION, object_key=self.paper),)
        proposal = Proposal(
            action=action,
            seal=seal,
            payload=self.payload(action, seal),
            reason="换届",
            legal_basis="电子印章管理办法第十条",
            papers=papers,
        )
        return replace(proposal, **changes)

    def settle(self, action: Action, seal: SealId, **changes: Any) -> Affair:
        """Have three people agree."""
        affair = self.affairs.propose(self.proposal(action, seal, **changes), ALICE)
        if action is Action.MAKE:
            self.affairs.decide(affair.id, Verdict.REVIEW, BOB, payload_sm3=affair.payload_sm3)
        if affair.outcome is None:
            affair = self.affairs.decide(affair.id, Verdict.APPROVE, CAROL, payload_sm3=affair.payload_sm3)
        return affair

    def status(self, seal: str) -> SealStatus:
        return self.register.find(seal).status


def part(key: SigningKey) -> dict[str, str]:
    return {"key": key.key, "certificates": "".join(each.pem() for each in (key.certificate, *key.chain))}


def maker_part(maker: SealMaker) -> dict[str, str]:
    return {"key": maker.signer.key, "certificates": maker.certificate.pem()}  # type: ignore[attr-defined]


def opened(
    database: Database, clock: ManualClock, authority: Authority, keys: tuple[SigningKey, ...], folder: Path
) -> Office:
    audit, objects = AuditLog(), ObjectStore.folder(folder)
    register = SealRegister(database, audit, clock)
    carrier = Carrier(register=register, objects=objects, vault=authority.vault)
    affairs = AffairService(db=database, audit=audit, clock=clock, objects=objects, carrier=carrier)
    registrar = Registrar(database, register, clock)
    paper, picture = affairs.keep("申请书".encode()), affairs.keep(authority.picture.png)
    return Office(database, clock, audit, objects, register, registrar, authority, affairs, keys, paper, picture)


@pytest.fixture
def office(
    database: Database,
    clock: ManualClock,
    authority: Authority,
    new_keys: tuple[SigningKey, ...],
    tmp_path: Path,
) -> Office:
    """An office with one active seal."""
    made = opened(database, clock, authority, new_keys, tmp_path)
    made.registrar.make(application(authority), keys=authority.keys, maker=authority.ca.maker())
    return made
