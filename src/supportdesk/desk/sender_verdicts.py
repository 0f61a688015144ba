"""What mail of a sender becomes, set by hand: it goes before the rules for machine mail (domain.md section 5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from supportdesk.desk.agents import check_actor
from supportdesk.desk.labels import VERDICT, word
from supportdesk.desk.model import Actor, MessageId
from supportdesk.desk.ports import Insert, NewRef, Plan, PlannedEvent, Update
from supportdesk.desk.results import Done
from supportdesk.desk.settings import new_action_id
from supportdesk.desk.turns import again_if_busy
from supportdesk.errors import UsageError
from supportdesk.l10n.catalog import _

if TYPE_CHECKING:
    from supportdesk.desk.desk import Desk
    from supportdesk.desk.ports import Reader

VERDICTS = ("", "ticket", "notification", "park", "block")


SENDER_EVENT = "sender"


def sender_of(reader: Reader, message_id: MessageId) -> str:
    """Who wrote the message, as verdicts know him: of a form's mail the customer, not the shop; "" for nobody."""
    [message] = reader.rows("message", {"id": message_id})
    found = reader.rows("customer_identity", {"id": message["identity_id"]})
    return str(found[0]["value"]) if found else ""


@again_if_busy
def set_verdict(desk: Desk, actor: Actor, address: str, verdict: str) -> Done:
    """Remember the verdict on the sender's address; an unknown address gets a customer to hold it. It can be undone."""
    if verdict not in VERDICTS:
        raise UsageError(_("{value} is no verdict").format(value=verdict), hint=", ".join(VERDICTS[1:]))
    norm = address.strip().casefold()
    if norm.count("@") != 1 or norm.startswith("@") or norm.endswith("@"):
        raise UsageError(_("{address} is no address").format(address=repr(address)))
    action_id = new_action_id()
    with desk.store.transaction() as tx:
        check_actor(tx, actor)
        found = {"kind": "email", "value_norm": norm}
        if not tx.rows("customer_identity", found):
            ref = NewRef("customer")
            values = {**found, "customer_id": ref, "value": address.strip(), "verdict": ""}
            customer = Insert("customer", {"created_at": tx.now}, ref)
            plan = Plan(silent=(customer, Insert("customer_identity", values)), undoable=False)
            tx.apply(plan, actor, action_id)
        [identity] = tx.rows("customer_identity", found)
        was = {"verdict": identity["verdict"]}
        change = Update("customer_identity", {"id": identity["id"]}, was, {"verdict": verdict})
        event = PlannedEvent(None, SENDER_EVENT, {"identity": identity["id"], "verdict": verdict or "rules"})
        tx.apply(Plan(changes=(change,), events=(event,)), actor, action_id)
    said = _("Mail of {address} becomes: {verdict}")
    return Done(action_id, (), said.format(address=norm, verdict=word(VERDICT, verdict or "rules")))
