"""A parsed mail for tests: an ordinary question by a customer, with whatever the test is about put in."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from supportdesk.mail.model import Address, ParsedMail


def addresses(*texts: str) -> tuple[Address, ...]:
    return tuple(Address("", text) for text in texts)


def parsed_mail(headers: dict[str, str] | None = None, **fields: Any) -> ParsedMail:
    values: dict[str, Any] = {
        "headers": tuple((headers or {}).items()),
        "subject": "Dove si trova il mio pacco?",
        "from_": addresses("anna@customer.example"),
        "sender": (),
        "reply_to": (),
        "to": addresses("support@shop.example"),
        "cc": (),
        "delivered_to": (),
        "return_path": "anna@customer.example",
        "message_id": "<q1@customer.example>",
        "in_reply_to": (),
        "references": (),
        "date": datetime(2026, 11, 20, 9, 0, tzinfo=UTC),
        "text": "Buongiorno, aspetto il mio ordine da una settimana.\n",
        "text_source": "plain",
    }
    return ParsedMail(**(values | fields))
