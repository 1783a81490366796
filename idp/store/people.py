"""People in the database."""

from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa

from idp.model import Evidence, IdentityLevel, Person, PersonId
from idp.store.missing import insert_missing
from idp.store.tables import people


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """A person with the hash that their password must meet."""

    person: Person
    password_hash: str = field(repr=False)


def insert(conn: sa.Connection, person: Person, password_hash: str) -> bool:
    """Add a person; False if the login name is taken."""
    row = {
        "id": person.id,
        "login": person.login,
        "name": person.name,
        "level": int(person.level),
        "level_at": person.level_at,
        "evidence": person.evidence.value,
        "active": person.active,
        "created_at": person.created_at,
        "password_hash": password_hash,
    }
    return insert_missing(conn, people, row)


def find(conn: sa.Connection, person: PersonId) -> Person | None:
    """Give the person with this id."""
    row = conn.execute(sa.select(people).where(people.c.id == person)).first()
    return None if row is None else _person(row)


def by_login(conn: sa.Connection, login: str) -> Credentials | None:
    """Give the person with this login name, in its normal form."""
    row = conn.execute(sa.select(people).where(people.c.login == login)).first()
    return None if row is None else Credentials(person=_person(row), password_hash=row.password_hash)


def set_password(conn: sa.Connection, person: PersonId, password_hash: str) -> None:
    """Replace the password's hash."""
    conn.execute(sa.update(people).where(people.c.id == person).values(password_hash=password_hash))


def set_level(  # noqa: PLR0913 - one column each
    conn: sa.Connection, person: PersonId, *, name: str, level: IdentityLevel, evidence: Evidence, at: datetime
) -> bool:
    """Record a proved identity; False if there is no such person."""
    changed = conn.execute(
        sa.update(people)
        .where(people.c.id == person)
        .values(name=name, level=int(level), evidence=evidence.value, level_at=at)
    )
    return changed.rowcount == 1


def set_active(conn: sa.Connection, person: PersonId, *, active: bool) -> bool:
    """Allow or stop signing in; False if there is no such person."""
    return conn.execute(sa.update(people).where(people.c.id == person).values(active=active)).rowcount == 1


def _person(row: "sa.Row[tuple[object, ...]]") -> Person:
    return Person(
        id=PersonId(row.id),
        login=row.login,
        name=row.name,
        level=IdentityLevel(row.level),
        level_at=row.level_at,
        evidence=Evidence(row.evidence),
        active=row.active,
        created_at=row.created_at,
    )
