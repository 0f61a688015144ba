"""Choosing a canned response for a reply: the picker with its preview, the values it asks for, the rendered text."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from supportdesk.errors import MissingValue, UsageError
from supportdesk.l10n.catalog import N_, _, current_language
from supportdesk.safetext import EMPTY, SafeText, safe
from supportdesk.tui.calls import LOOK, READ
from supportdesk.tui.canned_values import complete_value, understood, wrong_value
from supportdesk.tui.screens.choose import ChooseScreen
from supportdesk.tui.widgets.picker import PickerEntry, PickerList

if TYPE_CHECKING:
    from collections.abc import Callable

    from supportdesk.desk.canned import AskField, CannedResponse, Variant
    from supportdesk.desk.templates import Rendered
    from supportdesk.tui.screens.compose import ComposeScreen

    Fields = tuple[tuple[AskField, str], ...]
    Choose = Callable[[CannedResponse], Variant]


PLACES: Final = {
    "customer.greeting": N_("greeting"),
    "customer.name": N_("customer's name"),
    "customer.first_name": N_("customer's first name"),
    "customer.address": N_("customer's address"),
    "shop.name": N_("shop's name"),
    "shop.address": N_("shop's address"),
    "agent.name": N_("your name"),
    "agent.first_name": N_("your first name"),
    "ticket.number": N_("ticket number"),
    "ticket.subject": N_("ticket subject"),
    "order.number": N_("order number"),
    "today": N_("today"),
}
"""What a preview calls the values that the desk fills in, where it does not know them."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The questions of one response; `needed` names those without whose answer there is no text.

    `currency` is that of an amount which names none (ISO 4217).
    """

    key: str
    fields: tuple[AskField, ...]
    needed: frozenset[str]
    currency: str


class CannedPick:
    """The way from `^r` to text in the composer."""

    def __init__(self, screen: ComposeScreen) -> None:
        self._screen = screen
        self._typed: dict[str, dict[str, str]] = {}  # by response, what was answered so far
        self._last = ""
        self._shown: dict[str, SafeText] = {}  # by response, how it reads for this customer

    def start(self) -> None:
        """Offer the responses, those that exist in the customer's language first."""
        desk, ticket = self._screen.session.desk, self._screen.bundle.ticket

        def work() -> tuple[tuple[CannedResponse, ...], Choose]:
            from supportdesk.desk.canned_use import chooser

            return desk.canned(ticket.mailbox_id), chooser(desk, ticket.id)

        self._screen.call(READ, work, lambda found: self._offer(*found))

    def _offer(self, responses: tuple[CannedResponse, ...], choose: Choose) -> None:
        screen = self._screen
        if not responses:
            screen.tell(_("This desk has no canned responses yet: supportdesk canned import"), severity="warning")
            return
        by_key = {response.key: response for response in responses}
        texts = {response.key: _tag_or_reason(choose, response) for response in responses}
        ui = current_language()
        ordered = sorted(responses, key=lambda response: (not texts[response.key][0], response.title(ui).casefold()))
        missing = _("not in {language}").format(language=screen.bundle.ticket.language or "?")
        entries = [response_entry(response, texts[response.key][0] or missing) for response in ordered]
        dialog = ChooseScreen(
            _("Canned response"),
            entries,
            glyphs=screen.console.glyphs,
            preview=lambda entry: texts[entry.id][1] or self._preview(by_key[entry.id], choose, dialog),
            current=self._last,
        )
        self._shown.clear()
        screen.put_question(dialog, self._chosen)

    def _preview(self, response: CannedResponse, choose: Choose, dialog: ChooseScreen) -> SafeText:
        """The text as this customer would read it, as soon as it is rendered; what is asked for stands in ‹ ›."""
        if response.key in self._shown:
            return self._shown[response.key]
        screen = self._screen
        session, ticket_id = screen.session, screen.bundle.ticket.id

        def work() -> str:
            from supportdesk.desk.canned_use import preview

            variant, shown = choose(response), partial(stand_in, response)
            return preview(session.desk, session.actor, ticket_id, response, variant, shown).text

        def rendered(text: str) -> None:
            self._shown[response.key] = safe(text, multiline=True)
            if dialog.is_attached:
                dialog.query_one(PickerList).refresh_preview()

        def failed(error: Exception) -> None:
            rendered(str(error))

        screen.call(LOOK, work, rendered, failed=failed, replaces="canned preview")
        return EMPTY

    def _chosen(self, key: str | None) -> None:
        if key is None:
            self._back_to_text()
            return
        self._last = key
        screen = self._screen
        session, ticket_id = screen.session, screen.bundle.ticket.id

        def work() -> tuple[Fields, frozenset[str], str]:
            fields, currency = session.desk.canned_fields(key, ticket_id), session.desk.canned_currency(ticket_id)
            try:
                session.desk.render_canned(session.actor, ticket_id, key, {field.name: "" for field, _known in fields})
            except MissingValue as error:
                return fields, _asked_names(error), currency
            return fields, frozenset(), currency

        screen.call(READ, work, lambda found: self._begin(key, *found))

    def _begin(self, key: str, fields: Fields, needed: frozenset[str], currency: str) -> None:
        """Ask for what the text needs; what the ticket tells, or was typed before, is filled in."""
        self._typed[key] = {**{field.name: known for field, known in fields}, **self._typed.get(key, {})}
        self._ask(Asked(key, tuple(field for field, _known in fields), needed, currency), 0)

    def _ask(self, asked: Asked, at: int, error: str = "") -> None:
        """Ask for one value after the other; shift+tab goes back by one, esc to the responses, and nothing is lost."""
        if at == len(asked.fields):
            self._render(asked)
            return
        field, typed, screen = asked.fields[at], self._typed[asked.key], self._screen
        today = screen.session.local_now(screen.bundle.ticket.mailbox_id).date()

        def answered(value: str) -> None:
            typed[field.name] = value
            self._ask(asked, at + 1)

        def went_back(value: str) -> None:
            typed[field.name] = value
            self._ask(asked, max(0, at - 1))

        def refusal(value: str) -> SafeText:
            if field.name in asked.needed and not value.strip():
                return SafeText(_("the text needs this value; esc goes back"))
            return wrong_value(field, today, asked.currency, value)

        screen.ask_line(
            f"ask {field.name}",
            f"{field.label(current_language())}:",
            answered,
            value=typed[field.name],
            live=lambda value: typed.update({field.name: value}),
            cancelled=self.start,
            went_back=went_back,
            error=error,
            hint=partial(understood, field, today, asked.currency),
            complete=partial(complete_value, field),
            refusal=refusal,
        )

    def _back_to_text(self) -> None:
        self._screen.body.focus()

    def _render(self, asked: Asked) -> None:
        screen, typed = self._screen, self._typed[asked.key]
        session, ticket_id = screen.session, screen.bundle.ticket.id

        def failed(error: Exception) -> None:
            at = _to_mend(asked.fields, error)
            if at is None:
                screen.tell_error(error)
                self.start()
            else:
                self._ask(asked, at, str(error))

        def rendered(text: Rendered) -> None:
            self._typed.pop(asked.key, None)
            self._last = ""
            screen.insert_canned(asked.key, text.text, text.subject)

        screen.call(
            READ,
            lambda: session.desk.render_canned(session.actor, ticket_id, asked.key, typed),
            rendered,
            failed=failed,
        )


def response_entry(response: CannedResponse, detail: str) -> PickerEntry:
    """A response in a list to choose from, found by its shortcut first, then by its names, keywords and texts."""
    names = (response.key, *response.titles.values(), *response.keywords, *response.group.values())
    texts = (text for variant in response.variants for text in (variant.subject, *variant.body.splitlines()))
    shortcut = (f"::{response.shortcut}",) if response.shortcut else ()
    return PickerEntry(
        response.key,
        safe(response.title(current_language())),
        safe(" · ".join((*shortcut, detail))),
        search=f"{' '.join(names)}\n{' '.join(texts)}",
        word=response.shortcut,
    )


def _tag_or_reason(choose: Choose, response: CannedResponse) -> tuple[str, SafeText]:
    """The tag of the variant for this customer; where there is none, why, and which exist."""
    try:
        return str(choose(response).tag), EMPTY
    except MissingValue as error:
        return "", safe(f"{error.message}\n\n{error.hint}", multiline=True)
    except ValueError:
        return "", safe(_("The customer's language is not known: L sets it."))


def _asked_names(error: MissingValue) -> frozenset[str]:
    return frozenset(name.removeprefix("ask.") for name in error.names if name.startswith("ask."))


def _to_mend(fields: tuple[AskField, ...], error: Exception) -> int | None:
    """The question whose answer is missing, or could not be read; None where no answer would help."""
    for at, field in enumerate(fields):
        if isinstance(error, MissingValue) and field.name in _asked_names(error):
            return at
        if isinstance(error, UsageError) and error.message.startswith(f"{field.label(current_language())}:"):
            return at
    return None


def stand_in(response: CannedResponse, name: str) -> str:
    """What stands for a value that is not known yet, in the agent's language: `‹tracking number›`."""
    if name in PLACES:
        return f"‹{_(PLACES[name])}›"
    last = name.rpartition(".")[2]
    asked = next((field for field in response.ask if field.name == last), None)
    return f"‹{asked.label(current_language()) if asked is not None else last.replace('_', ' ')}›"
