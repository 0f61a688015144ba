"""A mail that was too large and is here by its first parts alone: fetched as a whole when somebody asks (INGEST-7).

The message keeps its number, its thread and its time; its text, its files and its search text are made anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from supportdesk.desk.agents import check_actor
from supportdesk.desk.fetch_requests import ask_for
from supportdesk.desk.first_parts import PARTIAL, action_of, made_whole
from supportdesk.desk.intake import read_shop
from supportdesk.desk.model import WORKER, Actor, MailboxId, TicketId
from supportdesk.desk.ports import Plan, Update
from supportdesk.desk.reindex import rewrite
from supportdesk.errors import NotFound, UsageError
from supportdesk.l10n.catalog import _
from supportdesk.mail.limits import MAX_RAW
from supportdesk.mail.model import ParsedMail

if TYPE_CHECKING:
    from supportdesk.desk.desk import Desk
    from supportdesk.desk.ports import Looks, MailParser, MailSource, Reader, Row

MEGABYTE = 1 << 20


@dataclass(frozen=True, slots=True)
class CutMail:
    """A message of which the rest lies on its server; `size` in bytes, as the server told it."""

    delivery_id: int
    message_id: int
    mailbox_id: MailboxId
    size: int


def cut_mails(reader: Reader, ticket_id: TicketId) -> list[CutMail]:
    """What of a ticket is here by its first parts alone, oldest first."""
    homes = [ticket_id, *(row["id"] for row in reader.rows("ticket", {"merged_into": ticket_id}))]
    messages = [row for row in reader.rows("message", {"ticket_id": homes}) if PARTIAL in (row["badges"] or ())]
    if not messages:
        return []
    ids = [row["id"] for row in messages]
    raw = {row["message_id"]: row["raw_sha"] for row in reader.rows("message_mail", {"message_id": ids})}
    found = [
        row
        for row in reader.rows("delivery", {"message_id": ids, "outcome": ["message", "note"]}, order="id")
        if row["raw_sha"] == raw.get(row["message_id"]) and not row["imported"]
    ]
    folders = {row["id"]: row for row in reader.rows("folder", {"id": [row["folder_id"] for row in found]})}
    return [
        CutMail(row["id"], row["message_id"], MailboxId(folders[row["folder_id"]]["mailbox_id"]), row["size"])
        for row in found
    ]


def ask_for_whole(desk: Desk, actor: Actor, ticket_id: TicketId) -> Sequence[CutMail]:
    """Let the worker fetch what is missing of a ticket's mails. Raises NotFound, UsageError for what is too large."""
    found = find_cut(desk.read, ticket_id)
    with desk.store.transaction() as tx:
        check_actor(tx, actor)
        for mail in found:
            ask_for(tx, actor, mail.mailbox_id, mail.delivery_id)
    return found


def find_cut(reader: Reader, ticket_id: TicketId) -> Sequence[CutMail]:
    """The ticket's cut mails. Raises NotFound where there are none, UsageError where one is beyond the limit."""
    found = cut_mails(reader, ticket_id)
    if not found:
        raise NotFound(_("ticket {ticket} has no mail of which a part is missing").format(ticket=ticket_id))
    for mail in found:
        if mail.size > MAX_RAW:
            raise _too_large(mail.size)
    return found


def fetch_whole(desk: Desk, source: MailSource, parser: MailParser, delivery_id: int) -> int:
    """Take the whole mail over and read it anew; its size in bytes.

    Raises NotFound when the server does not have it any more, UsageError when it is beyond the limit or cannot be
    read, ConnectionFailed. Whatever fails leaves everything as it was; what is whole already is not fetched again.
    """
    delivery = next(iter(desk.read.rows("delivery", {"id": delivery_id})), None)
    message = _message_of(desk.read, delivery)
    if delivery is None or message is None:
        raise NotFound(_("there is no such message any more"))
    if PARTIAL not in (message["badges"] or ()):
        return int(delivery["size"])
    [folder] = desk.read.rows("folder", {"id": delivery["folder_id"]})
    if source.select(folder["name"]).uidvalidity != delivery["uidvalidity"]:
        raise NotFound(_("the mail cannot be found any more: its server numbers {folder} anew").format(**_name(folder)))
    mail = next(iter(source.fetch([delivery["uid"]], max_size=MAX_RAW)), None)
    if mail is None:
        raise NotFound(_("the mail is not in {folder} on its server any more").format(**_name(folder)))
    if mail.partial:
        raise _too_large(mail.size)
    if mail.raw is None or mail.short:
        raise NotFound(_("the server did not supply the whole mail"))
    read = next(iter(parser.parse_many([(mail.raw, delivery["internal_date"])])))
    if not isinstance(read, ParsedMail):
        raise UsageError(_("the whole mail cannot be read: {reason}").format(reason=read.message))
    sha = desk.blobs.put(mail.raw)
    joined = {**delivery, "folder": folder["name"], "role": folder["role"], "mailbox_id": folder["mailbox_id"]}
    _replace(desk, joined, sha, read)
    return len(mail.raw)


def _replace(desk: Desk, delivery: Row, sha: str, mail: ParsedMail) -> None:
    with desk.store.transaction() as tx:
        tx.only_one("whole")
        message = _message_of(tx, delivery)
        if message is None:
            raise NotFound(_("there is no such message any more"))
        if PARTIAL not in (message["badges"] or ()):
            return  # somebody else has fetched it meanwhile
        whole = {"raw_sha": sha}
        badges = [badge for badge in message["badges"] or () if badge != PARTIAL]
        before = {"raw_sha": delivery["raw_sha"]}
        changes = (
            Update("delivery", {"id": delivery["id"]}, before, whole),
            Update("message_mail", {"message_id": message["id"]}, before, whole),
            Update("message", {"id": message["id"]}, {}, {"badges": badges}),
        )
        events = (made_whole(tx, message),)
        tx.apply(Plan(silent=changes, events=events, undoable=False), WORKER, action_of(message["id"]))
        rewrite(tx, read_shop(tx), message, {**delivery, **whole}, mail, message["language"] or None)


def _message_of(source: Looks, delivery: Row | None) -> Row | None:
    found = source.rows("message", {"id": delivery["message_id"]}) if delivery is not None else []
    return next(iter(found), None)


def _name(folder: Row) -> dict[str, str]:
    return {"folder": folder["name"]}


def _too_large(size: int) -> UsageError:
    return UsageError(
        _("the mail has {size} MB, and at most {limit} MB are taken over").format(
            size=-(-size // MEGABYTE), limit=MAX_RAW // MEGABYTE
        ),
        hint=_("open it in a mail program"),
    )
