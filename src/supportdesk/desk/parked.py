"""Parked mail: what was neither a ticket nor a note, kept until somebody looks at it (domain.md section 5).

Looking takes it off the list of what waits; releasing makes it a message of a person, whatever the rules said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from supportdesk.desk.agents import check_actor
from supportdesk.desk.model import Actor
from supportdesk.desk.ports import Change, Plan, PlannedEvent, Update
from supportdesk.desk.settings import new_action_id
from supportdesk.errors import Conflict, NotFound
from supportdesk.l10n.catalog import _

if TYPE_CHECKING:
    from supportdesk.desk.desk import Desk
    from supportdesk.desk.ports import Reader, Row
    from supportdesk.mail.classify import Verdict

RELEASED = "released"  # the delivery's reason between the release and its second way through the intake


def list_parked(reader: Reader) -> list[Row]:
    """What is parked and not released, oldest first."""
    return reader.rows("parked", {"released_at": None}, order="received_at")


def look_at(desk: Desk, actor: Actor, delivery_ids: Sequence[int]) -> None:
    """Note that somebody has seen these; raises NotFound for one that is not parked."""
    _change(desk, actor, delivery_ids, "parked_looked", release=False)


def release(desk: Desk, actor: Actor, delivery_ids: Sequence[int]) -> None:
    """Send these through the intake again, as mail of a person. Raises NotFound, Conflict for one released before."""
    _change(desk, actor, delivery_ids, "parked_released", release=True)


def as_released(delivery: Mapping[str, Any], verdict: Verdict) -> Verdict:
    """The verdict on a mail that an agent has released: a person wrote it, and nothing is answered automatically."""
    if delivery["reason"] != RELEASED:
        return verdict
    return replace(
        verdict, kind="human", outcome="message", rule=RELEASED, park_reason="", moves_clock=True, acknowledge=False,
        no_ack_reason=RELEASED,
    )  # fmt: skip


def _change(desk: Desk, actor: Actor, delivery_ids: Sequence[int], kind: str, *, release: bool) -> None:
    with desk.store.transaction() as tx:
        check_actor(tx, actor)
        changes: list[Change] = []
        for delivery_id in dict.fromkeys(delivery_ids):
            row = tx.row("parked", {"delivery_id": delivery_id})
            if row is None:
                raise NotFound(
                    _("there is no parked mail {id}").format(id=delivery_id), hint="supportdesk mail parked list"
                )
            after = {"looked_at": row["looked_at"] or tx.now}
            if release:
                if row["released_at"] is not None:
                    raise Conflict(_("parked mail {id} was released already").format(id=delivery_id), what="released")
                after["released_at"] = tx.now
                again = {"outcome": "", "reason": RELEASED, "processed_at": None}
                changes.append(Update("delivery", {"id": delivery_id}, {"outcome": "parked"}, again))
            changes.append(Update("parked", {"delivery_id": delivery_id}, {"released_at": row["released_at"]}, after))
        events = (PlannedEvent(None, kind, {"delivery_ids": list(delivery_ids)}),)
        tx.apply(Plan(silent=tuple(changes), events=events, undoable=False), actor, new_action_id())
