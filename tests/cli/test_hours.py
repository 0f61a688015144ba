"""Opening hours: set, closed, explained day by day."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Run
    from tests.support.desk import House


def test_hours_are_set_shown_and_explained_day_by_day(shop: House, supportdesk: Run) -> None:
    assert supportdesk("hours", "show").code == 4
    assert supportdesk("hours", "set", "mon-fri 9-13 15-19", "--zone", "Europe/Rome", "--holidays", "IT").code == 0
    closed = supportdesk("hours", "close", "2026-08-10..2026-08-21", "--notice", "it=Chiusi per ferie")
    assert closed.code == 0, closed.err
    opened = supportdesk("hours", "open", "2026-08-15", "10-12", "--notice", "it=Siamo aperti")
    assert opened.code == 0, opened.err
    shown = supportdesk("hours", "show", "--language", "it").out
    assert "lun-ven 9:00-13:00 15:00-19:00" in shown and "Chiusi per ferie" in shown
    days = {day["day"]: day for day in supportdesk("hours", "show", "--month", "2026-08", "--json").json()["days"]}
    assert len(days) == 31
    assert (days["2026-08-15"]["kind"], days["2026-08-15"]["intervals"]) == ("opening", ["10:00-12:00"])
    assert [days[f"2026-08-{day}"]["kind"] for day in ("08", "10", "24")] == ["closed", "closure", "open"]
    assert supportdesk("hours", "remove", "2026-08-15").code == 0
    explained = supportdesk("hours", "explain", "2026-08-07T18:00", "--hours", "2h", "--json").json()
    # An hour on Friday evening, two weeks of holidays, an hour on the Monday after.
    assert explained["due"] == "2026-08-24T08:00:00Z"
    assert explained["promise_24h"] == "2026-08-24T16:00:00Z"


def test_a_change_of_hours_is_taken_back_by_undo(shop: House, supportdesk: Run) -> None:
    assert supportdesk("hours", "set", "mon-fri 9-13", "--holidays", "IT").code == 0
    done = supportdesk("hours", "set", "sat 9-13", "--json").json()
    assert done["undoable"]
    assert supportdesk("undo", done["action_id"]).code == 0
    assert supportdesk("hours", "show", "--json").json()["week"]["mon"] == ["09:00-13:00"]


def test_what_is_wrong_with_the_hours_is_named_and_exits_1(shop: House, supportdesk: Run) -> None:
    found = supportdesk("hours", "check", "--json")
    assert (found.code, [one["code"] for one in found.json()]) == (1, ["no_hours"])
    assert supportdesk("hours", "set", "mon-fri 9-13", "--holidays", "IT").code == 0
    assert supportdesk("hours", "check").code == 0
    unsaid = supportdesk("hours", "close", "2030-08-10", "--unannounced")
    assert unsaid.code == 0 and "it" in unsaid.err
    assert [one["code"] for one in supportdesk("hours", "check", "--json").json()] == ["no_notice"]


def test_a_closure_is_announced_in_every_language_that_is_served_where_no_notice_was_written(
    shop: House, supportdesk: Run
) -> None:
    shop.desk.save_mailbox(shop.giulia, {"id": shop.mailbox_id, "languages": ("de", "nb")})
    assert supportdesk("hours", "set", "mon-fri 9-13", "--holidays", "IT").code == 0
    closed = supportdesk("hours", "close", "2030-08-12..2030-08-23", "--notice", "de=Betriebsferien")
    [planned] = supportdesk("hours", "show", "--json").json()["exceptions"]
    italian = "Siamo chiusi da lunedì 12 agosto 2030 a venerdì 23 agosto 2030."
    assert planned["notices"] == {"de": "Betriebsferien", "it": italian}
    assert italian in closed.err
    assert "customers of these languages read no notice: no" in closed.err


@pytest.mark.parametrize(
    "typed",
    [
        ("set",),
        ("set", "mon-fri 9-13", "--holidays", "ZZ"),
        ("set", "mon-fri 9-13", "--zone", "Europe/Roma"),
        ("close", "tomorrow-ish"),
        ("close", "2026-08-21..2026-08-10"),
        ("close", "2026-08-10", "--notice", "klingon=nope"),
        ("open", "2026-08-10", "13-9"),
        ("explain", "soon"),
        ("show", "--month", "2026-13"),
    ],
)
def test_hours_that_cannot_be_are_refused_and_nothing_is_written(
    shop: House, supportdesk: Run, typed: tuple[str, ...]
) -> None:
    keep = supportdesk("hours", "set", "mon-fri 9-13", "--holidays", "IT")
    assert keep.code == 0, keep.err
    before = shop.desk.hours().calendar
    refused = supportdesk("hours", *typed)
    assert refused.code == 2 and refused.err
    assert shop.desk.hours().calendar == before
