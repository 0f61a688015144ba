"""What Alembic runs: the migrations, on the connection (and in the transaction) that `store.upgrade` hands over."""

from alembic import context

from supportdesk.store.tables import Table

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Table.metadata,
    render_as_batch=True,
    transactional_ddl=False,
    compare_server_default=False,
)
with context.begin_transaction():
    context.run_migrations()
