"""Inserting what is missing, in one statement: two at once cannot collide."""

from collections.abc import Mapping

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite


def insert_missing(conn: sa.Connection, table: sa.Table, values: Mapping[str, object]) -> bool:
    """Insert a row unless one with the same key stands there already; tell whether it was inserted."""
    insert = sqlite.insert if conn.dialect.name == "sqlite" else postgresql.insert
    statement = insert(table).values(values).on_conflict_do_nothing().execution_options(preserve_rowcount=True)
    return conn.execute(statement).rowcount == 1
