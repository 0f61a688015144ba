"""What Alembic's batch mode would drop and no table class can say: the search index and the append-only triggers.

`make_extras` makes them (again) from here after every migration. The index holds `message_text.folded`, whose tokens
`textfold` made: letters and digits with single spaces. SQLite: FTS5 over external content, features of 3.40 only, kept
by `put_text` and not by triggers, which `trusted_schema = OFF` forbids to touch a virtual table there; its words can be
looked up in `message_search_word`, which stores nothing. Postgres: a generated tsvector from the same tokens, without
its text parser, and a GIN index.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Final

from supportdesk.errors import StoreError
from supportdesk.store.connect import Connection

POSTGRES_INDEXED_CHARACTERS: Final = 250_000
"""A tsvector holds at most 1 MiB; longer texts are indexed this far."""

_SQLITE: Final = (
    """CREATE VIRTUAL TABLE IF NOT EXISTS message_search USING fts5(
        folded, content='message_text', content_rowid='message_id',
        tokenize='unicode61 remove_diacritics 0', prefix='2 3')""",
    "CREATE VIRTUAL TABLE IF NOT EXISTS message_search_word USING fts5vocab(message_search, instance)",
    "DROP TRIGGER IF EXISTS event_not_updated",
    "DROP TRIGGER IF EXISTS event_not_deleted",
    """CREATE TRIGGER event_not_updated BEFORE UPDATE ON event BEGIN
        SELECT RAISE(ABORT, 'the event log is append-only');
    END""",
    """CREATE TRIGGER event_not_deleted BEFORE DELETE ON event BEGIN
        SELECT RAISE(ABORT, 'the event log is append-only');
    END""",
)

_POSTGRES: Final = (
    f"""CREATE OR REPLACE FUNCTION supportdesk_tokens(folded text) RETURNS tsvector
        LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
        SELECT coalesce(string_agg(
            '''' || replace(replace(token, '\\', '\\\\'), '''', '''''') || ''':' || least(place, 16383),
            ' '), '')::tsvector
        FROM unnest(string_to_array(left(folded, {POSTGRES_INDEXED_CHARACTERS}), ' '))
            WITH ORDINALITY AS t(token, place)
        WHERE token <> '' AND length(token) <= 500 $$""",
    """ALTER TABLE message_text ADD COLUMN IF NOT EXISTS search tsvector
        GENERATED ALWAYS AS (supportdesk_tokens(folded)) STORED""",
    "CREATE INDEX IF NOT EXISTS ix_message_text_search ON message_text USING gin (search)",
    "CREATE INDEX IF NOT EXISTS ix_event_feed ON event (txid, seq)",
    """CREATE OR REPLACE FUNCTION supportdesk_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'the event log is append-only'; END $$""",
    """CREATE OR REPLACE TRIGGER event_append_only BEFORE UPDATE OR DELETE ON event
        FOR EACH ROW EXECUTE FUNCTION supportdesk_append_only()""",
    """CREATE OR REPLACE TRIGGER event_not_truncated BEFORE TRUNCATE ON event
        FOR EACH STATEMENT EXECUTE FUNCTION supportdesk_append_only()""",
)


def make_extras(connection: Connection) -> None:
    """Make what is missing and replace what may be old; inside the migration's transaction."""
    for statement in _POSTGRES if connection.is_postgres else _SQLITE:
        connection.execute(statement)


def put_text(connection: Connection, message_id: int, folded: str | None) -> None:
    """Make `folded` the text of a message, in message_text and in the index; None removes it from both."""
    if not connection.is_postgres:
        old = connection.execute("SELECT folded FROM message_text WHERE message_id = ?", (message_id,))
        if old:
            connection.change(
                "INSERT INTO message_search (message_search, rowid, folded) VALUES ('delete', ?, ?)",
                (message_id, old[0][0]),
            )
        if folded is not None:
            connection.change("INSERT INTO message_search (rowid, folded) VALUES (?, ?)", (message_id, folded))
    if folded is None:
        connection.change("DELETE FROM message_text WHERE message_id = ?", (message_id,))
    else:
        connection.change(
            "INSERT INTO message_text (message_id, folded) VALUES (?, ?)"
            " ON CONFLICT (message_id) DO UPDATE SET folded = excluded.folded",
            (message_id, folded),
        )


def put_texts(connection: Connection, texts: Mapping[int, str], *, new: Container[int] = ()) -> None:
    """Make these the texts of their messages, in as few statements as may be; what is `new` has none yet."""
    if not texts:
        return
    for message_id in [one for one in texts if one not in new]:
        put_text(connection, message_id, texts[message_id])
    rows = [(one, folded) for one, folded in texts.items() if one in new]
    connection.change_many("INSERT INTO message_text (message_id, folded) VALUES (?, ?)", rows)
    if not connection.is_postgres:
        connection.change_many("INSERT INTO message_search (rowid, folded) VALUES (?, ?)", rows)


def search_is_sound(connection: Connection) -> bool:
    """Whether the index agrees with the texts (SQLite; on Postgres the database itself keeps it so)."""
    if connection.is_postgres:
        return True
    try:
        connection.execute("INSERT INTO message_search(message_search, rank) VALUES ('integrity-check', 1)")
    except StoreError:
        return False
    return True


def rebuild_search(connection: Connection) -> None:
    """Make the whole index again from message_text."""
    if connection.is_postgres:
        connection.execute("REINDEX INDEX ix_message_text_search")
    else:
        connection.execute("INSERT INTO message_search(message_search) VALUES ('rebuild')")
