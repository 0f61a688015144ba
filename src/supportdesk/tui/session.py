"""Who sits at this console and at which desk: opened once, in a thread, shared by every screen."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import UTC
from typing import TYPE_CHECKING
from uuid import uuid4

from supportdesk.desk.agents import languages_read, nobody_reads
from supportdesk.desk.model import (
    Actor,
    Agent,
    CustomerView,
    Mailbox,
    MailboxId,
    ThreadEntry,
    Ticket,
    TicketId,
)
from supportdesk.desk.participants import participants_of

if TYPE_CHECKING:
    from array import array
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from supportdesk.config import Config
    from supportdesk.desk.desk import Desk
    from supportdesk.desk.model import AgentId, Query, SavedView
    from supportdesk.desk.participants import Participant
    from supportdesk.desk.query import Known

KEPT_TICKETS = 64


@dataclass(frozen=True, slots=True)
class TicketBundle:
    """Everything that a ticket's pane shows, read at one moment."""

    ticket: Ticket
    entries: tuple[ThreadEntry, ...]
    customer: CustomerView | None
    tags: tuple[str, ...]
    presence: tuple[tuple[str, str], ...]  # (agent's name, viewing | replying), others only
    assignee: str
    mailbox: Mailbox | None
    followed: bool = False  # by the agent of this console
    unread_language: bool = False  # nobody who is there reads the ticket's language
    snoozed_by: str = ""
    participants: tuple[Participant, ...] = ()


@dataclass(slots=True)
class Session:
    """The desk and who acts. The methods read the store: call them in a lane, never on the event loop."""

    config: Config
    desk: Desk
    agent: Agent
    shop: str
    mailboxes: dict[MailboxId, Mailbox]
    agents: dict[AgentId, Agent]
    feed_position: int  # from before anything was read, so that what is committed since is told
    restricted: bool = False
    console: str = field(default_factory=lambda: uuid4().hex)
    tickets: dict[TicketId, TicketBundle] = field(default_factory=dict)
    tags: tuple[str, ...] = ()  # in use, as they were when a query was last begun
    languages: tuple[str, ...] = ()
    views: tuple[SavedView, ...] = ()
    _loads: dict[object, TicketId] = field(default_factory=dict)  # under way, and of no ticket that was changed since
    _keeping: threading.Lock = field(default_factory=threading.Lock)

    @property
    def actor(self) -> Actor:
        return self.agent.actor()

    def now(self) -> datetime:
        return self.desk.clock.now()

    @property
    def languages_read(self) -> frozenset[str]:
        """The languages that somebody who is there reads. Reads no store."""
        return languages_read(self.agents.values(), self.now())

    def local_now(self, mailbox_id: MailboxId | None = None) -> datetime:
        """Now, in the zone in which a mailbox's times are shown; None: of what is no mailbox's. Reads no store."""
        from supportdesk.desk.calendar import load_zone

        known = self.mailboxes.get(mailbox_id) if mailbox_id is not None else None
        shown = known or next(iter(self.mailboxes.values()), None)
        return self.now().astimezone(load_zone(shown.zone if shown is not None else "UTC"))

    def known(self) -> Known:
        """What a query may name here; tags and languages as they were when a query was last begun. Reads no store."""
        from supportdesk.desk.query import Known

        return Known(
            now=self.now(),
            zone=self.local_now().tzinfo or UTC,
            agents=tuple(self.agents.values()),
            mailboxes=tuple(self.mailboxes.values()),
            tags=self.tags,
            languages=self.languages,
        )

    def query(self, text: str) -> Query:
        """The query that a text says here. Raises QueryError. Reads no store."""
        from supportdesk.desk.model import EVERYTHING
        from supportdesk.desk.query import read_query

        return read_query(text, self.known()) if text else EVERYTHING

    def ids(self, view: str, text: str, *, limit: int = 0, among: Sequence[TicketId] | None = None) -> list[TicketId]:
        """The tickets of a standing or a saved view, narrowed by a query. Raises QueryError."""
        view, query = self._asked(view, text)
        read, agent_id, now = self.desk.read, self.agent.id, self.now()
        return read.queue_ids(view, agent_id=agent_id, now=now, query=query, limit=limit, among=among)

    def spine(self, view: str, text: str) -> array[int]:
        """All of them, however many. Raises QueryError."""
        view, query = self._asked(view, text)
        return self.desk.read.queue_spine(view, agent_id=self.agent.id, now=self.now(), query=query)

    def _asked(self, view: str, text: str) -> tuple[str, Query]:
        """The standing view that is read, and the query that narrows it."""
        from supportdesk.desk.query import both

        query = self.query(text)
        if (saved := self.saved_view(view)) is not None:
            return "all", both(self.desk.query(saved.query, typing=False), query)
        return view, query

    def saved_view(self, view: str) -> SavedView | None:
        """The saved view whose id a list carries; None for a standing one."""
        return next((saved for saved in self.views if saved_id(saved) == view), None)

    def reread_views(self) -> None:
        """The saved views as they are now."""
        self.views = self.desk.saved_views(self.agent.id)

    def reread_words(self) -> None:
        """The tags and languages in use, for completion."""
        tags, languages = self.desk.read.used_words()
        self.tags, self.languages = tuple(tags), tuple(language for language in languages if language)

    def load_ticket(self, ticket_id: TicketId) -> TicketBundle:
        """Read a ticket with its conversation and customer, and keep it, unless there was news of it meanwhile."""
        load = object()
        with self._keeping:
            self._loads[load] = ticket_id
        bundle = None
        try:
            bundle = self._read_ticket(ticket_id)
            return bundle
        finally:
            self._end(load, bundle)

    def _end(self, load: object, bundle: TicketBundle | None) -> None:
        """The load is over; what it read is kept unless it is forgotten."""
        with self._keeping:
            if self._loads.pop(load, None) is not None and bundle is not None:
                if len(self.tickets) >= KEPT_TICKETS:
                    self.tickets.pop(next(iter(self.tickets)), None)
                self.tickets[bundle.ticket.id] = bundle

    def forget_changed(self, tickets: Collection[TicketId] | None) -> None:
        """Somebody committed: keep these no longer; None: none at all."""
        with self._keeping:
            for ticket in list(self.tickets) if tickets is None else tickets:
                self.tickets.pop(ticket, None)
            for load in [load for load, ticket in self._loads.items() if tickets is None or ticket in tickets]:
                del self._loads[load]

    def _read_ticket(self, ticket_id: TicketId) -> TicketBundle:
        read = self.desk.read
        ticket = read.ticket(ticket_id)
        present = read.presence(ticket_id, now=self.now())
        mine = {"ticket_id": ticket_id, "agent_id": self.agent.id, "following": True}
        entries = tuple(read.thread(ticket_id))
        return TicketBundle(
            ticket=ticket,
            entries=entries,
            customer=read.customer(ticket.customer_id) if ticket.customer_id is not None else None,
            tags=read.tags(ticket_id),
            presence=tuple((name, mode) for agent_id, name, mode in present if agent_id != self.agent.id),
            assignee=self.agents[ticket.assignee_id].name if ticket.assignee_id in self.agents else "",
            mailbox=self.mailboxes.get(ticket.mailbox_id) if ticket.mailbox_id is not None else None,
            followed=bool(read.rows("ticket_follow", mine, limit=1)),
            unread_language=nobody_reads(ticket.language, self.languages_read),
            snoozed_by=self.agents[ticket.snoozed_by].name if ticket.snoozed_by in self.agents else "",
            participants=participants_of(read, {ticket_id, *(entry.ticket_id for entry in entries)}),
        )


def saved_id(view: SavedView) -> str:
    """What stands for a saved view where the standing ones have their names."""
    return f"saved:{view.id}"


def open_session(config: Config, *, restricted: bool = False) -> Session:
    """Open the desk and find out who acts. Raises NotFound and NotAllowed with what to do."""
    from supportdesk.bootstrap import acting_agent, open_desk

    desk = open_desk(config)
    feed_position = desk.read.feed_position()
    agent = acting_agent(desk, config)
    mailboxes = desk.mailboxes()
    shop = desk.settings().shop_name or (mailboxes[0].shop_name if mailboxes else "")
    return Session(
        config=config,
        desk=desk,
        agent=agent,
        shop=shop,
        mailboxes={mailbox.id: mailbox for mailbox in mailboxes},
        agents={known.id: known for known in desk.agents()},
        feed_position=feed_position,
        restricted=restricted,
        views=desk.saved_views(agent.id),
    )
