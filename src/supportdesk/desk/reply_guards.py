"""What deserves a second look in the text of a reply before it is sent: language, wording, spelling.

Each finding is a warning with its place that one more key overrides. The wording itself is judged by `l10n`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from supportdesk.desk.customers import what_is_known
from supportdesk.desk.outgoing import mailbox_row, signature
from supportdesk.desk.results import ReviewWarning
from supportdesk.desk.settings import read_settings
from supportdesk.l10n.catalog import N_, _

if TYPE_CHECKING:
    from supportdesk.desk.model import Mailbox, OutboxRow
    from supportdesk.desk.ports import Reader, Row

_FRAGMENT = re.compile(r"\{\{\s*fragment\.([\w-]+)")
_MESSAGES_READ = 20

# Forwards and notes speak to others than the customer.
TO_THE_CUSTOMER = ("reply", "new")

_SAID = {
    "placeholder": N_("Line {line}: “{found}” was not filled in"),
    "marks": N_("Line {line}: “{found}” is loud"),
    "shouting": N_("Line {line}: “{found}” reads as shouting"),
    "avoided": N_("Line {line}: “{found}” is on the list of words to avoid"),
    "mixed_register": N_("Line {line}: “{found}” does not fit the form of address of the rest"),
    "greeting": N_("Line {line}: the greeting is missing"),
    "closing": N_("Line {line}: the closing words are missing"),
}
_REGISTER = {
    "formal": N_("Line {line}: “{found}” is informal, and this customer is addressed formally"),
    "informal": N_("Line {line}: “{found}” is formal, and this customer is addressed informally"),
}


def wording_warnings(reader: Reader, row: OutboxRow) -> Iterator[ReviewWarning]:
    """All warnings on the text of one draft; none for an empty one, a forward or a note."""
    if not row.body.strip() or row.kind not in TO_THE_CUSTOMER:
        return
    mailbox = mailbox_row(reader, row)
    ticket = next(iter(reader.rows("ticket", {"id": row.ticket_id}, limit=1)), {})
    customer = what_is_known(reader, ticket.get("customer_id"))
    names = _names(reader, row, mailbox, customer)
    if not row.language:
        return
    found = list(_language(row, names))
    yield from found
    # The words of another language say nothing about the register and the spelling of this one.
    if not found:
        yield from _wording(reader, row, mailbox, _register(reader, mailbox, ticket, customer), names)
        yield from _spelling(reader, row, mailbox, ticket, names)


def _language(row: OutboxRow, names: list[str]) -> Iterator[ReviewWarning]:
    from supportdesk.l10n.catalog import current_language
    from supportdesk.l10n.detect import guard_language
    from supportdesk.l10n.format import language_name

    found = guard_language(row.body, row.language, names)
    if found is not None:
        shown = current_language()
        yield ReviewWarning(
            "language",
            _("The customer's language is {expected}, the text looks like {detected}").format(
                expected=language_name(found.expected, shown), detected=language_name(found.detected, shown)
            ),
        )


def _wording(
    reader: Reader, row: OutboxRow, mailbox: Mailbox, register: str, names: list[str]
) -> Iterator[ReviewWarning]:
    from supportdesk.l10n.wording import find_faults

    faults = find_faults(
        row.body,
        row.language,
        register=register,
        names=names,
        avoided=read_settings(reader).avoided_words,
        signature=signature(mailbox, row.language),
    )
    for fault in faults:
        said = _REGISTER[register] if fault.code == "register" else _SAID[fault.code]
        yield ReviewWarning(fault.code, _(said).format(line=fault.line, found=fault.found))


def _spelling(
    reader: Reader, row: OutboxRow, mailbox: Mailbox, ticket: Row, names: list[str]
) -> Iterator[ReviewWarning]:
    from supportdesk.l10n.spelling import find_misspellings

    known = [*_canned_texts(reader, row), *mailbox.signatures.values()]
    named_in = _customers_texts(reader, ticket)
    for wrong in find_misspellings(row.body, row.language, names=names, known=known, named_in=named_in):
        if wrong.suggestions:
            said = _("Line {line}: “{found}” is not in the dictionary: {suggestions}?")
        else:
            said = _("Line {line}: “{found}” is not in the dictionary")
        text = said.format(line=wrong.line, found=wrong.word, suggestions=", ".join(wrong.suggestions))
        yield ReviewWarning("spelling", text)


def _canned_texts(reader: Reader, row: OutboxRow) -> list[str]:
    """The words of the canned response that was used, and of its fragments: they were read when it was written."""
    canned = reader.row("canned", {"key": row.canned_key}) if row.canned_key else None
    if canned is None:
        return []
    texts = _variants(reader, canned)
    shared = sorted({key for text in texts for key in _FRAGMENT.findall(text)})
    for fragment in reader.rows("canned", {"key": shared}) if shared else ():
        texts += _variants(reader, fragment)
    return texts


def _variants(reader: Reader, canned: Row) -> list[str]:
    return [one["body"] for one in reader.rows("canned_variant", {"canned_id": canned["id"]})]


def _customers_texts(reader: Reader, ticket: Row) -> list[str]:
    """The subject and the last messages of the customer: what he names there is spelled as he spells it."""
    where = {"ticket_id": ticket.get("id"), "direction": "in"}
    written = reader.rows("message", where, order="-seq", limit=_MESSAGES_READ)
    return [str(ticket.get("subject", "")), *(one["body"] for one in written)]


def _register(reader: Reader, mailbox: Mailbox, ticket: Row, customer: Row) -> str:
    """The customer's, else the market's, else the shop's; "" where nobody decided (domain.md section 8)."""
    market = _row(reader, "market", ticket.get("market_id") or mailbox.market_id)
    decided = customer.get("register", "") or market.get("register", "") or mailbox.register
    return decided if decided in _REGISTER else ""


def _names(reader: Reader, row: OutboxRow, mailbox: Mailbox, customer: Row) -> list[str]:
    """Names and their parts, which have no language and no spelling: people, the shop, the agent."""
    agent = _row(reader, "agent", row.agent_id)
    full = [one.name for one in row.recipients]
    full += [mailbox.shop_name, mailbox.name, customer.get("name", ""), agent.get("name", "")]
    parts = [part for name in full for part in name.split() if part[0].isupper() and len(part) > 2]
    return list(dict.fromkeys(name for name in (*full, *parts) if name))


def _row(reader: Reader, table: str, row_id: int | None) -> Row:
    return next(iter(reader.rows(table, {"id": row_id}, limit=1)), {}) if row_id is not None else {}
