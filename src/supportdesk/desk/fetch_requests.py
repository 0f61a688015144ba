"""What somebody asked to be fetched beside the new mail: what lies in the Junk folder, and a large mail as a whole.

A console fetches nothing itself (mail never runs in its process): it leaves the wish with the mailbox, in its setting
`wanted`, and the worker, who follows the mailboxes, fulfils it on the next pass and takes it away.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from supportdesk.desk.agents import check_actor
from supportdesk.desk.model import WORKER, Actor, MailboxId
from supportdesk.desk.ports import Plan, PlannedEvent, Transaction, Update
from supportdesk.desk.settings import new_action_id

if TYPE_CHECKING:
    from supportdesk.desk.desk import Desk
    from supportdesk.desk.model import Mailbox
    from supportdesk.desk.ports import Reader, Store

WANTED = "wanted"
JUNK = "junk"


@dataclass(frozen=True, slots=True)
class JunkFolder:
    """A Junk folder with mail that nobody has taken over, as the last pass counted it."""

    mailbox_id: MailboxId
    address: str
    folder: str
    count: int


def list_junk(reader: Reader) -> list[JunkFolder]:
    """The Junk folders in which something lies that is in no ledger row."""
    folders = [row for row in reader.rows("folder", {"role": "junk"}, order="id") if row["missing"]]
    if not folders:
        return []
    boxes = reader.rows("mailbox", {"id": sorted({row["mailbox_id"] for row in folders})})
    addresses = {row["id"]: row["address"] for row in boxes if row["imap"] is not None}
    return [
        JunkFolder(MailboxId(row["mailbox_id"]), addresses[row["mailbox_id"]], row["name"], row["missing"])
        for row in folders
        if row["mailbox_id"] in addresses
    ]


def wants_junk(mailbox: Mailbox) -> bool:
    """Whether somebody asked for the mail in this mailbox's Junk folder."""
    return JUNK in _list(mailbox.settings)


def ask_for_junk(desk: Desk, actor: Actor) -> int:
    """Let the worker take over what lies in the Junk folders; how many mails that are."""
    found = list_junk(desk.read)
    with desk.store.transaction() as tx:
        check_actor(tx, actor)
        for mailbox_id in dict.fromkeys(folder.mailbox_id for folder in found):
            ask_for(tx, actor, mailbox_id, JUNK)
    return sum(folder.count for folder in found)


def fulfilled(store: Store, mailbox_id: MailboxId, wishes: Iterable[str | int]) -> None:
    """Take wishes away that were granted, or that cannot be."""
    done = set(wishes)
    with store.transaction() as tx:
        stored = tx.row("mailbox", {"id": mailbox_id})
        if stored is None or not done & set(_list(stored["settings"] or {})):
            return
        left = [wish for wish in _list(stored["settings"]) if wish not in done]
        settings = {name: value for name, value in stored["settings"].items() if name != WANTED}
        after = {"settings": {**settings, WANTED: left} if left else settings}
        change = Update("mailbox", {"id": mailbox_id}, {"version": stored["version"]}, after)
        tx.apply(Plan(silent=(change,), undoable=False), WORKER, new_action_id())


def wanted_whole(mailbox: Mailbox) -> list[int]:
    """The deliveries of which somebody wants the whole mail."""
    return [wish for wish in _list(mailbox.settings) if isinstance(wish, int)]


def ask_for(tx: Transaction, actor: Actor, mailbox_id: MailboxId, wish: str | int) -> None:
    """Leave a wish with the mailbox, once: JUNK, or the number of a delivery."""
    stored = tx.row("mailbox", {"id": mailbox_id})
    if stored is None or wish in (wishes := _list(stored["settings"] or {})):
        return
    after = {"settings": {**(stored["settings"] or {}), WANTED: [*wishes, wish]}}
    change = Update("mailbox", {"id": mailbox_id}, {"version": stored["version"]}, after)
    event = PlannedEvent(None, "fetch_wanted", {"mailbox_id": mailbox_id, "what": wish})
    tx.apply(Plan(silent=(change,), events=(event,), undoable=False), actor, new_action_id())


def _list(settings: Mapping[str, Any]) -> Sequence[str | int]:
    wishes: Sequence[str | int] = settings.get(WANTED) or ()
    return wishes
