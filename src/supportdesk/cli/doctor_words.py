"""What each fault inside the database means, and what a person does about it. `{count}` is how many were found."""

from __future__ import annotations

from typing import Final, Literal

from supportdesk.l10n.catalog import N_

Verdict = Literal["ok", "note", "wrong"]

RESTORE: Final = N_("restore the newest backup: supportdesk restore FILE")
DECIDE: Final = N_("supportdesk outbox list")

FAULTS: Final[dict[str, tuple[Verdict, str, str]]] = {
    "lease.expired": ("note", N_("leases of programs that are gone: {count}"), ""),
    "presence.stale": ("note", N_("signs of presence that are a day old: {count}"), ""),
    "chunks.orphaned": ("note", N_("pieces of mail left by a program that was killed: {count}"), ""),
    "blob.incomplete": ("wrong", N_("incomplete originals: {count}"), RESTORE),
    "delivery.without_mail": ("wrong", N_("fetched mails without their original: {count}"), RESTORE),
    "delivery.stuck": (
        "wrong", N_("fetched mails that nothing has read for an hour: {count}"), N_("look into the log of the worker")
    ),
    "message.without_text": (
        "wrong", N_("messages that cannot be found by their words: {count}"), "supportdesk reindex"
    ),
    "ticket.merge_cycle": ("wrong", N_("tickets merged in a circle: {count}"), N_("undo one of the merges")),
    "customer.merge_cycle": ("wrong", N_("customers merged in a circle: {count}"), N_("undo one of the merges")),
    "ticket.of_disabled_agent": (
        "wrong", N_("waiting tickets of an agent who was disabled: {count}"), N_("assign them to somebody else")
    ),
    "outbox.sending_stuck": (
        "wrong", N_("replies that have been on their way for an hour: {count}"), N_("start the worker: it settles them")
    ),
    "outbox.uncertain_old": ("wrong", N_("deliveries in doubt for a day: {count}"), DECIDE),
    "outbox.failed_old": ("wrong", N_("replies refused more than a day ago: {count}"), DECIDE),
    "outbox.overdue": (
        "wrong", N_("replies that should have left an hour ago: {count}"),
        N_("is a worker running, and the mailbox active?"),
    ),
    "outbox.without_recipient": ("wrong", N_("replies on their way without a recipient: {count}"), DECIDE),
    "outbox.bytes_lost": ("wrong", N_("replies on their way that lost what was built of them: {count}"), DECIDE),
    "parked.unseen": (
        "wrong", N_("parked mails that nobody has looked at for a day: {count}"), "supportdesk mail parked"
    ),
    "agent.no_admin": ("wrong", N_("no agent is an admin"), "supportdesk agent set LOGIN --role admin"),
    "key.missing": (
        "wrong", N_("the key that signs our Message-IDs is gone"), RESTORE
    ),
    "folder.missing_mail": (
        "wrong", N_("folders with mail that was not taken over: {count}"), "supportdesk mail audit"
    ),
    "event.future": (
        "wrong", N_("the newest event is later than now"),
        N_("set the clock of this machine, or of the one that wrote it"),
    ),
    "journal.not_wal": (
        "wrong", N_("the database does not use its write-ahead log"), N_("is the file system read-only?")
    ),
    "file.not_a_desk": ("note", N_("the file does not say that it is a desk"), ""),
    "rows.orphaned": ("wrong", N_("rows without their parents: {count}"), RESTORE),
    "server.fsync_off": ("wrong", N_("Postgres may lose what it has confirmed"), N_("fsync and full_page_writes = on")),
    "server.not_utf8": ("wrong", N_("the database is not in UTF-8"), N_("make it anew with ENCODING UTF8 and copy it")),
    "server.superuser": ("note", N_("the desk logs in as a superuser"), "docs/postgres.md"),
    "server.idle_in_transaction": (
        "wrong", N_("sessions that have held a transaction open for an hour: {count}"), N_("end these programs")
    ),
    "server.connections_full": (
        "wrong", N_("nine in ten connections of the server are taken"), N_("raise max_connections")
    ),
    "server.few_connections": (
        "note", N_("all agents at once take up to {count} connections, and the server has fewer"),
        N_("raise max_connections"),
    ),
    "server.no_idle_timeout": (
        "note", N_("a forgotten transaction stays open for ever"), "idle_in_transaction_session_timeout = 5min"
    ),
    "server.activity_unseen": (
        "note", N_("this role cannot see whether somebody holds a transaction open"), "GRANT pg_read_all_stats"
    ),
    "index.missing": ("wrong", N_("indexes are missing: {detail}"), ""),
    "trigger.missing": ("wrong", N_("what keeps the log append-only is missing: {detail}"), ""),
    "sequence.behind": ("wrong", N_("ids would be given twice in {detail}"), ""),
}  # fmt: skip
