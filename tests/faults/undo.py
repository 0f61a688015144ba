"""Random sequences of actions, undone step by step: after each step the database is what it was before the action.

Left out of the comparison are the log and its details, versions, `seq`, `updated_at`, presence, the counters and the
sequences (issue 4, shown by 5), snapshots of the opening hours, which are kept by their content, and what an undo
marks instead of removing: a dismissal, and the empty ticket of a split, which is merged into its source.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from supportdesk.desk.actions import ACTIONS
from supportdesk.desk.model import DISMISS_REASONS, MAIL, PRIORITIES, SENDER_VERDICTS, Actor, TicketId
from supportdesk.desk.ports import Plan
from supportdesk.desk.results import AnswerNeeded
from supportdesk.desk.settings import new_action_id
from supportdesk.desk.triage import update_ticket
from supportdesk.errors import SupportdeskError
from supportdesk.store.columns import TABLES
from tests.faults.houses import on_each_kind
from tests.support.clock import START
from tests.support.desk import House

LENGTHS: Final = (1, 12)
KEPT_ASIDE: Final = frozenset({"event", "event_detail", "presence", "view_count", "view_count_delta", "sla_snapshot"})
GROWING: Final = {"version", "updated_at"}
NOT_TRIAGE: Final = frozenset(
    {"undo", "cancel_send", "note", "call", "reply", "take_next"}
    # A reply taken back is a draft with its text; a note, a call and what has been said stay said.
)


OF_TICKETS: Final = frozenset({"ticket", *(name for name, table in TABLES.items() if "ticket_id" in table.kinds)})

Contents = dict[tuple[Any, ...], dict[str, Any]]


@dataclass
class Sequences:
    """What the sequences met: how often each action was done, and what an undo did not give back."""

    done: Counter[str] = field(default_factory=Counter)
    undone: int = 0
    wrong: list[str] = field(default_factory=list)


def missing() -> str:
    return ""


def run(runs: int, seed: int) -> dict[str, Any]:
    """So many sequences on each kind of database, on a desk of its own."""

    def work(house: House) -> dict[str, Any]:
        found = take_back_sequences(house, runs, seed)
        return {"actions": dict(found.done), "undone": found.undone, "wrong": found.wrong}

    return {"part": "undo", "runs": runs, "seed": seed, **on_each_kind(work)}


def take_back_sequences(house: House, runs: int, seed: int) -> Sequences:
    """Random sequences one after the other on the same desk; it must be the same desk after each."""
    dice, found = random.Random(seed), Sequences()
    tickets = _furnish(house)
    for number in range(runs):
        before = len(found.wrong)
        _one_sequence(house, tickets, dice, found)
        found.wrong[before:] = [f"sequence {number}: {line}" for line in found.wrong[before:]]
        if len(found.wrong) > 20:
            break
    return found


def _one_sequence(house: House, tickets: list[TicketId], dice: random.Random, found: Sequences) -> None:
    steps: list[tuple[str, Actor, Any, Contents]] = []
    for _step in range(dice.randint(*LENGTHS)):
        house.pass_time(minutes=dice.choice((0, 1, 90, 60 * 26)))
        actor = dice.choice((house.giulia, house.luca, house.anna))
        before = contents(house)
        action = dice.choice(ALL_TRIAGE)
        chosen = dice.sample(tickets, 1 if action in ONE or dice.random() < 0.6 else dice.randint(2, 4))
        params = _params(house, action, chosen, dice)
        try:
            done = house.desk.perform(action, actor, chosen, params)
        except (AnswerNeeded, SupportdeskError):
            if (after := contents(house)) != before:
                found.wrong.append(f"{action} was refused and changed {difference(before, after)}")
            continue
        found.done[action] += 1
        if done.tickets:
            steps.append((f"{action} {params} on {chosen}", actor, done.action_id, before))
    while steps:
        told, actor, action_id, before = steps.pop()
        house.pass_time(minutes=dice.choice((0, 1)))
        try:
            undone = house.desk.undo(actor, action_id if dice.random() < 0.5 else None)
        except SupportdeskError as error:
            found.wrong.append(f"{told} could not be undone: {error}")
            return
        found.undone += 1
        if undone.conflicts:
            found.wrong.append(f"{told} was undone in part: {undone.conflicts}")
        if (after := contents(house)) != before:
            found.wrong.append(f"{told}: {difference(before, after)}")
            return


def contents(house: House) -> Contents:
    """Every row that counts, by its table and key."""
    rows = {name: house.desk.read.rows(name) for name in TABLES if name not in KEPT_ASIDE}
    here = {row["ticket_id"] for row in rows["message"]}
    emptied = {
        row["id"] for row in rows["ticket"]
        if row["split_from"] is not None and row["merged_into"] == row["split_from"] and row["id"] not in here
    }  # fmt: skip
    rows["dismissal"] = [row for row in rows["dismissal"] if not row["undone"]]
    found: Contents = {}
    for name, listed in rows.items():
        left_out = GROWING | ({"seq"} if name == "ticket" else set())
        for row in listed:
            if row["id" if name == "ticket" else "ticket_id"] not in emptied if name in OF_TICKETS else True:
                key = (name, *(row[column] for column in TABLES[name].key))
                found[key] = {column: value for column, value in row.items() if column not in left_out}
    return found


def difference(before: Contents, after: Contents) -> str:
    """The rows that differ, each with what it had and has now."""
    told = []
    for key in sorted({*before, *after}, key=repr):
        was, now = before.get(key), after.get(key)
        if was is None or now is None:
            told.append(f"{key} {'came' if was is None else 'left'}")
        elif was != now:
            told += [
                f"{key}.{column}: was {was[column]!r}, is {now[column]!r}"
                for column in was
                if was[column] != now[column]
            ]
    return "; ".join(told)


# ---- the desk and what is done to it ---------------------------------------------------------------------------------

ALL_TRIAGE: Final = tuple(spec.id for spec in ACTIONS if spec.id not in NOT_TRIAGE)
ONE: Final = frozenset(spec.id for spec in ACTIONS if spec.scope == "one")


def _furnish(house: House) -> list[TicketId]:
    """Tickets in the states that a day leaves behind: waiting, answered, tagged, asleep, with a second customer."""
    house.desk.save_mailbox(house.giulia, {"address": "resi@bottega.example", "name": "Resi", "zone": "Europe/Rome"})
    made = []
    for number in range(9):
        ticket = house.customer_writes(sender=f"c{number % 5}@example.com", name=f"Cliente {number % 5}")
        house.pass_time(minutes=7)
        if number % 3 == 0:
            house.customer_writes("Allora?", sender=f"c{number % 5}@example.com", ticket=ticket)
        if number % 4 == 1:
            house.deliver(house.reply(ticket).id)
            house.customer_writes("Grazie, ma quando?", sender=f"c{number % 5}@example.com", ticket=ticket)
        if number % 4 == 2:
            house.desk.perform("tag", house.luca, [ticket], {"tags": "reso, fattura"})
            house.deliver(house.reply(ticket, house.luca).id)
        if number == 7:
            house.customer_writes("Sono il fratello", sender="otto@example.de", name="Otto", ticket=ticket)
        made.append(ticket)
    with house.store.transaction() as tx:  # the worker counts what it has sent; `deliver` does not
        for ticket in made:
            now = tx.ticket(ticket)
            count = len(tx.rows("message", {"ticket_id": ticket}))
            tx.apply(Plan(silent=update_ticket(now, {"message_count": count})), MAIL, new_action_id())
    house.desk.perform("snooze", house.giulia, [made[4]], {"until": START + timedelta(days=60), "after_deadline": True})
    return made


def _params(house: House, action: str, chosen: list[TicketId], dice: random.Random) -> dict[str, Any]:
    match action:
        case "assign":
            return {"assignee": dice.choice(("giulia", "luca", "anna"))}
        case "tag" | "untag":
            return {"tags": dice.choice(("reso", "reso, vip", "fattura", "vip"))}
        case "snooze":
            until = house.clock.now() + timedelta(hours=dice.choice((1, 30, 200)))
            mode = dice.choice(("until_reply", "regardless"))
            return {"until": until, "mode": mode, "reason": "aspetto", "after_deadline": True}
        case "solve":
            return {"dismiss": dice.choice(DISMISS_REASONS)} if dice.random() < 0.8 else {}
        case "status":
            status = dice.choice(("open", "pending", "on_hold", "solved", "closed"))
            return {"status": status, "dismiss": "no_action"}
        case "priority":
            return {"priority": dice.choice(PRIORITIES)}
        case "dismiss":
            return {"reason": dice.choice(DISMISS_REASONS)}
        case "merge":
            others = [ticket for ticket in range(1, 10) if ticket not in chosen]
            return {"into": dice.choice(others), "different_customers": True}
        case "merge_customer":
            return {"customer": f"c{dice.randrange(5)}@example.com", "keep": dice.choice(("this", "other"))}
        case "split":
            messages = house.desk.read.rows("message", {"ticket_id": chosen[0]}, order="seq")
            first = dice.choice(messages)["id"] if messages else 1
            return {"first": first, **({"last": first} if dice.random() < 0.5 else {})}
        case "language":
            return {"language": dice.choice(("de", "fr", "it"))}
        case "move":
            return {"mailbox": dice.choice(("aiuto@bottega.example", "resi@bottega.example"))}
        case "confirm_participant":
            return {"same_customer": dice.random() < 0.5}
        case "sender":
            return {"verdict": dice.choice(SENDER_VERDICTS)}
        case _:
            return {}
