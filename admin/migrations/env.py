"""Alembic's entry: it works on the connection that `admin.schema` hands over, inside its transaction."""

from typing import Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext

from admin.tables import METADATA
from kernel.db import Instant


def _render(kind: str, item: object, _: AutogenContext) -> str | Literal[False]:
    # A migration stands for ever: it names what the database keeps, not a class of today's code.
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, Instant) else False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    compare_type=True,
    render_item=_render,
    render_as_batch=True,  # SQLite alters tables by copying them
)
context.run_migrations()
