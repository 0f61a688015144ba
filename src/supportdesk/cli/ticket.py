"""`supportdesk ticket`: list, show, start, attachments; every action on a ticket comes from desk/actions.py."""

from __future__ import annotations

import shutil
import sys
from base64 import b64encode
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from supportdesk.cli import mass_reply
from supportdesk.cli.actions import add_action_verbs, say_how_to_ask, send_draft
from supportdesk.cli.draft import ANYWAY
from supportdesk.cli.inputs import assignments, check_limit, find_mailbox, one_ticket, query_text, read_query, text_from
from supportdesk.cli.output import span
from supportdesk.cli.session import Session
from supportdesk.cli.verb import group, verb
from supportdesk.desk import labels
from supportdesk.desk.agents import languages_read, nobody_reads
from supportdesk.desk.model import VIEWS, ThreadEntry, TicketId
from supportdesk.errors import AlreadySent, Conflict, MissingValue, NotFound, UsageError
from supportdesk.l10n.catalog import N_, _, ngettext
from supportdesk.safetext import safe_filename

if TYPE_CHECKING:
    from collections.abc import Collection

    from supportdesk.desk.model import AttachmentRow, QueueRow

app = group()
RULE = "─" * 72


@verb(app, "list", N_("List the tickets of a view, or those that a query finds"), restricted=True, queried=True)
def list_tickets(
    session: Session,
    query: Annotated[
        list[str] | None,
        typer.Argument(metavar="QUERY", help=N_("Only those: is:open tag:return lang:de from:rossi waiting:>4h word")),
    ] = None,
    view: Annotated[
        str,
        typer.Option(
            "--view",
            metavar="|".join(VIEWS),
            help=N_("Which view, or a saved one; without it needs_reply, with a query all"),
        ),
    ] = "",
    limit: Annotated[int, typer.Option("--limit", help=N_("At most so many; 0 for all"))] = 100,
) -> None:
    text = query_text(query or ())
    ids = tickets_of_view(session, view or ("all" if text.strip() else "needs_reply"), text, check_limit(limit))
    show_queue(session, ids, session.desk.clock.now())


def tickets_of_view(session: Session, view: str, text: str, limit: int) -> list[TicketId]:
    """The tickets of a standing or a saved view, narrowed by a query."""
    desk, agent_id = session.desk, session.acting_agent.id
    name, query = view.casefold().replace("-", "_"), read_query(session, text)
    if name not in VIEWS:
        from supportdesk.desk.query import both
        from supportdesk.desk.views import find_view

        saved = find_view(desk.saved_views(agent_id), view)
        name, query = "all", both(read_query(session, saved.query, typing=False), query)
    return desk.read.queue_ids(name, agent_id=agent_id, now=desk.clock.now(), query=query, limit=limit)


def show_queue(session: Session, ids: list[TicketId], now: datetime) -> None:
    """The tickets as a table or as JSON, in this order."""
    found = session.desk.read.queue_rows(ids, agent_id=session.acting_agent.id, now=now)
    rows = [found[ticket_id] for ticket_id in ids if ticket_id in found]
    headings = (
        "#", _("due"), _("status"), _("customer"), _("subject"), _("msgs"), _("lang"), _("owner"), _("waits"),
    )  # fmt: skip
    read = languages_read(session.desk.agents(), now)
    session.out.table(rows, headings, (_queue_cells(row, now, read) for row in rows))


@verb(app, "show", N_("Print the conversation of a ticket"), restricted=True)
def show(
    session: Session,
    ticket: Annotated[str, typer.Argument(metavar="TICKET", help=N_("Its number"))],
) -> None:
    desk, ticket_id = session.desk, one_ticket(ticket)
    found = desk.read.ticket(ticket_id)
    thread = desk.read.thread(ticket_id)
    customer = desk.read.customer(found.customer_id) if found.customer_id is not None else None
    tags = desk.read.tags(ticket_id)
    value = {"ticket": found, "tags": tags, "customer": customer, "thread": thread}
    if session.json:
        session.out.document(value)
        return
    owner = next((agent.login for agent in desk.agents() if agent.id == found.assignee_id), "")
    out = session.out
    out.line(f"#{found.id} · {found.subject}")
    if customer is not None:
        out.line(f"{_('customer')}: {customer.name} <{', '.join(customer.addresses)}> · {customer.language or '—'}")
    status = labels.status_name(found.status)
    out.line(
        f"{_('status')}: {status} · {_('owner')}: {owner or '—'} · "
        + _("read up to: --seen {seq}").format(seq=found.seq)
    )
    out.line(
        _("waits since: {since} · due: {due}").format(
            since=session.time(found.waiting_since, found.mailbox_id) or "—",
            due=session.time(found.due_at, found.mailbox_id) or "—",
        )
    )
    if found.snoozed_until is not None:
        by = next((agent.name for agent in desk.agents() if agent.id == found.snoozed_by), "")
        asleep = _("sleeps until {time}").format(time=session.time(found.snoozed_until, found.mailbox_id))
        told = asleep if found.asleep(desk.clock.now()) else _("woke up")
        out.line(": ".join(filter(None, (told, by, found.snooze_reason))))
    if tags or found.badges:
        out.line(_("tags: {tags}").format(tags=", ".join((*tags, *found.badges))))
    for number, (entry, first) in enumerate(_numbered(thread), start=1):
        _print_entry(session, number, entry, first, session.time(entry.at, found.mailbox_id))


@verb(app, "new", N_("Write to a customer first: a new ticket with a mail"), restricted=True)
def new(
    session: Session,
    to: Annotated[str, typer.Argument(metavar="ADDRESS", help=N_("Whom to write to"))],
    subject: Annotated[str, typer.Option("--subject", help=N_("The subject"))],
    text: Annotated[str, typer.Argument(metavar="TEXT", help=N_("The text; without it, standard input"))] = "",
    file: Annotated[str, typer.Option("--file", metavar="FILE", help=N_("Read the text from a file"))] = "",
    mailbox: Annotated[
        str, typer.Option("--mailbox", metavar="ADDRESS", help=N_("Which mailbox it is sent from"))
    ] = "",
    tag: Annotated[str, typer.Option("--lang", metavar="TAG", help=N_("The customer's language"))] = "",
    canned: Annotated[str, typer.Option("--canned", metavar="KEY", help=N_("Begin with a canned response"))] = "",
    ask: Annotated[
        list[str] | None, typer.Option("--ask", metavar="NAME=VALUE", help=N_("A value that it asks for"))
    ] = None,
    after: Annotated[str, typer.Option("--after", metavar="STATUS", help=N_("What the ticket becomes"))] = "pending",
    anyway: Annotated[bool, ANYWAY] = False,
    draft: Annotated[bool, typer.Option("--draft", help=N_("Keep it as a draft, do not send it"))] = False,
) -> int | None:
    from supportdesk.desk.arguments import read_address
    from supportdesk.desk.beginning import Beginning

    desk, actor = session.desk, session.actor
    body = text_from(session, text, file) if text or file or not canned else ""
    if not (body.strip() or canned or draft):
        raise UsageError(_("The text is empty"))
    try:
        first = Beginning(
            find_mailbox(desk, mailbox).id, read_address(to), subject, body,
            language=tag, key=canned, asked=assignments(ask or ()),
        )  # fmt: skip
        row = desk.begin_conversation(actor, first, again=anyway)
    except MissingValue as missing:
        raise say_how_to_ask(missing) from None
    except AlreadySent as sent:
        raise AlreadySent(sent.message, what=sent.what, hint="--anyway") from None
    if draft:
        line = _("draft {id} on #{ticket}").format(id=row.id, ticket=row.ticket_id)
        session.out.answer({"outbox_id": row.id, "ticket": row.ticket_id}, [line])
        return None
    return send_draft(session, row, seen=-1, anyway=anyway, after=after)


@verb(app, "forward", N_("Pass a message on to a third party; only agents see the answers"), restricted=True)
def forward(
    session: Session,
    ticket: Annotated[str, typer.Argument(metavar="TICKET", help=N_("Its number"))],
    to: Annotated[str, typer.Argument(metavar="ADDRESS", help=N_("Whom to pass it on to"))],
    text: Annotated[str, typer.Argument(metavar="TEXT", help=N_("The text; without it, standard input"))] = "",
    file: Annotated[str, typer.Option("--file", metavar="FILE", help=N_("Read the text from a file"))] = "",
    seen: Annotated[int, typer.Option("--seen", metavar="SEQ", help=N_("Up to where you have read the ticket"))] = -1,
    without_files: Annotated[bool, typer.Option("--without-files", help=N_("Leave out what was attached"))] = False,
    after: Annotated[str, typer.Option("--after", metavar="STATUS", help=N_("What the ticket becomes"))] = "on_hold",
    anyway: Annotated[bool, ANYWAY] = False,
    draft: Annotated[bool, typer.Option("--draft", help=N_("Keep it as a draft, do not send it"))] = False,
) -> int | None:
    from functools import partial

    from supportdesk.desk.arguments import read_address
    from supportdesk.desk.forward_files import carry_files

    desk, actor = session.desk, session.actor
    address, body = read_address(to), text_from(session, text, file)
    row = desk.open_draft(actor, one_ticket(ticket), kind="forward")
    if row.body.strip() not in ("", body.strip()):
        raise Conflict(
            _("you are writing a reply to #{ticket} already").format(ticket=row.ticket_id),
            what="draft",
            hint=_("Draft {id} is kept as it is: send, edit or discard it first.").format(id=row.id),
        )
    if not without_files:
        row = carry_files(desk, actor, row, partial(_attachment_bytes, session))
    row = desk.save_draft(actor, row.id, row.version, to=(address,), body=body)
    if draft:
        line = _("draft {id} on #{ticket}").format(id=row.id, ticket=row.ticket_id)
        session.out.answer({"outbox_id": row.id, "ticket": row.ticket_id}, [line])
        return None
    return send_draft(session, row, seen=seen, anyway=anyway, after=after)


@verb(app, "attachment", N_("Write one attachment of a ticket to standard output"), restricted=True)
def attachment(
    session: Session,
    ticket: Annotated[str, typer.Argument(metavar="TICKET", help=N_("Its number"))],
    number: Annotated[
        int, typer.Argument(metavar="NUMBER", help=N_("Which attachment; without it they are listed"))
    ] = 0,
) -> None:
    thread = session.desk.read.thread(one_ticket(ticket))
    found = [(entry, item) for entry in thread for item in entry.attachments]
    if not number:
        rows: list[dict[str, Any]] = [
            {"number": at, "name": item.name, "content_type": item.content_type, "size": item.size, "at": entry.at}
            for at, (entry, item) in enumerate(found, start=1)
        ]
        headings = ("#", _("name"), _("type"), _("bytes"), _("from"))
        mailbox_id = session.desk.read.ticket(one_ticket(ticket)).mailbox_id
        cells = ((*list(row.values())[:-1], session.time(row["at"], mailbox_id)) for row in rows)
        session.out.table(rows, headings, cells)
        return
    if not 1 <= number <= len(found):
        raise NotFound(
            ngettext("#{ticket} has {count} attachment", "#{ticket} has {count} attachments", len(found)).format(
                ticket=ticket, count=len(found)
            )
        )
    entry, item = found[number - 1]
    if session.json:
        content = b64encode(_attachment_bytes(session, entry, item)).decode()
        value = {"number": number, "name": item.name, "content_type": item.content_type, "size": item.size}
        session.out.document({**value, "content_base64": content})
        return
    if sys.stdout.isatty():
        hint = f"supportdesk ticket attachment {ticket} {number} > {safe_filename(item.name)}"
        raise UsageError(_("an attachment is not shown in a terminal: send it to a file"), hint=hint)
    sys.stdout.buffer.write(_attachment_bytes(session, entry, item))


verb(app, "reply-all", mass_reply.HELP, restricted=True)(mass_reply.reply_all)
add_action_verbs(app)


def _queue_cells(row: QueueRow, now: datetime, read: Collection[str]) -> tuple[Any, ...]:
    due = span((row.due_at - now).total_seconds()) if row.due_at else ""
    waits = span((now - row.waiting_since).total_seconds()) if row.waiting_since else ""
    return (
        row.id, due, labels.word(labels.STATUS, row.status), row.customer_name or row.customer_address, row.subject,
        f"{row.message_count}{'+' if row.has_attachment else ''}",
        f"{'!' if nobody_reads(row.language, read) else ''}{row.language}", row.assignee, waits,
    )  # fmt: skip


def _numbered(thread: list[ThreadEntry]) -> list[tuple[ThreadEntry, int]]:
    """Each entry with the number of its first attachment, counted over the whole ticket."""
    numbered, first = [], 1
    for entry in thread:
        numbered.append((entry, first))
        first += len(entry.attachments)
    return numbered


def _print_entry(session: Session, number: int, entry: ThreadEntry, first_attachment: int, at: str) -> None:
    from supportdesk.desk.disguised_links import pretended_host

    out = session.out
    who = entry.author_name or entry.author_address or entry.author_kind
    out.line(RULE[: shutil.get_terminal_size().columns])
    automatic = entry.direction == "out" and entry.author_kind == "machine"
    who = f"{_('automatic mail')} · {who}" if automatic and entry.author_name else who
    where = f" [{labels.word(labels.OUTBOX, entry.state)}]" if entry.state and entry.state != "sent" else ""
    kind, way = labels.word(labels.ENTRY, entry.kind), labels.word(labels.DIRECTION, entry.direction)
    out.line(f"{number}. {at} · {who} ({kind}, {way}, seq {entry.seq}){where}")
    if entry.author_address and entry.direction == "in":
        check = f" · {labels.word(labels.SENDER, entry.sender_check)}" if entry.sender_check else ""
        out.line(f"{entry.author_address}{check}")
    for badge in entry.badges:
        out.line(f"! {labels.word(labels.BADGE, badge)}")
    if entry.error:
        out.line(f"! {entry.error}")
    out.line()
    out.text(_without_quotes(entry))
    for link, url, host, text in entry.links:
        pretends = pretended_host(url, host, text)
        if pretends or f"[{link}]" in entry.text or (host and host not in entry.text):
            out.line(f"→ [{link}] {host} · {url}")
        if pretends:
            out.line("! " + _("looks like {text}, goes to {host}").format(text=text, host=host or url))
    for counted, item in enumerate(entry.attachments, start=first_attachment):
        out.line(f"[{counted}] {item.name} · {item.content_type} · {item.size}")


def _without_quotes(entry: ThreadEntry) -> str:
    """The text with each folded part as one line that says how much it holds."""
    pieces, at = [], 0
    for start, end, kind in sorted(entry.folds):
        pieces.append(entry.text[at:start])
        lines = entry.text[start:end].strip("\n").count("\n") + 1
        pieces.append(_("[… {lines} lines: {kind}]").format(lines=lines, kind=kind) + "\n")
        at = max(at, end)
    pieces.append(entry.text[at:])
    return "".join(pieces).rstrip("\n")


def _attachment_bytes(session: Session, entry: ThreadEntry, item: AttachmentRow) -> bytes:
    if item.blob_sha:
        return session.desk.blobs.get(item.blob_sha)
    if not entry.raw_sha:
        raise NotFound(_("the original of {name} is not kept").format(name=item.name))
    from supportdesk.bootstrap import open_parser

    parser = open_parser()
    try:
        return parser.cut_part(session.desk.blobs.get(entry.raw_sha), item.part)
    finally:
        parser.close()
