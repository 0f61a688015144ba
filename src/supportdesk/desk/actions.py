"""The one action registry: keys, command line, palette and help are made from it.

An action is data here; what it changes is planned in `desk.triage` and written by `desk.bulk`, and the actions that
write text live in their own modules, which are not loaded before the first of their actions: the console shows its
keys in the first frame. Actions that only move the view are the console's own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Literal

from supportdesk.desk import guards
from supportdesk.desk.model import (
    DISMISS_REASONS,
    PRIORITIES,
    SENDER_VERDICTS,
    SNOOZE_MODES,
    ActionId,
    Actor,
    Ticket,
    TicketId,
)
from supportdesk.errors import UsageError
from supportdesk.l10n.catalog import N_, _

if TYPE_CHECKING:
    from supportdesk.desk.desk import Desk
    from supportdesk.desk.results import Done

ParamKind = Literal[
    "text",
    "body",
    "agent",
    "tags",
    "choice",
    "when",
    "ticket",
    "mailbox",
    "flag",
    "number",
    "language",
    "action",
    "outbox",
    "message",
    "identity",
    "canned",
    "address",
    "customer",
]


@dataclass(frozen=True, slots=True)
class Param:
    """One argument. `help` is a msgid; `choices` are identifiers, the same in every language.

    `when` takes an aware datetime or a phrase (`tomorrow 9am`); `agent` a login, an id or an Agent's id; `tags` a
    sequence of words or one string of them.
    """

    name: str
    kind: ParamKind
    required: bool = False
    help: str = ""
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Call:
    """One performance of an action: who, on what, with which arguments, and which versions the caller saw."""

    desk: Desk
    actor: Actor
    tickets: tuple[TicketId, ...]
    params: Mapping[str, Any]
    expect: Mapping[TicketId, int] | None = None
    progress: Callable[[int, int], None] | None = None
    cancelled: Callable[[], bool] | None = None
    action_id: ActionId | None = None  # of an action that goes on


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """`title` and `help` are msgids; `scope` is how many tickets it takes; `guard` says why one does not take it."""

    id: str
    title: str
    help: str
    run: Callable[[Call], Done]
    params: tuple[Param, ...] = ()
    scope: Literal["many", "one", "none"] = "many"
    guard: Callable[[Ticket, Actor], str | None] = field(default=guards.not_merged)

    def localized_title(self) -> str:
        return _(self.title)


def triage(action: str) -> Callable[[Call], Done]:
    """The run function of an action that `desk.triage` plans ticket by ticket."""

    def run(call: Call) -> Done:
        from supportdesk.desk import bulk

        return bulk.run(call, action)

    return run


def compound(name: str) -> Callable[[Call], Done]:
    """The run function of that name in `desk.compound`."""

    def run(call: Call) -> Done:
        from supportdesk.desk import compound as actions

        perform: Callable[[Call], Done] = getattr(actions, name)
        return perform(call)

    return run


def customers_merged(call: Call) -> Done:
    from supportdesk.desk.customer_merge import merge_on_ticket

    return merge_on_ticket(call)


_DISMISS = Param("dismiss", "choice", False, N_("Why the waiting customer needs no reply"), DISMISS_REASONS)
_AFTER = Param("after", "choice", False, N_("What the ticket becomes"), ("pending", "open", "on_hold", "solved"))
_SEEN = Param("seen", "number", False, N_("The sequence number up to which you have read the ticket"))

ACTIONS: tuple[ActionSpec, ...] = (
    ActionSpec(
        "assign",
        N_("Assign"),
        N_("Give the ticket to an agent"),
        triage("assign"),
        (Param("assignee", "agent", True, N_("Who takes care of it")),),
    ),
    ActionSpec(
        "unassign",
        N_("Unassign"),
        N_("Put the ticket back among the unassigned"),
        triage("unassign"),
        guard=guards.assigned,
    ),
    ActionSpec("take", N_("Take it"), N_("Assign the ticket to yourself"), triage("take"), guard=guards.not_mine),
    ActionSpec(
        "take_next",
        N_("Take the most urgent"),
        N_("Assign the most urgent free ticket to yourself, your languages first"),
        compound("take_next"),
        scope="none",
    ),
    ActionSpec(
        "tag", N_("Tag"), N_("Add tags"), triage("tag"), (Param("tags", "tags", True, N_("Words to find it by")),)
    ),
    ActionSpec(
        "untag",
        N_("Remove tags"),
        N_("Take tags off"),
        triage("untag"),
        (Param("tags", "tags", True, N_("Which ones")),),
    ),
    ActionSpec(
        "snooze",
        N_("Snooze"),
        N_("Let the ticket sleep; the customer's clock goes on"),
        triage("snooze"),
        (
            Param("until", "when", True, N_("When it wakes: tomorrow 9am, mon 15:00, 3d")),
            Param("mode", "choice", False, N_("Whether the customer's answer wakes it"), SNOOZE_MODES),
            Param("reason", "text", False, N_("Why, for whoever sees it wake")),
            Param("after_deadline", "flag", False, N_("Wake it even after its deadline")),
        ),
        guard=guards.can_sleep,
    ),
    ActionSpec("wake", N_("Wake"), N_("End the snooze now"), triage("wake"), guard=guards.snoozed),
    ActionSpec(
        "solve",
        N_("Solve"),
        N_("Nobody has to move any more; the customer can reopen by writing"),
        triage("solve"),
        (_DISMISS,),
        guard=guards.unsolved,
    ),
    ActionSpec("reopen", N_("Reopen"), N_("It is our move again"), triage("reopen"), guard=guards.reopenable),
    ActionSpec(
        "status",
        N_("Set the status"),
        N_("Say who moves next"),
        triage("status"),
        (
            Param("status", "choice", True, N_("Who moves next"), ("open", "pending", "on_hold", "solved", "closed")),
            Param("until", "when", False, N_("On hold until")),
            _DISMISS,
        ),
        guard=guards.not_spam,
    ),
    ActionSpec(
        "priority",
        N_("Set the priority"),
        N_("How much it presses"),
        triage("priority"),
        (Param("priority", "choice", True, N_("How much it presses"), PRIORITIES),),
    ),
    ActionSpec(
        "dismiss",
        N_("No reply needed"),
        N_("The customer needs no answer, for a reason"),
        triage("dismiss"),
        (Param("reason", "choice", True, N_("Why no reply is needed"), DISMISS_REASONS),),
        guard=guards.waiting,
    ),
    ActionSpec("spam", N_("Spam"), N_("Nobody wrote this to us"), triage("spam"), guard=guards.not_spam),
    ActionSpec("not_spam", N_("Not spam"), N_("A customer did write this"), triage("not_spam"), guard=guards.is_spam),
    ActionSpec(
        "merge",
        N_("Merge"),
        N_("Join tickets into one; it can be undone in any order"),
        compound("merge"),
        (
            Param("into", "ticket", True, N_("The ticket that survives")),
            Param("different_customers", "flag", False, N_("Although they are of different customers")),
        ),
    ),
    ActionSpec(
        "merge_customer",
        N_("Merge customers"),
        N_("Make one of the ticket's customer and another, who writes from another address"),
        customers_merged,
        (
            Param("customer", "customer", True, N_("The other customer: an address, a name or a number")),
            Param("keep", "choice", False, N_("Who survives: this ticket's customer or the other"), ("this", "other")),
        ),
        scope="one",
    ),
    ActionSpec(
        "split",
        N_("Split"),
        N_("Move messages into a ticket of their own"),
        triage("split"),
        (
            Param("first", "message", True, N_("The first message to move")),
            Param("last", "message", False, N_("The last one; without it, everything after the first")),
            Param("subject", "text", False, N_("The new subject")),
        ),
        scope="one",
    ),
    ActionSpec(
        "language",
        N_("Set the language"),
        N_("The customer's language, set by hand"),
        triage("language"),
        (
            Param("language", "language", True, N_("A language tag: it, de, fr-CH")),
            Param("from_order", "flag", False, N_("As his order or storefront says; what was set by hand stays")),
        ),
    ),
    ActionSpec(
        "move",
        N_("Move"),
        N_("Move the ticket to another mailbox"),
        triage("move"),
        (Param("mailbox", "mailbox", True, N_("Where it belongs")),),
    ),
    ActionSpec(
        "follow",
        N_("Follow"),
        N_("Be told what others do on the ticket"),
        triage("follow"),
        guard=guards.an_agents,
    ),
    ActionSpec(
        "unfollow",
        N_("Follow no more"),
        N_("Be told nothing more about the ticket"),
        triage("unfollow"),
        guard=guards.an_agents,
    ),
    ActionSpec(
        "note",
        N_("Note"),
        N_("Write something that only agents see; @login tells that agent"),
        compound("note"),
        (Param("text", "body", True, N_("The note")),),
    ),
    ActionSpec(
        "call",
        N_("Log a call"),
        N_("Note down an outgoing call: it counts as a reply"),
        compound("call"),
        (Param("text", "body", True, N_("What was said")), _AFTER, _DISMISS, _SEEN),
        scope="one",
    ),
    ActionSpec(
        "reply",
        N_("Reply"),
        N_("Send an answer to the customer"),
        compound("reply"),
        (
            Param("text", "body", False, N_("The text; after the canned response, if there is one")),
            Param("canned", "canned", False, N_("The key of a canned response")),
            Param("asked", "text", False, N_("Values that the canned response asks for, as a mapping")),
            _AFTER,
            _SEEN,
            Param("anyway", "flag", False, N_("Send although something new arrived, or a warning stands")),
            Param("to", "address", False, N_("Other recipients than the customer")),
            Param("ask_again", "flag", False, N_("Remind a customer who does not answer, on business days 4 and 6")),
            Param("at", "when", False, N_("Send it then: tomorrow 9am, mon 15:00, 3d")),
        ),
        scope="one",
        guard=guards.not_spam,
    ),
    ActionSpec(
        "confirm_participant",
        N_("Confirm the participant"),
        N_("Let somebody who joined from another address see the conversation"),
        triage("confirm_participant"),
        (
            Param("identity", "identity", False, N_("Which address; without it, the newest that joined")),
            Param("same_customer", "flag", False, N_("It is the same customer")),
        ),
        scope="one",
    ),
    ActionSpec(
        "sender",
        N_("Decide about the sender"),
        N_("What mail of this sender becomes from now on"),
        triage("sender"),
        (
            Param("verdict", "choice", True, N_("What mail of this sender becomes from now on"), SENDER_VERDICTS),
            Param("message", "message", False, N_("Whose; without it, who wrote last")),
        ),
        scope="one",
    ),
    ActionSpec(
        "accept_suggestion",
        N_("Join the suggested ticket"),
        N_("Merge it into the ticket that it seems to belong to"),
        compound("accept_suggestion"),
        scope="one",
        guard=guards.has_suggestion,
    ),
    ActionSpec(
        "reject_suggestion",
        N_("It does not belong there"),
        N_("Forget the suggested ticket"),
        triage("reject_suggestion"),
        guard=guards.has_suggestion,
    ),
    ActionSpec(
        "undo",
        N_("Undo"),
        N_("Take back your last action, or the one that you name"),
        compound("undo_action"),
        (Param("action", "action", False, N_("The action's id")),),
        scope="none",
    ),
    ActionSpec(
        "cancel_send",
        N_("Cancel the last send"),
        N_("Stop a reply that is still on its way out; it becomes a draft again"),
        compound("cancel_send"),
        (Param("outbox", "outbox", False, N_("Which reply; without it, your last one")),),
        scope="none",
    ),
)

BY_ID: Mapping[str, ActionSpec] = {spec.id: spec for spec in ACTIONS}


def find_action(action: str) -> ActionSpec:
    """The spec. Raises UsageError with the nearest known id."""
    spec = BY_ID.get(action)
    if spec is None:
        near = get_close_matches(action, BY_ID, n=1)
        raise UsageError(_("there is no action {action}").format(action=action), hint=near[0] if near else "")
    return spec


def check_params(spec: ActionSpec, params: Mapping[str, Any], tickets: Sequence[TicketId]) -> None:
    """Raises UsageError where an argument is unknown, missing or no choice, or the number of tickets is wrong."""
    known = {param.name: param for param in spec.params}
    for name, value in params.items():
        if name not in known:
            raise UsageError(_("{action} takes no {name}").format(action=spec.id, name=name), hint=", ".join(known))
        if known[name].choices and value not in (None, "", *known[name].choices):
            raise UsageError(
                _("{value} is no choice for {name}").format(value=value, name=name), hint=", ".join(known[name].choices)
            )
    for param in spec.params:
        if param.required and params.get(param.name) in (None, "", (), []):
            raise UsageError(_("{action} needs {name}").format(action=spec.id, name=param.name), hint=_(param.help))
    if spec.scope == "one" and len(tickets) != 1:
        raise UsageError(_("{action} takes exactly one ticket").format(action=spec.id))
    if spec.scope == "many" and not tickets:
        raise UsageError(_("{action} needs a ticket").format(action=spec.id))
