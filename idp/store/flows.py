"""Flows in the database."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from idp.model import AuthorizeRequest, Flow, FlowId
from idp.store.tables import flows

_TUPLES = ("scope", "prompt", "acr_values", "ui_locales")


def insert(conn: sa.Connection, flow: Flow) -> None:
    """Add a flow."""
    conn.execute(
        sa.insert(flows).values(
            id=flow.id,
            client_id=flow.request.client_id,
            request=asdict(flow.request),
            browser_hash=flow.browser_hash,
            created_at=flow.created_at,
            expires_at=flow.expires_at,
            session_id=flow.session_id,
            level_accepted=flow.level_accepted,
            consented=flow.consented,
            finished_at=flow.finished_at,
        )
    )


def find(conn: sa.Connection, flow: str) -> Flow | None:
    """Give the flow with this id, whatever has become of it."""
    row = conn.execute(sa.select(flows).where(flows.c.id == flow)).first()
    return None if row is None else _flow(row)


def claim(conn: sa.Connection, flow: FlowId, browser_hash: str) -> bool:
    """Give an unclaimed flow to a browser; False if another was first."""
    claimed = conn.execute(
        sa.update(flows).where(flows.c.id == flow, flows.c.browser_hash.is_(None)).values(browser_hash=browser_hash)
    )
    return claimed.rowcount == 1


def advance(conn: sa.Connection, flow: Flow) -> None:
    """Keep what the person did in this flow."""
    conn.execute(
        sa.update(flows)
        .where(flows.c.id == flow.id)
        .values(session_id=flow.session_id, level_accepted=flow.level_accepted, consented=flow.consented)
    )


def finish(conn: sa.Connection, flow: FlowId, at: datetime) -> bool:
    """Take the right to answer; False if the flow has been answered already."""
    finished = conn.execute(
        sa.update(flows).where(flows.c.id == flow, flows.c.finished_at.is_(None)).values(finished_at=at)
    )
    return finished.rowcount == 1


def _flow(row: "sa.Row[tuple[object, ...]]") -> Flow:
    kept: dict[str, Any] = dict(row.request)
    return Flow(
        id=FlowId(row.id),
        request=AuthorizeRequest(**{**kept, **{name: tuple(kept[name]) for name in _TUPLES}}),
        browser_hash=row.browser_hash,
        created_at=row.created_at,
        expires_at=row.expires_at,
        session_id=row.session_id,
        level_accepted=row.level_accepted,
        consented=row.consented,
        finished_at=row.finished_at,
    )
