"""Alembic's entry: it works on the connection that `admin.schema` hands over, inside its transaction."""

from alembic import context

from admin.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    compare_type=True,
    render_as_batch=True,  # SQLite alters tables by copying them
)
context.run_migrations()
