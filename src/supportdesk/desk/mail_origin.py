"""Where a mail comes from: whether we wrote it ourselves, and which labels it bore in the archive it was kept in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from supportdesk.desk.model import MAIL, ActionId, Mailbox
from supportdesk.desk.ports import Insert, Plan, Row, Transaction
from supportdesk.mail.archived import gmail_labels, label_role, tags_of
from supportdesk.mail.authentication import check_sender
from supportdesk.mail.classify import effective_sender

if TYPE_CHECKING:
    from supportdesk.mail.model import ParsedMail
    from supportdesk.mail.recipients import OwnAddresses


def is_our_own(delivery: Row, mail: ParsedMail, own: OwnAddresses, domains: frozenset[str]) -> bool:
    """Whether we wrote a mail: it lies in Sent; in an archive also one from our address, or that Gmail calls sent.

    A contact form that writes from our address is its customer's.
    """
    if delivery["role"] == "sent":
        return True
    if not delivery["imported"] or mail.report is not None:
        return False
    sender = effective_sender(mail, own, domains)
    if sender is None:
        return False
    return sender.addr in own or (sender.domain in domains and label_role(gmail_labels(mail.headers)) == "sent")


def may_be_our_blind_copy(mail: ParsedMail, mailbox: Mailbox, own: OwnAddresses) -> bool:
    """Whether a fetched mail looks like one that we wrote elsewhere to somebody else, with a Bcc to ourselves.

    That it also belongs to a conversation is for the caller to ask: what only claims to be from us is a loop.
    """
    author = next(iter(mail.from_), None)
    if author is None or author.addr not in own or mail.report is not None:
        return False
    if any(address.addr not in own for address in mail.reply_to):
        return False  # a contact form
    addressed = (*mail.to, *mail.cc)
    if not addressed or any(address.addr in own for address in addressed):
        return False
    return check_sender(mail, str(mailbox.settings.get("authserv_id") or "")) in ("", "pass")


def tag_as_labelled(tx: Transaction, delivery: Row, mail: ParsedMail, action_id: ActionId) -> None:
    """Give the ticket that an imported mail came to the labels that people had given the mail."""
    tags = tags_of(gmail_labels(mail.headers)) if delivery["imported"] else ()
    if not tags:
        return
    settled = tx.row("delivery", {"id": delivery["id"]})
    message = tx.row("message", {"id": settled["message_id"]}) if settled is not None else None
    if message is None:
        return
    key = {"ticket_id": message["ticket_id"]}
    known = {row["tag"] for row in tx.rows("ticket_tag", key)}
    new = tuple(Insert("ticket_tag", {**key, "tag": tag}) for tag in tags if tag not in known)
    tx.apply(Plan(silent=new, undoable=False), MAIL, action_id)
