"""What each fault inside the database means, and what a person does about it. `{count}` is how many were found."""

from __future__ import annotations

from typing import Final, Literal

from supportdesk.l10n.catalog import N_

Verdict = Literal["ok", "note", "wrong"]

RESTORE: Final = N_("restore the newest backup: supportdesk restore FILE")
DECIDE: Final = N_("supportdesk outbox list")

FAULTS: Final[dict[str, tuple[Verdict, str, str]]] = {
    "lease.expired": ("note", N_("{count} leases belong to programs that are gone"), ""),
    "presence.stale": ("note", N_("{count} signs of presence are a day old"), ""),
    "chunks.orphaned": ("note", N_("{count} pieces of mail were left by a program that was killed"), ""),
    "blob.incomplete": ("wrong", N_("{count} originals are incomplete"), RESTORE),
    "delivery.without_mail": ("wrong", N_("{count} fetched mails lack their original"), RESTORE),
    "delivery.stuck": (
        "wrong", N_("{count} fetched mails were not read for an hour"), N_("look into the log of the worker")
    ),
    "message.without_text": ("wrong", N_("{count} messages cannot be found by their words"), "supportdesk reindex"),
    "ticket.merge_cycle": ("wrong", N_("{count} tickets were merged in a circle"), N_("undo one of the merges")),
    "ticket.of_disabled_agent": (
        "wrong", N_("{count} waiting tickets belong to an agent who was disabled"), N_("assign them to somebody else")
    ),
    "outbox.sending_stuck": (
        "wrong", N_("{count} replies have been on their way for an hour"), N_("start the worker: it settles them")
    ),
    "outbox.uncertain_old": ("wrong", N_("{count} deliveries have been in doubt for a day"), DECIDE),
    "outbox.failed_old": ("wrong", N_("{count} replies were refused more than a day ago"), DECIDE),
    "outbox.overdue": (
        "wrong", N_("{count} replies should have left an hour ago"), N_("is a worker running, and the mailbox active?")
    ),
    "outbox.without_recipient": ("wrong", N_("{count} replies on their way have no recipient"), DECIDE),
    "outbox.bytes_lost": ("wrong", N_("{count} replies on their way lost what was built of them"), DECIDE),
    "parked.unseen": ("wrong", N_("nobody has looked at {count} parked mails for a day"), "supportdesk mail parked"),
    "agent.no_admin": ("wrong", N_("no agent is an admin"), "supportdesk agent set LOGIN --role admin"),
    "key.missing": (
        "wrong", N_("the key that signs our Message-IDs is gone"), RESTORE
    ),
    "folder.missing_mail": (
        "wrong", N_("{count} folders hold mail that was not taken over"), "supportdesk mail audit"
    ),
    "event.future": (
        "wrong", N_("the newest event is later than now"),
        N_("set the clock of this machine, or of the one that wrote it"),
    ),
    "journal.not_wal": (
        "wrong", N_("the database does not use its write-ahead log"), N_("is the file system read-only?")
    ),
    "file.not_a_desk": ("note", N_("the file does not say that it is a desk"), ""),
    "rows.orphaned": ("wrong", N_("{count} rows lack their parents"), RESTORE),
    "server.fsync_off": ("wrong", N_("Postgres may lose what it has confirmed"), N_("fsync and full_page_writes = on")),
    "server.not_utf8": ("wrong", N_("the database is not in UTF-8"), N_("make it anew with ENCODING UTF8 and copy it")),
    "server.superuser": ("note", N_("the desk logs in as a superuser"), "docs/postgres.md"),
    "server.idle_in_transaction": (
        "wrong", N_("{count} sessions have held a transaction open for an hour"), N_("end these programs")
    ),
    "server.connections_full": (
        "wrong", N_("nine in ten connections of the server are taken"), N_("raise max_connections")
    ),
    "index.missing": ("wrong", N_("indexes are missing: {detail}"), ""),
    "trigger.missing": ("wrong", N_("what keeps the log append-only is missing: {detail}"), ""),
    "sequence.behind": ("wrong", N_("ids would be given twice in {detail}"), ""),
}  # fmt: skip
