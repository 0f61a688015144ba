"""One canned response to many tickets: rendered for each in its language, one mail each, one action to undo.

What it would say is shown first and changes nothing. Nobody gets a text in another language: a ticket without a
variant is left out and named, and so is one that got this very text a short time ago: a round that was killed is run
again on the same tickets. A draft that somebody is writing is never touched.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from supportdesk.desk import canned_apply, drafts, replies
from supportdesk.desk.bulk import as_conflict
from supportdesk.desk.canned_set import find_canned
from supportdesk.desk.model import ActionId, Actor, OutboxRow, TicketId
from supportdesk.desk.repeats import repeat_warning
from supportdesk.desk.results import Done
from supportdesk.desk.review import find_warnings
from supportdesk.desk.settings import new_action_id
from supportdesk.errors import Conflict, StoreError, SupportdeskError
from supportdesk.l10n.catalog import _, ngettext

if TYPE_CHECKING:
    from supportdesk.desk.desk import Desk

MOST = 500


@dataclass(frozen=True, slots=True)
class Round:
    """Which response, with what was typed for it; `again`: also for those that got the same text a short time ago."""

    key: str
    asked: Mapping[str, str]
    again: bool = False


@dataclass(frozen=True, slots=True)
class Sample:
    """What one ticket would get; `refused` says why it is left out. `seq` is how far its conversation was read.

    `repeated`: because it got this very text a short time ago. `warnings` are what the review of a single reply would
    want a second key for.
    """

    ticket_id: TicketId
    seq: int
    customer: str
    language: str
    text: str = ""
    refused: str = ""
    warnings: tuple[str, ...] = ()
    repeated: bool = False


def samples(
    desk: Desk,
    actor: Actor,
    tickets: Sequence[TicketId],
    wanted: Round,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Sample, ...]:
    """The texts as they would be sent, in the order of the tickets. Raises Conflict for too many, NotFound.

    Who gets the same text again is warned of.
    """
    unique = tuple(dict.fromkeys(tickets))
    if len(unique) > MOST:
        raise Conflict(_("at most {count} tickets are answered at once").format(count=MOST), what="count")
    find_canned(desk.read, wanted.key)
    found = []
    for number, ticket_id in enumerate(unique, start=1):
        found.append(_sample(desk, actor, ticket_id, wanted))
        if progress is not None:
            progress(number, len(unique))
    return tuple(found)


def send_to_all(
    desk: Desk,
    actor: Actor,
    chosen: Sequence[Sample],
    wanted: Round,
    *,
    after: str = "pending",
    progress: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Done:
    """Hold one reply for each sample that was not refused; what was stopped or refused meanwhile is in `conflicts`.

    `cancelled` is asked before each: what was held until then stays, under the one action.
    """
    action_id, sent = new_action_id(), []
    taken = [sample for sample in chosen if not sample.refused]
    conflicts: dict[TicketId, Conflict] = {}
    for number, sample in enumerate(taken, start=1):
        if cancelled is not None and cancelled():
            break
        try:
            _send_one(desk, actor, sample, wanted, after, action_id)
            sent.append(sample.ticket_id)
        except StoreError:
            raise
        except SupportdeskError as error:
            conflicts[sample.ticket_id] = as_conflict(error)
        if progress is not None:
            progress(number, len(taken))
    told = ngettext("Sent {count} reply", "Sent {count} replies", len(sent)).format(count=len(sent))
    return Done(action_id, tuple(sent), told, conflicts, undoable=bool(sent))


def _sample(desk: Desk, actor: Actor, ticket_id: TicketId, wanted: Round) -> Sample:
    ticket = desk.read.ticket(ticket_id)
    customer = desk.read.customer(ticket.customer_id) if ticket.customer_id is not None else None
    name = (customer.name or next(iter(customer.addresses), "")) if customer is not None else ""
    language = ticket.language or (customer.language if customer is not None else "")
    text, refused, repeated = "", _why_not(desk, ticket_id), False
    warnings: tuple[str, ...] = ()
    if not refused:
        try:
            text = desk.render_canned(actor, ticket_id, wanted.key, _asked_here(desk, ticket_id, wanted)).text
            reply = drafts.unwritten_reply(desk, actor, ticket_id, text, wanted.key)
            warnings = tuple(one.text for one in find_warnings(desk.read, reply))
            refused = _being_written(desk, actor, ticket_id, text)
            if not refused and (warning := repeat_warning(desk.read, reply, desk.clock.now())):
                repeated, warnings = not wanted.again, (warning.text, *warnings)
                refused = "" if wanted.again else warning.text
        except StoreError:
            raise
        except SupportdeskError as error:
            refused = error.message
        except ValueError:
            refused = _("the customer's language is not known")
    return Sample(ticket_id, ticket.seq, name, language, text, refused, warnings, repeated)


def _why_not(desk: Desk, ticket_id: TicketId) -> str:
    ticket = desk.read.ticket(ticket_id)
    if ticket.merged_into is not None:
        return _("it was merged into #{ticket}").format(ticket=ticket.merged_into)
    if ticket.status == "spam":
        return _("it is spam")
    return ""


def _being_written(desk: Desk, actor: Actor, ticket_id: TicketId, text: str) -> str:
    """Why not, where a draft of the agent's stands there; one with this very text is what a killed round left."""
    own = {"ticket_id": ticket_id, "agent_id": actor.id, "kind": "reply", "state": "draft", "discarded_at": None}
    written = [row for row in desk.read.rows("outbox", own) if row["body"].strip() not in ("", text.strip())]
    # What an undone round left is a canned text as it was inserted: nobody has written a word of it.
    if not all(canned_apply.is_as_inserted(row) for row in written):
        return _("you are writing a reply to #{ticket} already").format(ticket=ticket_id)
    return ""


def _asked_here(desk: Desk, ticket_id: TicketId, wanted: Round) -> dict[str, str]:
    """What was typed for all, over what this ticket tells; an empty answer leaves the ticket's own."""
    names = {field.name for field, _known in desk.canned_fields(wanted.key, ticket_id)}
    return {name: value for name, value in wanted.asked.items() if name in names and value.strip()}


def _send_one(desk: Desk, actor: Actor, sample: Sample, wanted: Round, after: str, action_id: ActionId) -> None:
    refused = _why_not(desk, sample.ticket_id)
    if not refused:
        asked = _asked_here(desk, sample.ticket_id, wanted)
        rendered = desk.render_canned(actor, sample.ticket_id, wanted.key, asked)
        refused = _being_written(desk, actor, sample.ticket_id, rendered.text)
    if refused:
        raise Conflict(f"#{sample.ticket_id}: {refused}", what=refused)
    row = drafts.open_draft(desk, actor, sample.ticket_id)
    fields: dict[str, Any] = {"body": rendered.text, "canned_key": wanted.key, "seen_seq": sample.seq}
    try:
        row = drafts.save_draft(desk, actor, row.id, row.version, fields)
        replies.send(
            desk, actor, row.id,
            seen_seq=sample.seq, after=after, anyway=False, undo_seconds=None, snooze=None, dismiss="",
            once=not wanted.again, action_id=action_id,
        )  # fmt: skip
    except SupportdeskError:
        _give_up(desk, actor, row)
        raise


def _give_up(desk: Desk, actor: Actor, row: OutboxRow) -> None:
    """Nothing of a reply that was not sent stays behind: nobody has written a word of it.

    A draft that has changed since is that of another round, which is about to send it.
    """
    now = desk.outbox_row(row.id)
    if now.state == "draft" and now.version == row.version:
        drafts.save_draft(desk, actor, now.id, now.version, {"body": ""})
        drafts.discard_draft(desk, actor, now.id)
