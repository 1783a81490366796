"""Claims: what each scope tells about a person; one row per scope."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from idp.model import Person

Claims = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """A scope that may be asked for about people: what it says on the consent page, and the claims it gives."""

    zh: str
    en: str
    claims: tuple[str, ...]
    values: Callable[[Person], Claims]


def _profile(person: Person) -> Claims:
    return {"name": person.name, "preferred_username": person.login}


def _identity(person: Person) -> Claims:
    return {
        "identity_level": int(person.level),
        "identity_level_at": int(person.level_at.timestamp()),
        "identity_evidence": person.evidence.value,
    }


SCOPES: Mapping[str, Scope] = {
    "openid": Scope(
        zh="一个仅用于识别您的编号", en="a number that stands for you", claims=("sub",), values=lambda _: {}
    ),
    "profile": Scope(
        zh="您的姓名和用户名",
        en="your name and login name",
        claims=("name", "preferred_username"),
        values=_profile,
    ),
    "identity": Scope(
        zh="您的实名等级及核验方式",
        en="your identity level and how it was proved",
        claims=("identity_level", "identity_level_at", "identity_evidence"),
        values=_identity,
    ),
}


def claims_of(person: Person, scopes: Iterable[str]) -> Claims:
    """Give what these scopes tell about a person."""
    told: Claims = {"sub": person.id}
    for scope in scopes:
        if scope in SCOPES:
            told.update(SCOPES[scope].values(person))
    return told
