"""Every action of the registry from the `:` line, on both kinds of database: typed, and its effect seen (issue 4).

An action that the registry has and this table has not fails.
"""

# ruff: noqa: F401, F811 — fixtures are imported

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from supportdesk.desk.actions import ACTIONS
from supportdesk.desk.model import MAIL, TicketId
from supportdesk.desk.ports import Insert, Plan, Update
from supportdesk.desk.settings import new_action_id
from tests.tui.walking import PIA, Walk, at_the_list, filled, house, url

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.desk import House

SUGGESTED, REFUSED, JOINED, TARGET = (TicketId(number) for number in (35, 36, 37, 38))


def lines(house: House, second_message: int) -> dict[str, tuple[str, Callable[[], Any]]]:
    """What is typed for each action, and what is true then and not before; in an order in which one makes the next."""
    read, desk = house.desk.read, house.desk

    def of(number: int, field: str) -> Any:
        return getattr(house.ticket(TicketId(number)), field)

    def follows() -> bool:
        return bool(read.rows("ticket_follow", {"agent_id": house.giulia.id, "ticket_id": 19, "following": True}))

    def kinds(number: int) -> list[str]:
        return [row["kind"] for row in read.rows("message", {"ticket_id": number})]

    def verdicts(number: int) -> list[str]:
        wrote = [row["identity_id"] for row in read.rows("message", {"ticket_id": number, "direction": "in"})]
        return [row["verdict"] for row in read.rows("customer_identity", {"id": wrote})]

    def held() -> bool:
        return bool(read.outbox(states=("held",), ticket_id=TicketId(28)))

    other = next(box.id for box in desk.mailboxes() if box.address.startswith("resi"))
    return {
        "assign": ("assign #7 luca", lambda: of(7, "assignee_id") == house.luca.id),
        "unassign": ("unassign #7", lambda: of(7, "assignee_id") is None),
        "take": ("take #7", lambda: of(7, "assignee_id") == house.giulia.id),
        "tag": ("tag #8 fragile", lambda: desk.read.tags(TicketId(8)) == ("fragile",)),
        "untag": ("untag #8 fragile", lambda: desk.read.tags(TicketId(8)) == ()),
        "snooze": ("snooze #9 2h", lambda: of(9, "snoozed_until") is not None),
        "wake": ("wake #9", lambda: of(9, "snoozed_until") is None),
        "solve": ("solve #10 dismiss=no_action", lambda: of(10, "status") == "solved"),
        "reopen": ("reopen #10", lambda: of(10, "status") == "open"),
        "status": ("status #11 on_hold", lambda: of(11, "status") == "on_hold"),
        "priority": ("priority #12 urgent", lambda: of(12, "priority") == "urgent"),
        "dismiss": ("dismiss #13 no_action", lambda: of(13, "waiting_since") is None),
        "spam": ("spam #14", lambda: of(14, "status") == "spam"),
        "not_spam": ("not_spam #14", lambda: of(14, "status") != "spam"),
        "merge": ("merge #15 16 different_customers=yes", lambda: of(15, "merged_into") == 16),
        "merge_customer": (
            "merge_customer #20 c4@example.it keep=this",
            lambda: len(read.customer(of(20, "customer_id")).addresses) == 2,
        ),
        "split": (f"split #1 {second_message}", lambda: bool(read.rows("ticket", {"split_from": PIA}))),
        "language": ("language #17 de", lambda: of(17, "language") == "de"),
        "move": ("move #18 resi@bottega.example", lambda: of(18, "mailbox_id") == other),
        "follow": ("follow #19", follows),
        "unfollow": ("unfollow #19", lambda: not follows()),
        "note": ("note #23 visto", lambda: kinds(23)[-1] == "note"),
        "call": ("call #24 richiamata", lambda: "call" in kinds(24)),
        "reply": ("reply #28 Arriva domani.", held),
        "cancel_send": ("cancel_send", lambda: not held()),
        "confirm_participant": (
            f"confirm_participant #{JOINED} same_customer=yes",
            lambda: not read.rows("participant", {"ticket_id": JOINED, "role": "external"}),
        ),
        "sender": ("sender #39 park", lambda: verdicts(39) == ["park"]),
        "accept_suggestion": (
            f"accept_suggestion #{SUGGESTED}",
            lambda: of(SUGGESTED, "merged_into") == TARGET,
        ),
        "reject_suggestion": (f"reject_suggestion #{REFUSED}", lambda: of(REFUSED, "suggested_id") is None),
        "undo": ("undo", lambda: of(REFUSED, "suggested_id") == TARGET),
        "take_next": ("take_next", lambda: len(read.rows("ticket", {"assignee_id": house.giulia.id})) > taken),
    }  # fmt: skip


taken = 1
"""Tickets that are giulia's before she takes the most urgent one: #7."""


def prepare(house: House) -> None:
    """Two suggestions, and somebody who joined from another address."""
    house.customer_writes("Sono io", ticket=JOINED, sender="altro@work.example", author_kind="external")
    [identity] = house.desk.read.rows("customer_identity", {"value_norm": "altro@work.example"})
    part = Insert("participant", {"ticket_id": JOINED, "identity_id": identity["id"], "role": "external"})
    suggested = [Update("ticket", {"id": one}, {"suggested_id": None}, {"suggested_id": TARGET})
                 for one in (SUGGESTED, REFUSED)]  # fmt: skip
    with house.store.transaction() as tx:
        tx.apply(Plan(silent=(part, *suggested)), MAIL, new_action_id())


async def test_every_action_from_the_command_line(url: str, house: House) -> None:
    prepare(house)
    [_first, second, *_rest] = house.desk.read.rows("message", {"ticket_id": PIA}, order="seq")
    table = lines(house, second["id"])
    assert set(table) == {spec.id for spec in ACTIONS}
    async with at_the_list(url, house) as (walk, queue):
        for action, (line, effect) in table.items():
            await walk.until(lambda: walk.app.screen is queue and not queue.prompt.purpose, f"the list before {action}")
            assert not effect(), f"{action} was done before"
            await walk.pilot.press(":")
            await walk.until(lambda: queue.prompt.purpose == "command", "the line")
            await walk.pilot.press(*line, "enter")
            await walk.until(effect, action)
            if action == "cancel_send":  # the reply opens again, to be written on
                await walk.until(lambda: walk.app.screen is not queue, "the reply")
                await walk.pilot.press("escape")
