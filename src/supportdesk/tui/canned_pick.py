"""Choosing a canned response for a reply: the picker with its preview, the values it asks for, the rendered text."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

from supportdesk.errors import MissingValue
from supportdesk.l10n.catalog import _, current_language
from supportdesk.safetext import SafeText, safe
from supportdesk.tui.calls import READ
from supportdesk.tui.screens.choose import ChooseScreen
from supportdesk.tui.widgets.picker import PickerEntry

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from supportdesk.desk.canned import AskField, CannedResponse
    from supportdesk.tui.screens.compose import ComposeScreen

    Fields = tuple[tuple[AskField, str], ...]


PLACEHOLDER = re.compile(r"\{\{\s*([a-z_.]+)[^}]*\}\}")


class CannedPick:
    """The way from `^r` to text in the composer."""

    def __init__(self, screen: ComposeScreen) -> None:
        self._screen = screen

    def start(self) -> None:
        """Offer the responses, those that exist in the customer's language first."""
        desk = self._screen.session.desk
        self._screen.call(READ, desk.canned, self._offer)

    def _offer(self, responses: tuple[CannedResponse, ...]) -> None:
        screen = self._screen
        if not responses:
            screen.tell(_("This desk has no canned responses yet: supportdesk canned import"), severity="warning")
            return
        texts = {response.key: self._variant_text(response) for response in responses}
        ui = current_language()
        ordered = sorted(responses, key=lambda response: (not texts[response.key][0], response.title(ui).casefold()))
        entries = [
            PickerEntry(
                response.key,
                safe(response.title(ui)),
                safe(texts[response.key][0] or _("not in {language}").format(language=self._language() or "?")),
                search=" ".join((response.key, *response.titles.values(), *response.keywords)),
            )
            for response in ordered
        ]
        dialog = ChooseScreen(
            _("Canned response"), entries, glyphs=screen.console.glyphs, preview=lambda entry: texts[entry.id][1]
        )
        screen.console.push_screen(dialog, self._chosen)

    def _language(self) -> str:
        return self._screen.keeper.row.language or self._screen.bundle.ticket.language

    def _variant_text(self, response: CannedResponse) -> tuple[str, SafeText]:
        """The tag and the text of the variant for this customer; where there is none, the text says which exist."""
        from supportdesk.desk.canned import choose

        bundle = self._screen.bundle
        customer, mailbox = bundle.customer, bundle.mailbox
        register = (customer.register if customer is not None else "") or (
            mailbox.register if mailbox is not None else ""
        )
        try:
            variant = choose(response, self._language(), customer.region if customer is not None else "", register)
        except MissingValue as error:
            return "", safe(f"{error.message}\n\n{error.hint}", multiline=True)
        except ValueError:
            return "", safe(_("The customer's language is not known: L sets it."))
        return str(variant.tag), safe(PLACEHOLDER.sub(_named, variant.body), multiline=True)

    def _chosen(self, key: str | None) -> None:
        if key is None:
            self._back_to_text()
            return
        screen = self._screen
        desk, ticket_id = screen.session.desk, screen.bundle.ticket.id
        screen.call(READ, lambda: desk.canned_fields(key, ticket_id), lambda fields: self._ask(key, tuple(fields), {}))

    def _ask(self, key: str, fields: Fields, asked: Mapping[str, str]) -> None:
        """Ask for one value after the other; what the ticket tells, or was typed before, is filled in."""
        at = len(asked)
        if at == len(fields):
            self._render(key, fields, asked)
            return
        field, known = fields[at]
        self._screen.ask_line(
            f"ask {field.name}",
            f"{field.label(current_language())}:",
            lambda value: self._ask(key, fields, {**asked, field.name: value}),
            value=known,
            cancelled=self._back_to_text,
            hint=partial(_understood, field.type, self._screen.session.now().date()),
        )

    def _back_to_text(self) -> None:
        self._screen.body.focus()

    def _render(self, key: str, fields: Fields, asked: Mapping[str, str]) -> None:
        screen = self._screen
        session, ticket_id = screen.session, screen.bundle.ticket.id

        def failed(error: Exception) -> None:
            screen.tell_error(error)
            if fields:
                self._ask(key, tuple((field, asked[field.name]) for field, _known in fields), {})

        screen.call(
            READ,
            lambda: session.desk.render_canned(session.actor, ticket_id, key, asked),
            lambda rendered: screen.insert_canned(key, rendered.text, rendered.subject),
            failed=failed,
        )


def _understood(kind: str, today: date, text: str) -> SafeText:
    """What a typed value means, so that a wrong one is seen before it is in the text."""
    if not text.strip() or kind == "text":
        return SafeText("")
    from supportdesk.l10n import format as localized
    from supportdesk.l10n.inputs import read_date, read_number

    language = current_language()
    try:
        if kind == "date":
            return safe(localized.date(read_date(text, language, today), language))
        if kind == "number":
            return safe(localized.number(read_number(text, language), language))
    except ValueError as error:
        return safe(str(error))
    return SafeText("")


def _named(found: re.Match[str]) -> str:
    """A placeholder as the preview shows it: `‹greeting›`."""
    return f"‹{found[1].rpartition('.')[2].replace('_', ' ')}›"
