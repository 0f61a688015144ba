"""What an action will do, as far as that is known before the store has answered: it is shown at once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from supportdesk.desk.actions import BY_ID
from supportdesk.desk.labels import PRIORITY, STATUS
from supportdesk.l10n.catalog import _

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from supportdesk.desk.model import Agent, QueueRow, TicketId
    from supportdesk.tui.session import TicketBundle

NAMED: Final = {"priority": PRIORITY, "status": STATUS}
"""Actions that are told the value of the field of their name."""


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What is known of what an action makes of a ticket: values, or what is being done."""

    values: Mapping[str, Any]
    pending: str


class Expected:
    """What the actions that are on their way make of tickets; whatever is read of these meanwhile is shown so."""

    def __init__(self) -> None:
        self._outcomes: dict[TicketId, _Outcome] = {}

    def begin(
        self, action: str, tickets: Iterable[TicketId], params: Mapping[str, Any], me: Agent, agents: Iterable[Agent]
    ) -> None:
        """An action on these tickets is sent to the store."""
        values = expected_values(action, params, me, agents)
        pending = _("{action} …").format(action=BY_ID[action].localized_title()) if values is None else ""
        self._outcomes |= dict.fromkeys(tickets, _Outcome(values or {}, pending))

    def end(self, tickets: Iterable[TicketId] | None = None) -> set[TicketId]:
        """The store has answered for these, or for all of which something was expected: which they were."""
        ended = set(self._outcomes) if tickets is None else self._outcomes.keys() & set(tickets)
        for ticket in ended:
            del self._outcomes[ticket]
        return ended

    def row(self, row: QueueRow) -> tuple[QueueRow, str]:
        """A row as it is expected to be, and what is being done to it where nobody knows what it will be."""
        outcome = self._outcomes.get(row.id)
        return (replace(row, **outcome.values), outcome.pending) if outcome is not None else (row, "")

    def bundle(self, bundle: TicketBundle) -> tuple[TicketBundle, str]:
        """The same for a ticket's pane."""
        outcome = self._outcomes.get(bundle.ticket.id)
        if outcome is None:
            return bundle, ""
        fields = {name: value for name, value in outcome.values.items() if name != "assignee"}
        assignee = outcome.values.get("assignee", bundle.assignee)
        return replace(bundle, ticket=replace(bundle.ticket, **fields), assignee=assignee), outcome.pending


def expected_values(
    action: str, params: Mapping[str, Any], me: Agent, agents: Iterable[Agent]
) -> dict[str, Any] | None:
    """The fields that an action sets and what to: of `status`, `priority`, `assignee` (the name) and `assignee_id`.

    None where what becomes of a ticket is the store's to say.
    """
    match action:
        case "take":
            return _assigned(me)
        case "assign":
            found = next((agent for agent in agents if agent.login == params.get("assignee")), None)
            return _assigned(found) if found is not None else None
        case "unassign":
            return {"assignee": "", "assignee_id": None}
        case "priority" | "status":
            value = params.get(action)
            return {action: value} if value in NAMED[action] else None
        case "reopen":
            return {"status": "open"}
        case "solve":
            return {"status": "solved"}
        case "spam":
            return {"status": "spam"}
        case _:
            return None


def _assigned(agent: Agent) -> dict[str, Any]:
    return {"assignee": agent.name, "assignee_id": agent.id}
