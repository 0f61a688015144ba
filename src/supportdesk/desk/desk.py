"""The one door: everything that changes state goes through `Desk`, in one transaction, and leaves one action behind.

Nothing is decided here; each method hands over to the module of its use case.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from supportdesk.desk import (
    actions,
    agents,
    drafts,
    following,
    hours_editing,
    notes,
    replies,
    review,
    sender_verdicts,
    settings,
    status,
    stuck_replies,
    team_settings,
    undo,
    views,
    why,
)
from supportdesk.desk.following import Notice
from supportdesk.desk.model import (
    ActionId,
    Actor,
    Agent,
    AgentId,
    Mailbox,
    MailboxId,
    MessageId,
    OutboxId,
    OutboxRow,
    Query,
    SavedView,
    TicketId,
)
from supportdesk.desk.results import AnswerNeeded, DeskStatus, Done, Review, ReviewWarning, Why
from supportdesk.desk.settings import DeskSettings

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from supportdesk.desk import canned as canned_responses
    from supportdesk.desk import mass_reply
    from supportdesk.desk.beginning import Beginning
    from supportdesk.desk.calendar import Calendar
    from supportdesk.desk.canned_set import Imported
    from supportdesk.desk.ports import Blobs, Clock, Reader, Row, Store, Transaction
    from supportdesk.desk.retarget import Moved
    from supportdesk.desk.templates import Rendered
    from supportdesk.desk.undo import Foreseen
    from supportdesk.mail.model import Address

__all__ = ["AnswerNeeded", "Desk", "DeskSettings", "DeskStatus", "Done", "Review", "ReviewWarning", "Why"]

PENDING = "pending"


class Desk:
    """The use cases of the desk on a store. Safe to share between threads; opens nothing before the first call."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.store = store
        self.clock = clock

    @property
    def read(self) -> Reader:
        return self.store.read

    @property
    def blobs(self) -> Blobs:
        return self.store.blobs

    def rehearsal(self, prepare: Callable[[Transaction], object] = lambda _tx: None) -> Desk:
        """This desk, on which everything is done and nothing stays; `prepare` is done first in each transaction."""
        from supportdesk.desk.rehearsal import Rehearsal

        return Desk(cast("Store", Rehearsal(self.store, prepare)), self.clock)

    # ---- what the team shares

    def settings(self) -> DeskSettings:
        return settings.read_settings(self.read)

    def update_settings(self, actor: Actor, **changes: Any) -> DeskSettings:
        settings.update_settings(self, actor, changes)
        return self.settings()

    def change_settings(self, actor: Actor, changes: Mapping[str, Any]) -> Done:
        """Set what the team shares as one action, which can be undone."""
        return team_settings.change(self, actor, changes)

    def agents(self) -> list[Agent]:
        return agents.list_agents(self.read)

    def agent_by_login(self, login: str) -> Agent:
        return agents.find_agent(self.read, login)

    def add_agent(self, actor: Actor, login: str, **values: Any) -> Agent:
        return agents.add_agent(self, actor, login, values)

    def set_agent(self, actor: Actor, agent_id: AgentId, **changes: Any) -> Agent:
        return agents.set_agent(self, actor, agent_id, changes)

    def mailboxes(self) -> list[Mailbox]:
        return settings.list_mailboxes(self.read)

    def mailbox(self, mailbox_id: MailboxId) -> Mailbox:
        return settings.find_mailbox(self.read, mailbox_id)

    def zone_of(self, mailbox_id: MailboxId | None) -> ZoneInfo:
        """The zone in which agents are shown the times of a mailbox's tickets; None: what is no mailbox's."""
        return settings.zone_of(self.read, mailbox_id)

    def save_mailbox(self, actor: Actor, values: Mapping[str, Any]) -> Mailbox:
        return settings.save_mailbox(self, actor, values)

    def calendar(self, calendar_id: int | None) -> Calendar | None:
        return settings.find_calendar(self.read, calendar_id)

    def save_calendar(self, actor: Actor, name: str, calendar: Calendar) -> int:
        """Store opening hours under a name and return their id; deadlines that were counted by them move."""
        return hours_editing.save_calendar(self, actor, name, calendar)

    def hours(self, mailbox: str = "", market: str = "") -> hours_editing.Keeper:
        """The hours of a mailbox or market, by its name; without one, of the only mailbox."""
        return hours_editing.find_keeper(self.read, mailbox, market)

    def change_hours(self, actor: Actor, keeper: hours_editing.Keeper, edit: hours_editing.Edit, said: str) -> Done:
        """Edit opening hours as one action; open deadlines that were counted by them move."""
        return hours_editing.change_hours(self, actor, keeper, edit, said)

    def foresee_hours(
        self, actor: Actor, keeper: hours_editing.Keeper, edit: hours_editing.Edit
    ) -> tuple[Moved, ...] | None:
        """The dry run of `change_hours`: the deadlines that would move; None where the hours are so already."""
        return hours_editing.foresee_hours(self, actor, keeper, edit)

    def set_sender_verdict(self, actor: Actor, address: str, verdict: str) -> Done:
        """What mail of this sender becomes: ticket, notification, park, block, or "" to decide by the rules again."""
        return sender_verdicts.set_verdict(self, actor, address, verdict)

    def merge_customers(self, actor: Actor, kept: int, merged: int) -> Done:
        """Make two customers one, of whom `kept` survives; it can be undone in any order."""
        from supportdesk.desk import customer_merge

        return customer_merge.merge_customers(self, actor, kept, merged)

    # ---- actions on tickets

    def perform(
        self,
        action: str,
        actor: Actor,
        tickets: Sequence[TicketId],
        params: Mapping[str, Any] | None = None,
        *,
        expect: Mapping[TicketId, int] | None = None,
        progress: Callable[[int, int], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
        action_id: ActionId | None = None,
    ) -> Done:
        """Perform a registered action. `expect` maps a ticket to the version that the caller saw.

        Several tickets: what cannot be done is listed in `Done.conflicts`; one ticket: it is raised (Conflict,
        AnswerNeeded). `action_id`: of an action on several that goes on with an answer. `progress(done, of)` and
        `cancelled()` are called between the transactions, of at most 100 tickets and 20 ms each.
        """
        spec, given = actions.find_action(action), dict(params or {})
        unique = tuple(dict.fromkeys(tickets))
        actions.check_params(spec, given, unique)
        return spec.run(actions.Call(self, actor, unique, given, expect, progress, cancelled, action_id))

    def foresee(
        self, action: str, actor: Actor, tickets: Sequence[TicketId], params: Mapping[str, Any] | None = None
    ) -> tuple[tuple[TicketId, ...], Mapping[TicketId, str]]:
        """The dry run of an action on many tickets: which it would change, and why it would leave others alone."""
        from supportdesk.desk.bulk import foresee

        spec, given = actions.find_action(action), dict(params or {})
        unique = tuple(dict.fromkeys(tickets))
        actions.check_params(spec, given, unique)
        return foresee(actions.Call(self, actor, unique, given), action)

    def undo(self, actor: Actor, action_id: ActionId | None = None) -> Done:
        """Take back an action, by default the actor's newest. Raises Conflict naming who changed the same since."""
        return undo.undo(self, actor, action_id)

    def foresee_undo(self, actor: Actor, action_id: ActionId | None = None) -> Foreseen:
        """The dry run of `undo`: what would be taken back, left alone, and moved."""
        return undo.foresee(self, actor, action_id)

    def add_note(self, actor: Actor, ticket_id: TicketId, text: str, *, draft: OutboxId | None = None) -> Done:
        """Put a note on the ticket; `draft` is the row in which it was written, consumed in the same transaction."""
        return notes.add_note(self, actor, ticket_id, text, draft=draft)

    def log_call(
        self,
        actor: Actor,
        ticket_id: TicketId,
        text: str,
        *,
        after: str = "",
        dismiss: str = "",
        seen_seq: int | None = None,
    ) -> Done:
        """A logged outgoing call counts as a reply to the customer; `after` is the status then, "" leaves it.

        It answers what the caller had seen: up to `seen_seq`, else as far as he has read the ticket.
        """
        return notes.log_call(self, actor, ticket_id, text, after=after, dismiss=dismiss, seen_seq=seen_seq)

    def notices(self, agent_id: AgentId) -> list[Notice]:
        """What an agent has not looked at yet: notes that name him, what others did on tickets that he follows."""
        return following.notices(self, agent_id)

    def mark_told(self, actor: Actor, tickets: Sequence[TicketId] = ()) -> int:
        """Take notices away, all without `tickets`; how many went. Opening a ticket does it too."""
        return following.mark_told(self, actor, tickets)

    def mark_seen(self, actor: Actor, ticket_id: TicketId, seq: int) -> None:
        notes.mark_seen(self, actor, ticket_id, seq)

    def presence(self, actor: Actor, ticket_id: TicketId, console: str, mode: str) -> None:
        """`mode` viewing | replying | "" to leave."""
        rows = self.read.rows("agent", {"id": actor.id}) if actor.id is not None else []
        if actor.id is not None and rows and rows[0]["state"] != "disabled":
            self.store.set_presence(ticket_id, actor.id, console, mode)

    # ---- writing

    def open_draft(
        self, actor: Actor, ticket_id: TicketId, *, kind: str = "reply", in_reply_to: MessageId | None = None
    ) -> OutboxRow:
        """The agent's draft of that kind on the ticket; a new one is filled with recipients and subject."""
        return drafts.open_draft(self, actor, ticket_id, kind=kind, in_reply_to=in_reply_to)

    def start_conversation(
        self, actor: Actor, mailbox_id: MailboxId, to: Address, subject: str, language: str = ""
    ) -> OutboxRow:
        return drafts.start_conversation(self, actor, mailbox_id, to, subject, language)

    def begin_conversation(self, actor: Actor, first: Beginning, *, again: bool = False) -> OutboxRow:
        """The draft of a first mail with its text, of which a command that is run twice makes one (not `again`)."""
        from supportdesk.desk import beginning

        return beginning.begin(self, actor, first, again=again)

    def save_draft(self, actor: Actor, outbox_id: OutboxId, version: int, **fields: Any) -> OutboxRow:
        """Set subject, body, to, cc, bcc, language, quote, canned_key, seen_seq, in_reply_to or after_status.

        Raises Conflict when `version` is not the newest, or the row is no draft any more.
        """
        return drafts.save_draft(self, actor, outbox_id, version, fields)

    def attach(self, actor: Actor, outbox_id: OutboxId, name: str, content_type: str, data: bytes) -> OutboxRow:
        return drafts.attach(self, actor, outbox_id, name, content_type, data)

    def detach(self, actor: Actor, outbox_id: OutboxId, attachment_id: int) -> OutboxRow:
        return drafts.detach(self, actor, outbox_id, attachment_id)

    def discard_draft(self, actor: Actor, outbox_id: OutboxId) -> Done:
        return drafts.discard_draft(self, actor, outbox_id)

    def drafts(self, actor: Actor, *, everybody: bool = False) -> list[OutboxRow]:
        return drafts.list_drafts(self.read, actor, everybody=everybody)

    def adopt_draft(self, actor: Actor, outbox_id: OutboxId) -> OutboxRow:
        return drafts.adopt_draft(self, actor, outbox_id)

    def outbox_row(self, outbox_id: OutboxId) -> OutboxRow:
        return drafts.read_row(self.read, outbox_id)

    # ---- sending

    def review(self, actor: Actor, outbox_id: OutboxId) -> Review:
        """The dry run of `send`: what would stop it, what deserves a second look."""
        return review.review(self, outbox_id)

    def send(
        self,
        actor: Actor,
        outbox_id: OutboxId,
        *,
        seen_seq: int,
        after: str = PENDING,
        anyway: bool = False,
        undo_seconds: int | None = None,
        snooze: datetime | None = None,
        at: datetime | None = None,
        dismiss: str = "",
        ask_again: bool = False,
        once: bool = False,
    ) -> Done:
        """Hold the reply for delivery after the undo window, or until `at`.

        Raises ReplyStopped when somebody else or the customer added something after `seen_seq` (the text stays a
        draft); `anyway` sends all the same. With `ask_again` a customer who does not answer is reminded. With `once`
        raises AlreadySent where the same people were sent the same text a short time ago.
        """
        return replies.send(
            self,
            actor,
            outbox_id,
            seen_seq=seen_seq,
            after=after,
            anyway=anyway,
            undo_seconds=undo_seconds,
            snooze=snooze,
            at=at,
            dismiss=dismiss,
            ask_again=ask_again,
            once=once,
        )

    def reply_samples(
        self,
        actor: Actor,
        tickets: Sequence[TicketId],
        key: str,
        asked: Mapping[str, str],
        *,
        again: bool = False,
        progress: Callable[[int, int], None] | None = None,
    ) -> tuple[mass_reply.Sample, ...]:
        """What each ticket would get of one canned response; changes nothing. `again`: although it just got that."""
        from supportdesk.desk import mass_reply

        return mass_reply.samples(self, actor, tickets, mass_reply.Round(key, asked, again), progress)

    def reply_to_all(
        self,
        actor: Actor,
        samples: Sequence[mass_reply.Sample],
        key: str,
        asked: Mapping[str, str],
        *,
        after: str = PENDING,
        again: bool = False,
        progress: Callable[[int, int], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> Done:
        """Hold one reply for each sample as one action; what was stopped meanwhile is in `Done.conflicts`."""
        from supportdesk.desk import mass_reply

        wanted = mass_reply.Round(key, asked, again)
        return mass_reply.send_to_all(self, actor, samples, wanted, after=after, progress=progress, cancelled=cancelled)

    def cancel_send(self, actor: Actor, outbox_id: OutboxId | None = None) -> OutboxRow:
        """Make a reply that is not on the wire a draft again, by default the actor's last one."""
        return replies.cancel_send(self, actor, outbox_id)

    def resolve_uncertain(self, actor: Actor, outbox_id: OutboxId, decision: str) -> Done:
        """A person decides about a delivery in doubt: "resend" (the same Message-ID) or "mark_sent"."""
        return stuck_replies.resolve_uncertain(self, actor, outbox_id, decision)

    def retry_failed(self, actor: Actor, outbox_id: OutboxId) -> Done:
        return stuck_replies.retry_failed(self, actor, outbox_id)

    # ---- canned responses

    def canned(self, mailbox_id: MailboxId | None = None) -> tuple[canned_responses.CannedResponse, ...]:
        """What an agent may pick for a mailbox: no fragments, no automatic texts, nothing of another shop's set."""
        from supportdesk.desk import canned_set
        from supportdesk.desk.canned import is_offered

        chosen = self.mailbox(mailbox_id).canned_set if mailbox_id is not None else ""
        return tuple(one for one in canned_set.list_canned(self.read) if is_offered(one, chosen))

    def canned_entries(self) -> tuple[canned_responses.Entry, ...]:
        """Every entry, fragments and automatic texts too, with its version and how it is used."""
        from supportdesk.desk import canned_set

        return canned_set.list_entries(self.read)

    def canned_fields(self, key: str, ticket_id: TicketId) -> tuple[tuple[canned_responses.AskField, str], ...]:
        """What the response asks for, each with what the ticket already tells (the order number)."""
        from supportdesk.desk import canned_use

        return canned_use.ask_fields(self, key, ticket_id)

    def canned_currency(self, ticket_id: TicketId) -> str:
        """What an amount is in when the agent names no currency (ISO 4217)."""
        from supportdesk.desk import canned_use

        return canned_use.currency_of(self, ticket_id)

    def render_canned(self, actor: Actor, ticket_id: TicketId, key: str, asked: Mapping[str, str]) -> Rendered:
        """The response in the customer's language. Raises MissingValue naming what is missing."""
        from supportdesk.desk import canned_use

        return canned_use.render(self, actor, ticket_id, key, asked)

    def preview_canned(
        self,
        actor: Actor,
        ticket_id: TicketId | None,
        response: canned_responses.CannedResponse,
        variant: canned_responses.Variant,
        stand_in: Callable[[str], str],
    ) -> Rendered:
        """Any variant with the data of a ticket's customer; `stand_in` has the words for what is not known."""
        from supportdesk.desk import canned_use

        return canned_use.preview(self, actor, ticket_id, response, variant, stand_in)

    def save_canned(self, actor: Actor, response: canned_responses.CannedResponse, version: int) -> Done:
        """Store an entry that was read at `version` (0: a new one). Raises Conflict naming who was faster."""
        from supportdesk.desk import canned_set

        return canned_set.save(self, actor, response, version)

    def remove_canned(self, actor: Actor, key: str, version: int) -> Done:
        from supportdesk.desk import canned_set

        return canned_set.remove(self, actor, key, version)

    def import_canned(
        self,
        actor: Actor,
        responses: Sequence[canned_responses.CannedResponse],
        *,
        dry_run: bool = False,
        delete: bool = False,
        load: Callable[[str, canned_responses.CannedFile], bytes] | None = None,
    ) -> Imported:
        """Insert or replace entries by key; with `delete` those that are missing go. `load` reads their files."""
        from supportdesk.desk import canned_set

        return canned_set.import_responses(self, actor, responses, dry_run=dry_run, delete=delete, load=load)

    # ---- looking

    def query(self, text: str, *, typing: bool = True) -> Query:
        """The query that `text` says on this desk; `typing`: its last word may go on. Raises QueryError."""
        return views.query_on(self, text, typing=typing)

    def search(self, text: str, *, agent_id: AgentId | None = None, limit: int = 50) -> list[TicketId]:
        """The tickets that meet a query, of all there are. Raises QueryError."""
        return views.search(self, text, agent_id, limit)

    def saved_views(self, agent_id: AgentId | None) -> tuple[SavedView, ...]:
        return views.saved_views(self.read, agent_id)

    def count_view(self, view: SavedView, agent_id: AgentId | None) -> int | None:
        """How many tickets a saved view holds, up to 1,001; None when its query cannot be read any more."""
        return views.count_view(self, view, agent_id)

    def add_view(self, actor: Actor, name: str, query: str, *, shared: bool = False) -> SavedView:
        return views.add_view(self, actor, name, query, shared=shared)

    def change_view(self, actor: Actor, view_id: int, **changes: Any) -> Done:
        """Set name, query, shared or position of a saved view."""
        return views.change_view(self, actor, view_id, changes)

    def remove_view(self, actor: Actor, view_id: int) -> Done:
        return views.remove_view(self, actor, view_id)

    def unanswered(self, older: timedelta | None = None, *, calendar: bool = False) -> list[Row]:
        """Every unanswered customer; `older` counts the promise's open days, or plain hours with `calendar`."""
        return status.unanswered(self, older, calendar=calendar)

    def due(self, within: timedelta) -> list[status.DueTicket]:
        """The deadlines that are over, or will be within that time."""
        return status.due_tickets(self, within)

    def why(self, ticket_id: TicketId) -> Why:
        return why.why(self, ticket_id)

    def timeline(self, ticket_id: TicketId) -> tuple[tuple[datetime, str], ...]:
        """What happened to the ticket, oldest first, as localized sentences."""
        return why.timeline(self, ticket_id)

    def status(self) -> DeskStatus:
        return status.desk_status(self)
