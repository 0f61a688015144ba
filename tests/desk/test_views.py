"""A saved view is a query with a name: one's own or everybody's, in an order, counted, changed and taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from supportdesk.desk.query import QueryError
from supportdesk.desk.views import find_view
from supportdesk.errors import Conflict, NotAllowed, NotFound, UsageError

if TYPE_CHECKING:
    from tests.support.desk import House


def names(house: House, who: str = "giulia") -> list[str]:
    return [view.name for view in house.desk.saved_views(getattr(house, who).id)]


def test_own_views_are_for_their_agent_and_shared_ones_for_everybody(house: House) -> None:
    desk = house.desk
    desk.add_view(house.giulia, "Resi", "tag:reso is:open", shared=True)
    desk.add_view(house.luca, "Tedesco", "lang:de")
    assert names(house) == ["Resi"]
    assert names(house, "luca") == ["Resi", "Tedesco"]
    with pytest.raises(NotAllowed):
        desk.add_view(house.luca, "Tutti", "is:open", shared=True)
    with pytest.raises(NotFound):
        find_view(desk.saved_views(house.giulia.id), "Tedesco")


def test_a_view_that_cannot_be_read_or_has_a_name_taken_is_refused(house: House) -> None:
    desk = house.desk
    desk.add_view(house.giulia, "Resi", "tag:reso")
    with pytest.raises(QueryError):
        desk.add_view(house.giulia, "Falsch", "is:opne")
    for taken in ("resi", "Needs reply".replace(" ", "_")):
        with pytest.raises(Conflict):
            desk.add_view(house.giulia, taken, "is:open")
    with pytest.raises(UsageError):
        desk.add_view(house.giulia, " \n ", "is:open")
    assert names(house) == ["Resi"]


def test_a_view_counts_what_it_lists(house: House) -> None:
    house.customer_writes("Dove è il pacco?", sender="a@example.it", subject="Pacco")
    house.customer_writes("Grazie", sender="b@example.it", subject="Altro")
    desk, me = house.desk, house.giulia.id
    view = desk.add_view(house.giulia, "Pacchi", "subject:pacco is:open")
    assert desk.count_view(view, me) == 1


def test_views_are_changed_moved_and_removed_and_each_is_taken_back(house: House) -> None:
    desk, me = house.desk, house.giulia
    views = [desk.add_view(me, name, "is:open") for name in ("Eins", "Zwei", "Drei")]
    desk.change_view(me, views[2].id, position=1)
    assert names(house) == ["Drei", "Eins", "Zwei"]
    desk.undo(me)
    assert names(house) == ["Eins", "Zwei", "Drei"]
    desk.change_view(me, views[1].id, name="Due", query="is:solved", shared=True)
    changed = desk.saved_views(me.id)[1]
    assert (changed.name, changed.query, changed.agent_id) == ("Due", "is:solved", None)
    desk.undo(me)
    assert desk.saved_views(me.id)[1] == views[1]
    done = desk.remove_view(me, views[0].id)
    assert names(house) == ["Zwei", "Drei"]
    desk.undo(me, done.action_id)
    assert names(house) == ["Eins", "Zwei", "Drei"]
    with pytest.raises(Conflict):
        desk.undo(me, done.action_id)


def test_nobody_changes_the_view_of_somebody_else(house: House) -> None:
    desk = house.desk
    shared = desk.add_view(house.giulia, "Alle", "is:open", shared=True)
    own = desk.add_view(house.giulia, "Meine", "is:open")
    with pytest.raises(NotAllowed):
        desk.remove_view(house.luca, shared.id)
    with pytest.raises(NotFound):
        desk.change_view(house.luca, own.id, name="Seine")


def test_what_only_a_lead_may_change_for_everybody_no_agent_takes_back(house: House) -> None:
    desk = house.desk
    view = desk.add_view(house.anna, "Resi", "tag:reso", shared=True)
    done = [
        desk.change_view(house.anna, view.id, name="Rückgaben"),
        desk.change_view(house.anna, view.id, query="tag:return"),
        desk.change_view(house.anna, desk.add_view(house.anna, "Meine", "is:open").id, position=1),
        desk.remove_view(house.anna, view.id),
    ]
    for one in done:
        with pytest.raises(NotAllowed):
            desk.undo(house.luca, one.action_id)
    desk.undo(house.anna, done[-1].action_id)
    assert [(one.name, one.query) for one in desk.saved_views(house.luca.id)] == [("Rückgaben", "tag:return")]


def test_an_agent_takes_back_what_he_did_to_his_own_views(house: House) -> None:
    desk = house.desk
    desk.add_view(house.anna, "Resi", "tag:reso", shared=True)
    own = desk.add_view(house.luca, "Tedesco", "lang:de")
    desk.change_view(house.luca, own.id, position=1)
    assert names(house, "luca") == ["Tedesco", "Resi"]
    desk.undo(house.luca)
    assert names(house, "luca") == ["Resi", "Tedesco"]
