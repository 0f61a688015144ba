"""Which schema this program knows, without importing Alembic: a test keeps the list equal to the migrations."""

from __future__ import annotations

from typing import Final

from supportdesk.errors import StoreError
from supportdesk.l10n.catalog import _
from supportdesk.store.connect import Connection

REVISIONS: Final = ("0001_first",)
HEAD: Final = REVISIONS[-1]
MOVED: Final = "moved:"
"""Before the revision of a desk that goes on in another database: every reader and writer refuses this one then."""


def revision(connection: Connection) -> str:
    """The schema's revision in this database; "" in one that has none."""
    if connection.is_postgres:
        there = connection.execute("SELECT to_regclass('alembic_version') IS NOT NULL")[0][0]
    else:
        there = connection.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'alembic_version'")
    if not there:
        return ""
    rows = connection.execute("SELECT version_num FROM alembic_version")
    return str(rows[0][0]) if rows else ""


def refuse_other_schema(connection: Connection, shown: str) -> None:
    """Raises StoreError unless the database has exactly the schema that this program writes."""
    found = revision(connection)
    if found == HEAD:
        return
    if not found:
        raise StoreError(_("{database} is no desk yet").format(database=shown), hint=_("`supportdesk init` makes one"))
    refuse_newer_schema(found, shown)
    raise StoreError(
        _("{database} has the older schema {found}").format(database=shown, found=found),
        hint=_("`supportdesk db upgrade` backs it up and upgrades it"),
    )


def refuse_newer_schema(found: str, shown: str) -> None:
    """Raises StoreError for a revision that this program has never heard of, and for a desk that has moved away."""
    if found.startswith(MOVED):
        raise StoreError(
            _("the desk has moved from {database} to another database and goes on there").format(database=shown),
            hint=_("name that one in the settings or with --database; `supportdesk db reopen` brings this one back"),
        )
    if found and found not in REVISIONS:
        raise StoreError(
            _(
                "{database} was written by a newer supportdesk (schema {found}, this program knows up to {known})"
            ).format(database=shown, found=found, known=HEAD),
            hint=_("upgrade this program"),
        )
