"""A conversation as the items of a thread view, and what stands beside and above it: values in, strings out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from supportdesk.desk.labels import BADGE, ENTRY, OUTBOX, PARTICIPANT, PRESENCE, PRIORITY, SENDER, SOURCE, STATUS, word
from supportdesk.l10n.catalog import _, ngettext
from supportdesk.mail.model import Fold
from supportdesk.safetext import SafeText, safe
from supportdesk.tui import ages
from supportdesk.tui.widgets.bars import StatusPart
from supportdesk.tui.widgets.thread_layout import Badge, ItemKind, ThreadItem

if TYPE_CHECKING:
    from datetime import datetime

    from supportdesk.desk.model import AttachmentRow, OutboxRow, RecipientRow, ThreadEntry
    from supportdesk.tui.session import TicketBundle

MACHINE_WORDS: Final = {kind: ENTRY[kind] for kind in ("bounce", "out_of_office", "notification", "report")}
TROUBLE: Final = {"failed": "error", "bounced": "error", "uncertain": "warning", "deferred": "warning"}


def thread_items(bundle: TicketBundle, now: datetime) -> tuple[ThreadItem, ...]:
    """The items, oldest first; strings verbatim, for the view makes them safe."""
    return tuple(thread_item(entry, bundle, now) for entry in bundle.entries)


def thread_item(entry: ThreadEntry, bundle: TicketBundle, now: datetime) -> ThreadItem:
    """One message, note or unsent reply."""
    kind = _kind(entry)
    state, tone = _state(entry, now)
    return ThreadItem(
        kind=kind,
        id=entry_key(entry),
        heading=_heading(entry),
        meta=ages.moment(entry.at, now),
        text=entry.text,
        folds=tuple(Fold(*fold) for fold in entry.folds),
        attachments=tuple(attachment_line(attachment) for attachment in entry.attachments if not attachment.inline),
        state=state,
        state_tone=tone,
        badges=_badges(entry, bundle),
        collapsed=kind is ItemKind.MACHINE and entry.kind != "bounce",
        copies=_copies(entry),
    )


def entry_key(entry: ThreadEntry) -> str:
    """What names the entry from one reading to the next: a reply keeps its name when it is sent."""
    return f"o{entry.outbox_id}" if entry.outbox_id is not None else f"m{entry.id}"


def attachment_line(attachment: AttachmentRow) -> str:
    return f"{attachment.name or _('attachment')}  {size(attachment.size)}"


def size(octets: int) -> str:
    """`640 B`, `12 KB`, `3.4 MB`."""
    if octets < 1000:
        return f"{octets} B"
    return f"{octets / 1000:.0f} KB" if octets < 1_000_000 else f"{octets / 1_000_000:.1f} MB"


def recipients_line(recipients: tuple[RecipientRow, ...], role: str) -> str:
    """`Giulia Rossi <giulia@…>, …` of one role, to be shown and edited."""
    return ", ".join(
        f"{recipient.name} <{recipient.address}>" if recipient.name else recipient.address
        for recipient in recipients
        if recipient.role == role
    )


def delivery_state(row: OutboxRow | ThreadEntry, now: datetime) -> str:
    """What became of a reply, in words that stay true until something happens."""
    when = _goes_out(row.not_before, now) if row.not_before is not None else ""
    match row.state:
        case "held" if row.agent_id is None:
            return _("goes out with the next delivery")
        case "held" if row.not_before is not None and row.not_before > now:
            return _("goes out at {time} · U takes it back").format(time=when)
        case "held":
            return _("goes out with the next delivery · U takes it back")
        case "deferred":
            again = ages.moment(row.next_try, now) if row.next_try is not None else "?"
            return _("not delivered yet, next try {time}: {error}").format(time=again, error=row.error)
        case "uncertain":
            return _("may have been sent; g o decides: {error}").format(error=row.error)
        case "failed":
            return _("not sent: {error}").format(error=row.error)
        case state:
            return word(OUTBOX, state)


def _goes_out(at: datetime, now: datetime) -> str:
    return ages.clock(at, now) if (at - now).total_seconds() < ages.HOUR else ages.moment(at, now)


def ticket_title(
    bundle: TicketBundle, now: datetime, *, pending: str = ""
) -> tuple[tuple[StatusPart, ...], tuple[StatusPart, ...]]:
    """The line above a conversation: number and subject on the left, where it stands on the right.

    `pending` says what is being done to it, when nobody knows yet what becomes of it.
    """
    ticket = bundle.ticket
    left = [StatusPart(safe(f"#{ticket.id}  {ticket.subject or _('(no subject)')}"), "strong")]
    right = [StatusPart(safe(word(STATUS, ticket.status)))]
    if ticket.merged_into is not None:
        right = [StatusPart(safe(_("merged into #{ticket}").format(ticket=ticket.merged_into)), "warning")]
    if ticket.snoozed_until is not None and ticket.snoozed_until > now:
        text = _("sleeps until {time}").format(time=ages.moment(ticket.snoozed_until, now))
        right.append(StatusPart(safe(text), "muted"))
    elif ticket.snoozed_until is not None:
        told = (bundle.snoozed_by, ticket.snooze_reason)
        right.append(StatusPart(safe(": ".join(filter(None, (_("woke up"), *told)))), "warning"))
    if bundle.followed:
        right.append(StatusPart(safe(_("followed")), "muted"))
    if ticket.priority != "normal":
        right.append(StatusPart(safe(word(PRIORITY, ticket.priority)), "warning"))
    if bundle.unread_language:
        right.append(StatusPart(safe(_("nobody reads {language}").format(language=ticket.language)), "warning"))
    right.append(StatusPart(safe(bundle.assignee or _("nobody's")), "" if bundle.assignee else "muted"))
    if ticket.due_at is not None and ticket.waiting_since is not None:
        late = ticket.due_at < now
        left_over = ages.due(ticket.due_at, now).removeprefix("-")
        text = _("late by {time}") if late else _("due in {time}")
        right.append(StatusPart(safe(text.format(time=left_over)), "error" if late else ""))
    if pending:
        right.insert(0, StatusPart(safe(pending), "muted"))
    return tuple(left), tuple(right)


def presence_words(presence: tuple[tuple[str, str], ...]) -> str:
    """`anna writes, luca reads`."""
    return ", ".join(_(PRESENCE[mode]).format(name=name) for name, mode in presence if mode in PRESENCE)


@dataclass(frozen=True, slots=True)
class SideLine:
    """A line beside a conversation."""

    text: SafeText
    tone: str = ""


def customer_lines(bundle: TicketBundle, now: datetime) -> tuple[SideLine, ...]:
    """Who the customer is, the ticket's own labels, his other tickets, and who else takes part."""
    lines: list[SideLine] = []
    customer, ticket = bundle.customer, bundle.ticket
    if customer is not None:
        lines.append(SideLine(safe(customer.name or _("(no name)")), "strong"))
        lines += [SideLine(safe(address)) for address in customer.addresses[:4]]
        lines.append(SideLine(SafeText("")))
    lines.append(SideLine(safe(_language_line(bundle))))
    if customer is not None:
        lines.append(SideLine(safe(_("customer since {date}").format(date=ages.date(customer.since, now))), "muted"))
    if ticket.order_number:
        lines += [
            SideLine(SafeText("")),
            SideLine(safe(_("order {number}").format(number=ticket.order_number))),
            SideLine(safe(_("found in the text")), "muted"),
        ]
    if bundle.tags:
        lines += [SideLine(SafeText("")), SideLine(safe(" ".join(f"#{tag}" for tag in bundle.tags)))]
    if bundle.mailbox is not None:
        lines += [
            SideLine(SafeText("")),
            SideLine(safe(_("to {address}").format(address=bundle.mailbox.address)), "muted"),
        ]
    if customer is not None:
        lines += _earlier(bundle)
        if customer.note:
            lines += [SideLine(SafeText("")), *(SideLine(line) for line in _lines_of(customer.note))]
    return (*lines, *_participants(bundle))


def _participants(bundle: TicketBundle) -> list[SideLine]:
    """Who takes part besides the customer, each with his role: the unconfirmed first, copies last."""
    own = {address.casefold() for address in bundle.customer.addresses} if bundle.customer is not None else set()
    others = [one for one in bundle.participants if one.address.casefold() not in own]
    if not others:
        return []
    others.sort(key=lambda one: (one.is_confirmed, one.role == "cc"))
    lines = [SideLine(SafeText("")), SideLine(safe(_("participants")), "strong")]
    for one in others:
        tone = "muted" if one.is_confirmed else "warning"
        lines += [SideLine(safe(one.address)), SideLine(safe(f"  {word(PARTICIPANT, one.role)}"), tone)]
    return lines


def _earlier(bundle: TicketBundle) -> list[SideLine]:
    assert bundle.customer is not None
    count = bundle.customer.ticket_count - (bundle.ticket.merged_into is None)
    if count < 1:
        return [SideLine(SafeText("")), SideLine(safe(_("no other ticket")), "muted")]
    others = [row for row in bundle.customer.tickets if row[0] != bundle.ticket.id]
    title = ngettext("{count} other ticket", "{count} other tickets", count).format(count=count)
    lines = [SideLine(SafeText("")), SideLine(safe(title), "strong")]
    lines += [
        SideLine(safe(f"#{number} {word(STATUS, status)} · {subject}"))
        for number, subject, status, _created in others[:6]
    ]
    return lines


def _lines_of(text: str) -> list[SafeText]:
    return [SafeText(line) for line in safe(text, multiline=True).split("\n")]


def _language_line(bundle: TicketBundle) -> str:
    customer, ticket = bundle.customer, bundle.ticket
    tag = (customer.language if customer is not None else "") or ticket.language
    if not tag:
        return _("language unknown · L sets it")
    region = f"-{customer.region}" if customer is not None and customer.region and "-" not in tag else ""
    register = customer.register if customer is not None else ""
    source = (customer.language_source if customer is not None else "") or ticket.language_source
    parts = [f"{tag}{region}", register, word(SOURCE, source) if source else ""]
    return " · ".join(part for part in parts if part)


def _kind(entry: ThreadEntry) -> ItemKind:
    if entry.id is None:
        return ItemKind.OUTBOX
    if entry.kind in ("note", "call"):
        return ItemKind.NOTE
    if entry.kind in MACHINE_WORDS or entry.author_kind == "machine":
        return ItemKind.MACHINE
    if entry.direction == "system" or entry.author_kind == "system":
        return ItemKind.EVENT if not entry.text else ItemKind.MACHINE
    return ItemKind.OUTGOING if entry.direction == "out" else ItemKind.INCOMING


def _heading(entry: ThreadEntry) -> str:
    automatic = entry.direction == "out" and entry.author_kind == "machine"
    nobody = _("automatic mail") if automatic else _("unknown sender")
    who = entry.author_name or entry.author_address or nobody
    if entry.kind in MACHINE_WORDS:
        return f"{_(MACHINE_WORDS[entry.kind])} · {who}"
    if entry.kind == "call":
        return f"{_('call')} · {who}"
    if entry.direction == "in" and entry.author_name and entry.author_address:
        return f"{entry.author_name} <{entry.author_address}>"
    if entry.direction == "out":
        to = ", ".join(recipient.address for recipient in entry.recipients if recipient.role == "to")
        return _("{who} to {recipients}").format(who=who, recipients=to) if to else who
    return who


def _copies(entry: ThreadEntry) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Who else got a mail, seen and unseen by the others."""
    named = {
        field: tuple(one.address for one in entry.recipients if one.role == role)
        for role, field in (("cc", _("Cc")), ("bcc", _("Bcc")))
    }
    return tuple((field, people) for field, people in named.items() if people)


def _badges(entry: ThreadEntry, bundle: TicketBundle) -> tuple[Badge, ...]:
    badges = []
    if entry.sender_check:
        tone = {"pass": "good", "fail": "error"}.get(entry.sender_check, "muted")
        badges.append(Badge(word(SENDER, entry.sender_check), tone))
    badges += [Badge(word(BADGE, badge), "warning") for badge in entry.badges]
    if entry.kind == "stub":
        badges.append(Badge(_("could not be read; R shows the original"), "warning"))
    if entry.ticket_id != bundle.ticket.id:
        badges.append(Badge(_("from #{ticket}").format(ticket=entry.ticket_id), "muted"))
    if entry.direction == "in" and entry.language and entry.language != bundle.ticket.language:
        badges.append(Badge(entry.language, "muted"))
    return tuple(badges)


def _state(entry: ThreadEntry, now: datetime) -> tuple[str, str]:
    if entry.id is None:
        return delivery_state(entry, now), TROUBLE.get(entry.state, "")
    refused = [recipient for recipient in entry.recipients if recipient.state in ("failed", "bounced", "deferred")]
    if refused:
        return (
            "; ".join(f"{one.address}: {word(OUTBOX, one.state)} {one.detail}".strip() for one in refused),
            "error" if any(one.state != "deferred" for one in refused) else "warning",
        )
    if entry.state in TROUBLE:
        return delivery_state(entry, now), TROUBLE[entry.state]
    return "", ""
