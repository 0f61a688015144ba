"""Canned responses: out as files and back, rendered for a customer."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Run
    from tests.support.desk import House


def test_canned_responses_go_out_as_files_and_come_back_unchanged(shop: House, supportdesk: Run, home: Path) -> None:
    from supportdesk.desk.canned_folder import starter_set

    shop.desk.import_canned(shop.giulia, starter_set())
    folder = str(home / "canned")
    assert supportdesk("canned", "export", folder).code == 0
    assert supportdesk("canned", "import", folder, "--dry-run", "--json").json()["changes"] == []
    text = home / "canned" / "thanks" / "it.md"
    text.write_text(text.read_text("utf-8") + "\nA presto!\n", "utf-8")
    planned = supportdesk("canned", "import", folder, "--dry-run").out
    assert planned.startswith("thanks: changed\n--- a/thanks/it.md\n") and "\n+A presto!\n" in planned
    assert "A presto!" not in supportdesk("canned", "show", "thanks").out
    assert supportdesk("canned", "import", folder).code == 0
    assert "A presto!" in supportdesk("canned", "show", "thanks", "--variant", "it").out
    assert supportdesk("canned", "lint").code == 1  # the translations are older than their source now
    assert supportdesk("canned", "show", "nothing").code == 4


def test_a_canned_response_is_rendered_for_the_customer_of_a_ticket(shop: House, supportdesk: Run) -> None:
    from supportdesk.desk.canned_folder import starter_set

    shop.desk.import_canned(shop.giulia, starter_set())
    ticket = shop.customer_writes(language="de", name="Hans Meier", sender="hans@example.com")
    rendered = supportdesk("canned", "render", "thanks", "--ticket", str(ticket))
    assert rendered.code == 0, rendered.err
    assert "Hans" in rendered.out and "{{" not in rendered.out
