"""The Alembic environment of the store: one revision a change of the schema, run by `store.upgrade` alone."""
