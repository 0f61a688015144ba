"""Sample values for canned responses, shared by their tests."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from supportdesk.desk.canned import AskField, CannedResponse, Variant, context
from supportdesk.l10n.format import Money
from supportdesk.l10n.tags import LocaleTag

ROME = ZoneInfo("Europe/Rome")
TODAY = dt.date(2026, 11, 20)
ANSWERS = {"text": "ABC-123", "money": Money(104990, "EUR"), "date": dt.date(2026, 11, 30), "number": 3}


def variant(body: str, tag: str = "it", subject: str = "", source_hash: str = "") -> Variant:
    return Variant(LocaleTag.parse(tag), body, subject, source_hash)


def response(
    *variants: Variant, ask: tuple[AskField, ...] = (), source: str = "", key: str = "sample"
) -> CannedResponse:
    return CannedResponse(key, {"en": "Sample", "it": "Esempio"}, ("sample", "esempio"), source, ask, variants)


def ticket_values(tag: str, **changes: Any) -> dict[str, Any]:
    known: dict[str, Any] = {
        "customer_name": "Giulia Rossi",
        "customer_address": "giulia@example.org",
        "shop_name": "Bottega Aurora",
        "shop_address": "aiuto@bottega.example",
        "agent_name": "Anna Neri",
        "ticket_number": 4711,
        "ticket_subject": "Dov'è il pacco?",
        "order_number": "R-100",
        "today": TODAY,
    }
    return context(LocaleTag.parse(tag), **{**known, **changes})
