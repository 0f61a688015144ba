"""Queue rows, counts and the desk's health as the widgets of the queue show them: values in, safe text out."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from supportdesk.desk.agents import nobody_reads
from supportdesk.desk.labels import BADGE, PRESENCE, PRIORITY, STATUS, word
from supportdesk.desk.results import MOST_UNPROCESSED
from supportdesk.l10n.catalog import N_, _, ngettext
from supportdesk.safetext import SafeText, safe
from supportdesk.tui import ages
from supportdesk.tui.widgets.bars import StatusPart
from supportdesk.tui.widgets.columns import Column, ListRow

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from supportdesk.desk.model import QueueRow
    from supportdesk.desk.results import DeskStatus, MailboxStatus
    from supportdesk.tui.glyphs import Glyphs

TABS: Final = (
    "needs_reply", "mine", "unassigned", "with_customer", "snoozed", "notifications", "all_open", "solved", "spam",
)  # fmt: skip
"""The views of the keys 1 to 9, as long as none is saved."""

WORKED_WITH: Final = 6
"""Of these the first keep their keys."""

ONE_STATUS: Final = frozenset({"with_customer", "spam"})
"""Views whose tickets all have the status that the name of the view says."""

URGENT: Final = frozenset({"high", "urgent"})
WARN_AHEAD: Final = timedelta(hours=1)
MANY_MAILS: Final = 50
"""So many that wait to be taken in are told of."""

EMPTY_VIEW: Final = {
    "needs_reply": N_("Nobody waits for an answer."),
    "mine": N_("No ticket is yours. T takes the most urgent one."),
    "unassigned": N_("Every waiting ticket has its agent."),
    "snoozed": N_("Nothing sleeps."),
}
NOTHING: Final = N_("Nothing here.")


def queue_columns() -> tuple[Column, ...]:
    """The columns of the queue; what does not fit goes, the least needed first."""
    return (
        Column("due", safe(_("due")), 7, align_right=True),
        Column("number", SafeText("#"), 5, drop=1, align_right=True, grows=True),
        Column("customer", safe(_("customer")), 11, flex=2),
        Column("subject", safe(_("subject")), 15, flex=5),
        Column("messages", safe(_("msgs")), 4, drop=6, align_right=True),
        Column("language", safe(_("lang")), 4, drop=2),
        Column("owner", safe(_("owner")), 6, drop=3),
        Column("waits", safe(_("waits")), 5, drop=5, align_right=True),
        Column("state", SafeText(""), 12, flex=1, drop=4),
    )


def list_row(
    row: QueueRow,
    now: datetime,
    glyphs: Glyphs,
    view: str,
    read: Collection[str] = frozenset(),
    *,
    pending: str = "",
) -> ListRow:
    """One ticket as a line of the queue; a language that is none of `read` is marked.

    `pending` says what is being done to it, when nobody knows yet what becomes of it.
    """
    late = row.due_at is not None and row.due_at < now
    soon = row.due_at is not None and not late and row.due_at - now <= WARN_AHEAD
    left = ages.due(row.due_at, now)
    messages = f"{row.message_count} {glyphs.attachment}" if row.has_attachment else f"{row.message_count}  "
    unread = nobody_reads(row.language, read)
    state, state_tone = (pending, "") if pending else _state(row, now, view, unread_language=unread)
    cells = {
        "due": safe(f"{glyphs.overdue}{left}" if late else left),
        "number": safe(str(row.id)),
        "customer": safe(row.customer_name or row.customer_address or glyphs.missing),
        "subject": safe(row.subject or _("(no subject)")),
        "messages": safe(messages),
        "language": safe(f"{glyphs.overdue if unread else ''}{row.language or '?'}"),
        "owner": safe(_first_word(row.assignee) or glyphs.missing),
        "waits": safe(ages.age(row.waiting_since, now)),
        "state": safe(state),
    }
    tones = {
        "due": "error" if late else "warning" if soon else "",
        "language": "warning" if unread else "",
        "state": state_tone,
    }
    settled = row.status in ("solved", "closed", "spam") and view not in ("solved", "spam", "all")
    tone = "muted" if settled or pending else "strong" if row.unread else ""
    return ListRow(row.id, cells, {key: tone for key, tone in tones.items() if tone}, tone)


def _state(row: QueueRow, now: datetime, view: str, *, unread_language: bool) -> tuple[str, str]:
    """What stands in the last column: who else is here, else what is odd about the ticket, else its status."""
    for name, mode in sorted(row.presence, key=lambda present: present[1] != "replying"):
        return _(PRESENCE[mode]).format(name=_first_word(name)), "warning" if mode == "replying" else "muted"
    if row.badges:
        return word(BADGE, row.badges[0]), "warning"
    if unread_language:
        return _("no {language} reader").format(language=row.language.partition("-")[0]), "warning"
    if row.priority in URGENT:
        return word(PRIORITY, row.priority), "warning"
    if row.snoozed_until is not None and row.snoozed_until > now:
        return _("till {time}").format(time=ages.day(row.snoozed_until, now)), "muted"
    if row.snoozed_until is not None:
        return _("woke up"), "warning"
    if row.status not in ("new", "open") and view not in ONE_STATUS:
        return word(STATUS, row.status), "muted"
    return " ".join(f"#{tag}" for tag in row.tags), "muted"


def keyed_views(saved: Sequence[str]) -> tuple[str, ...]:
    """The views of the keys 1 to 9: saved ones come after the six that everybody works with."""
    kept = len(TABS) - min(len(saved), len(TABS) - WORKED_WITH)
    return (*TABS[:WORKED_WITH], *saved[: len(TABS) - WORKED_WITH], *TABS[WORKED_WITH:kept])


def health(status: DeskStatus | None, counts: Mapping[str, int], agents: int, now: datetime) -> tuple[StatusPart, ...]:
    """Whether mail comes and goes, and what waits for a decision."""
    if status is None:
        return ()
    parts = [_mail_health(status, now)]
    if unsent := _unsent(status):
        parts.append(StatusPart(safe(_("outbox {count}").format(count=unsent))))
    if not status.delivering:
        parts.append(StatusPart(safe(_("nobody delivers")), "error"))
    troubled = status.uncertain + status.failed
    if troubled:
        text = ngettext("{count} reply needs you: g o", "{count} replies need you: g o", troubled)
        parts.append(StatusPart(safe(text.format(count=troubled)), "error"))
    if status.parked:
        parts.append(StatusPart(safe(_("parked {count}").format(count=status.parked)), "muted"))
    if drafts := counts.get("drafts", 0):
        parts.append(
            StatusPart(safe(ngettext("{count} draft", "{count} drafts", drafts).format(count=drafts)), "muted")
        )
    if agents > 1:
        parts.append(
            StatusPart(safe(ngettext("{count} agent", "{count} agents", agents).format(count=agents)), "muted")
        )
    return tuple(parts)


def _unsent(status: DeskStatus) -> int:
    return sum(status.outbox.get(state, 0) for state in ("held", "sending", "deferred"))


def what_is_unsent(status: DeskStatus | None, *, ends_with_console: bool) -> str:
    """What an agent who leaves should know of the outbox; nothing if it holds nothing."""
    count = _unsent(status) if status is not None else 0
    if status is None or not count:
        return ""
    if ends_with_console:
        text = _("This is a demo, and it ends with you: what the outbox holds ({count}) is not delivered any more.")
        return text.format(count=count)
    if status.delivering:
        where = " · ".join(str(status.worker[key]) for key in ("host", "pid") if status.worker.get(key))
        text = _("The outbox holds {count}. The worker ({where}) goes on delivering after you have left.")
        return text.format(count=count, where=where)
    return _("The outbox holds {count}, and nobody delivers: start `supportdesk worker`.").format(count=count)


def _mail_health(status: DeskStatus, now: datetime) -> StatusPart:
    broken = next((mailbox for mailbox in status.mailboxes if mailbox.error), None)
    if broken is not None:
        since = ages.moment(broken.error_since, now) if broken.error_since else "?"
        text = _("{address} not fetched since {time}").format(address=broken.address, time=since)
        return StatusPart(safe(text), "error")
    active = [mailbox for mailbox in status.mailboxes if mailbox.state == "active"]
    if not active:
        paused = any(mailbox.state == "paused" for mailbox in status.mailboxes)
        return StatusPart(safe(_("mail paused") if paused else _("no mailbox")), "warning")
    if status.unprocessed >= MANY_MAILS:  # the first days of a desk, or the morning after an outage
        count = f"{status.unprocessed}{'+' if status.unprocessed >= MOST_UNPROCESSED else ''}"
        return StatusPart(safe(_("taking mail in: {count} to go").format(count=count)), "warning")
    passes = [mailbox.last_pass_at for mailbox in active if mailbox.last_pass_at is not None]
    if len(passes) < len(active):
        return StatusPart(safe(_("mail not fetched yet")), "warning")
    oldest = min(passes)
    if now - oldest > timedelta(minutes=10):
        return StatusPart(safe(_("mail not fetched since {time}").format(time=ages.moment(oldest, now))), "error")
    if now - oldest >= timedelta(minutes=2):
        age = ages.span((now - oldest).total_seconds())
        return StatusPart(safe(_("mail ok, {age} ago").format(age=age)), "good")
    return StatusPart(safe(_("mail ok")), "good")


def trouble(status: DeskStatus | None, now: datetime, refused: str = "") -> str:
    """What does not mend itself and keeps mail from coming, with the server's words; nothing while all is well.

    `refused`: why the database took nothing more.
    """
    if status is not None and status.disk_full:
        from supportdesk.desk.status import disk_full_sentence

        return disk_full_sentence()
    broken = [mailbox for mailbox in status.mailboxes if mailbox.error] if status is not None else []
    return " · ".join(filter(None, (refused, *(_mail_trouble(mailbox, now) for mailbox in broken))))


def _mail_trouble(mailbox: MailboxStatus, now: datetime) -> str:
    """How old the last complete pass is, and what has kept every later one from its end."""
    if mailbox.last_pass_at is None:
        return f"{mailbox.address}: {mailbox.error}"
    age = ages.span((now - mailbox.last_pass_at).total_seconds())
    text = _("{address}: last fetched {age} ago: {error}")
    return text.format(address=mailbox.address, age=age, error=mailbox.error)


def empty_text(view: str, text: str, *, has_mailbox: bool, total: int) -> tuple[SafeText, ...]:
    """What an empty list says: what was looked for, or what to do next."""
    if text:
        if view == "all":
            return (safe(_("No ticket contains “{text}”.").format(text=text)), safe(_("esc ends the search.")))
        return (
            safe(_("Nothing in this view contains “{text}”.").format(text=text)),
            safe(_("esc ends the filter, g / searches all tickets.")),
        )
    if not has_mailbox:
        return (
            safe(_("This desk has no mailbox yet.")),
            SafeText(""),
            safe(_("Leave with ^q and run")),
            SafeText("    supportdesk init"),
            safe(_("It asks for the address, tests the login and fetches the first mail.")),
        )
    if total == 0:
        return (
            safe(_("No mail has arrived yet. New mail appears here by itself.")),
            safe(_("c writes to a customer first, ? shows every key.")),
        )
    return (safe(_(EMPTY_VIEW.get(view, NOTHING))),)


def news(new: int, changed: int) -> str:
    """`3 new · 2 changed`."""
    parts = []
    if new:
        parts.append(ngettext("{count} new", "{count} new", new).format(count=new))
    if changed:
        parts.append(ngettext("{count} changed", "{count} changed", changed).format(count=changed))
    return " · ".join(parts)


def _first_word(name: str) -> str:
    return name.split(maxsplit=1)[0] if name.split() else name
