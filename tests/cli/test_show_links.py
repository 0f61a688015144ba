"""`ticket show` says where the numbered links of a mail really go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.post import Post

if TYPE_CHECKING:
    from tests.cli.conftest import Run
    from tests.support.desk import House

HTML = (
    "From: anna@example.com\nTo: assistenza@bottega.example\nSubject: Pacco\nMessage-ID: <l1@example.com>\n"
    "Date: Fri, 20 Nov 2026 12:00:00 +0100\nContent-Type: text/html; charset=utf-8\n\n"
    '<p>Vedi <a href="https://evil.example/login">https://bank.example</a></p>'
)
PLAIN = HTML.replace("text/html", "text/plain").replace("<l1@", "<l2@").partition("\n\n")[0]


def test_a_link_of_html_is_listed_with_its_host(shop: House, supportdesk: Run) -> None:
    ticket = Post(shop).ticket_of(Post(shop).arrives(HTML.encode()))
    shown = supportdesk("ticket", "show", str(ticket.id)).out
    assert "Vedi https://bank.example [1]" in shown
    assert "→ [1] evil.example · https://evil.example/login" in shown
    assert "! looks like https://bank.example, goes to evil.example" in shown


def test_a_link_that_is_there_to_read_is_not_repeated_unless_it_pretends(shop: House, supportdesk: Run) -> None:
    text = f"{PLAIN}\n\nVedi https://shop.example/a e https://p\u0430ypal.com/b\n"
    ticket = Post(shop).ticket_of(Post(shop).arrives(text.encode()))
    shown = supportdesk("ticket", "show", str(ticket.id)).out
    assert "→ [2] xn--pypal-4ve.com" in shown
    assert "→ [1]" not in shown
