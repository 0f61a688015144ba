"""The same queries on the command line: `ticket list`, `search` and saved views, with errors that point."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.cli.conftest import Run
    from tests.support.desk import House


def test_a_query_narrows_the_list_and_the_search(shop: House, supportdesk: Run) -> None:
    first = shop.customer_writes("Vorrei un rimborso", subject="Reso")
    second = shop.customer_writes("Dove è il pacco?", sender="ugo@example.com", name="Ugo")
    assert supportdesk("ticket", "tag", str(first), "--tags", "return").code == 0

    def found(*words: str) -> list[int]:
        return [row["id"] for row in supportdesk(*words, "--json").json()]

    assert found("ticket", "list", "tag:return") == [first]
    assert found("ticket", "list", "is:open", "-tag:return") == [second]
    assert supportdesk("ticket", "list", "--veiw", "mine").code == 2
    assert found("search", "from:ugo") == [second]
    assert found("search", "subject:reso", "is:unanswered") == [first]
    assert found("search", str(second)) == [second]
    third = shop.customer_writes("Dopo il reso vorrei altre scarpe", sender="ada@example.com", subject="Scarpe")
    assert found("search", "reso") == [third, first]
    for verb in (("search",), ("ticket", "list")):
        assert found(*verb, "reso", "sort:relevance") == [first, third]
        assert found(*verb, "sort:relevance", "-tag:return", "reso") == [third]


def test_an_error_shows_where_it_is_and_what_was_meant(supportdesk: Run, shop: House) -> None:
    found = supportdesk("ticket", "list", "tag:x", "is:opne")
    assert found.code == 2
    lines = found.err.splitlines()
    assert lines[0].index("opne") == lines[1].index("^")
    assert "opne" in lines[2]
    assert "open" in lines[3]
    assert supportdesk("view", "add", "X", "asignee:me").code == 2


def test_a_view_is_saved_listed_shown_changed_and_removed(shop: House, supportdesk: Run) -> None:
    ticket = shop.customer_writes("Vorrei un rimborso")
    assert supportdesk("ticket", "tag", str(ticket), "--tags", "return").code == 0
    added = supportdesk("view", "add", "Resi", "tag:return", "is:open", "--shared", "--json").json()
    assert (added["name"], added["query"], added["shared"]) == ("Resi", "tag:return is:open", True)
    [row] = supportdesk("view", "list", "--json").json()
    assert (row["name"], row["tickets"]) == ("Resi", 1)
    assert [row["id"] for row in supportdesk("view", "show", "resi", "--json").json()] == [ticket]
    assert [row["id"] for row in supportdesk("ticket", "list", "--view", "Resi", "--json").json()] == [ticket]
    assert supportdesk("ticket", "list", "--view", "Resi", "sort:oldest", "lang:xx", "--json").json() == []
    assert supportdesk("view", "set", "Resi", "--name", "Returns").code == 0
    assert supportdesk("view", "show", "Resi").code == 4
    done = supportdesk("view", "remove", "Returns", "--json").json()
    assert supportdesk("view", "list", "--json").json() == []
    assert supportdesk("undo", done["action_id"]).code == 0
    assert [view["name"] for view in supportdesk("view", "list", "--json").json()] == ["Returns"]
