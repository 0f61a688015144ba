"""What mail of a sender becomes, set by hand: it goes before the rules for machine mail (domain.md section 5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from supportdesk.desk.model import Actor
from supportdesk.desk.people import check_actor
from supportdesk.desk.ports import Insert, NewRef, Plan, PlannedEvent, Update
from supportdesk.desk.settings import new_action_id
from supportdesk.desk.turns import again_if_busy
from supportdesk.errors import UsageError
from supportdesk.l10n.catalog import _

if TYPE_CHECKING:
    from supportdesk.desk.desk import Desk

VERDICTS = ("", "ticket", "notification", "park", "block")


@again_if_busy
def set_verdict(desk: Desk, actor: Actor, address: str, verdict: str) -> None:
    """Remember the verdict on the sender's address; an unknown address gets a customer to hold it."""
    if verdict not in VERDICTS:
        raise UsageError(_("{value} is no verdict").format(value=verdict), hint=", ".join(VERDICTS[1:]))
    norm = address.strip().casefold()
    if norm.count("@") != 1 or norm.startswith("@") or norm.endswith("@"):
        raise UsageError(_("{address} is no address").format(address=repr(address)))
    with desk.store.transaction() as tx:
        check_actor(tx, actor)
        found = tx.rows("customer_identity", {"kind": "email", "value_norm": norm})
        event = PlannedEvent(None, "sender", {"verdict": verdict})
        if found:
            change = Update(
                "customer_identity", {"id": found[0]["id"]}, {"verdict": found[0]["verdict"]}, {"verdict": verdict}
            )
            plan = Plan(silent=(change,), events=(event,), undoable=False)
        else:
            ref = NewRef("customer")
            values = {
                "customer_id": ref,
                "kind": "email",
                "value": address.strip(),
                "value_norm": norm,
                "verdict": verdict,
            }
            customer = Insert("customer", {"created_at": tx.now}, ref)
            plan = Plan(silent=(customer, Insert("customer_identity", values)), events=(event,), undoable=False)
        tx.apply(plan, actor, new_action_id())
