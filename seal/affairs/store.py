"""What affairs keep: proposals, papers, decisions, outcomes. All rows are facts: inserted, never changed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from kernel.db import METADATA, Instant, insert_new
from kernel.principal import Principal
from seal.affairs.actions import RULES, Action
from seal.affairs.model import Affair, Decision, Paper, Verdict, names_of
from seal.model import SealId

AFFAIRS = sa.Table(
    "seal_affairs",
    METADATA,
    sa.Column("id", sa.String(26), primary_key=True),
    sa.Column("action", sa.String(20), nullable=False),
    # No foreign key: while it is to be made, there is no such seal.
    sa.Column("seal", sa.String(14), nullable=False, index=True),
    sa.Column("payload", sa.Text, nullable=False),
    sa.Column("payload_sm3", sa.String(64), nullable=False),
    sa.Column("reason", sa.String(500), nullable=False),
    sa.Column("legal_basis", sa.String(500), nullable=False),
    sa.Column("proposed_by", sa.String(200), nullable=False),
    sa.Column("proposer", sa.String(200), nullable=False),
    sa.Column("proposed_at", Instant, nullable=False, index=True),
    sa.Column("expires_at", Instant, nullable=False),
)
PAPERS = sa.Table(
    "seal_affair_papers",
    METADATA,
    sa.Column("affair", sa.ForeignKey(AFFAIRS.c.id), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.String(40), nullable=False),
    sa.Column("object_key", sa.String(64), nullable=False),
)
DECISIONS = sa.Table(
    "seal_affair_decisions",
    METADATA,
    sa.Column("affair", sa.ForeignKey(AFFAIRS.c.id), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("by", sa.String(200), nullable=False),
    sa.Column("person", sa.String(200), nullable=False),
    sa.Column("verdict", sa.String(10), nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("note", sa.String(500), nullable=False),
    sa.Column("payload_sm3", sa.String(64), nullable=False),
    # Nobody speaks twice, whatever the program believes.
    sa.UniqueConstraint("affair", "person"),
)
OUTCOMES = sa.Table(
    "seal_affair_outcomes",
    METADATA,
    # One outcome an affair: nothing is carried out twice.
    sa.Column("affair", sa.ForeignKey(AFFAIRS.c.id), primary_key=True),
    sa.Column("at", Instant, nullable=False),
    sa.Column("facts", sa.Text, nullable=False),
)
REQUESTS = sa.Table(
    "seal_affair_requests",
    METADATA,
    sa.Column("caller", sa.String(200), primary_key=True),
    sa.Column("idempotency_key", sa.String(200), primary_key=True),
    sa.Column("request_hash", sa.String(64), nullable=False),
    # No foreign key: it is written before the affair, so that of those who ask at once one goes on.
    sa.Column("affair", sa.String(26), nullable=False),
)


def claim_request(conn: sa.Connection, *, caller: str, key: str, request_hash: str, affair: str) -> tuple[str, str]:
    """Claim a caller's Idempotency-Key for an affair; give hash and affair of whoever has it, ours or an earlier one's.

    Waits for another transaction that is claiming the same.
    """
    row = {"caller": caller, "idempotency_key": key, "request_hash": request_hash, "affair": affair}
    insert_new(conn, REQUESTS, [row])
    query = sa.select(REQUESTS.c.request_hash, REQUESTS.c.affair)
    held = conn.execute(query.where(REQUESTS.c.caller == caller, REQUESTS.c.idempotency_key == key)).one()
    return held.request_hash, held.affair


def insert_affair(conn: sa.Connection, affair: Affair) -> None:
    """Record a proposal with its papers."""
    columns = {column.name: getattr(affair, column.name) for column in AFFAIRS.columns}
    conn.execute(sa.insert(AFFAIRS).values(**columns | {"action": affair.action.value}))
    papers = [
        {"affair": affair.id, "number": number, "kind": paper.kind, "object_key": paper.object_key}
        for number, paper in enumerate(affair.papers, 1)
    ]
    if papers:
        conn.execute(sa.insert(PAPERS), papers)


def insert_decision(conn: sa.Connection, decision: Decision) -> None:
    """Record a decision."""
    columns = {column.name: getattr(decision, column.name) for column in DECISIONS.columns}
    conn.execute(sa.insert(DECISIONS).values(**columns | {"verdict": decision.verdict.value}))


def insert_outcome(conn: sa.Connection, affair: str, *, at: datetime, facts: str) -> None:
    """Record that an affair was carried out."""
    conn.execute(sa.insert(OUTCOMES).values(affair=affair, at=at, facts=facts))


def lock_affair(conn: sa.Connection, affair: str) -> Affair | None:
    """Find an affair and hold it until the transaction ends, so that deciders take turns."""
    held = conn.execute(sa.select(AFFAIRS.c.id).where(AFFAIRS.c.id == affair).with_for_update(key_share=True)).first()
    # Read after the lock is had: what another decided meanwhile is in it.
    return find_affair(conn, affair) if held else None


def find_affair(conn: sa.Connection, affair: str) -> Affair | None:
    """Find an affair with all that was decided about it."""
    rows = conn.execute(sa.select(AFFAIRS).where(AFFAIRS.c.id == affair)).all()
    return next(iter(_whole(conn, rows)), None)


def list_affairs(  # noqa: PLR0913 - its filters
    conn: sa.Connection,
    principal: Principal,
    *,
    seal: str | None,
    after: Affair | None,
    open_at: datetime | None,
    limit: int,
) -> tuple[Affair, ...]:
    """List the affairs that concern a caller, the newest first, from the one after ``after`` on.

    With ``open_at`` only those that could be decided then.
    """
    query = (
        sa.select(AFFAIRS)
        .where(_concerning(principal))
        .order_by(AFFAIRS.c.proposed_at.desc(), AFFAIRS.c.id.desc())
        .limit(limit)
    )
    if seal is not None:
        query = query.where(AFFAIRS.c.seal == seal)
    if after is not None:
        earlier = AFFAIRS.c.proposed_at < after.proposed_at
        same = sa.and_(AFFAIRS.c.proposed_at == after.proposed_at, AFFAIRS.c.id < after.id)
        query = query.where(sa.or_(earlier, same))
    if open_at is not None:
        ended = DECISIONS.c.verdict.in_((Verdict.REJECT.value, Verdict.WITHDRAW.value))
        query = query.where(
            AFFAIRS.c.expires_at > open_at,
            ~sa.exists().where(OUTCOMES.c.affair == AFFAIRS.c.id),
            ~sa.exists().where(DECISIONS.c.affair == AFFAIRS.c.id, ended),
        )
    return _whole(conn, conn.execute(query).all())


def _concerning(principal: Principal) -> sa.ColumnElement[bool]:
    """Say as a condition what ``checks.concerns`` says of one affair."""
    if not principal.rights:
        return sa.false()
    names = sorted(names_of(principal))
    spoken = sa.or_(DECISIONS.c.person.in_(names), DECISIONS.c.by.in_(names))
    decided = sa.exists().where(DECISIONS.c.affair == AFFAIRS.c.id, spoken)
    clauses: list[sa.ColumnElement[bool]] = [AFFAIRS.c.proposer.in_(names), AFFAIRS.c.proposed_by.in_(names), decided]
    held = [right.partition(":") for right in principal.rights]
    for action, rule in RULES.items():
        targets = {target for name, _, target in held if name and name in {rule.propose, rule.review, rule.approve}}
        if "*" in targets:
            clauses.append(AFFAIRS.c.action == action.value)
        elif targets:
            clauses.append(sa.and_(AFFAIRS.c.action == action.value, AFFAIRS.c.seal.in_(sorted(targets))))
    return sa.or_(*clauses)


def _whole(conn: sa.Connection, rows: Sequence["sa.Row[*tuple[Any, ...]]"]) -> tuple[Affair, ...]:
    ids = [row.id for row in rows]
    papers: dict[str, list[Paper]] = {each: [] for each in ids}
    decisions: dict[str, list[Decision]] = {each: [] for each in ids}
    if not ids:
        return ()
    for row in conn.execute(sa.select(PAPERS).where(PAPERS.c.affair.in_(ids)).order_by(PAPERS.c.number)):
        papers[row.affair].append(Paper(kind=row.kind, object_key=row.object_key))
    for row in conn.execute(sa.select(DECISIONS).where(DECISIONS.c.affair.in_(ids)).order_by(DECISIONS.c.number)):
        columns = row._asdict()
        decisions[row.affair].append(Decision(**columns | {"verdict": Verdict(row.verdict)}))
    outcomes = {row.affair: row.facts for row in conn.execute(sa.select(OUTCOMES).where(OUTCOMES.c.affair.in_(ids)))}
    return tuple(
        Affair(
            **row._asdict() | {"action": Action(row.action), "seal": SealId(row.seal)},
            papers=tuple(papers[row.id]),
            decisions=tuple(decisions[row.id]),
            outcome=outcomes.get(row.id),
        )
        for row in rows
    )
