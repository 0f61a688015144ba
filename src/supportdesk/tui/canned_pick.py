"""Choosing a canned response for a reply: the picker with its preview, the values it asks for, the rendered text."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from supportdesk.errors import MissingValue, UsageError
from supportdesk.l10n.catalog import N_, _, current_language
from supportdesk.safetext import EMPTY, SafeText, safe
from supportdesk.tui.calls import LOOK, READ
from supportdesk.tui.screens.choose import ChooseScreen
from supportdesk.tui.widgets.picker import PickerEntry, PickerList

if TYPE_CHECKING:
    from datetime import date

    from supportdesk.desk.canned import AskField, CannedResponse, Variant
    from supportdesk.desk.templates import Rendered
    from supportdesk.tui.screens.compose import ComposeScreen

    Fields = tuple[tuple[AskField, str], ...]


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
    """The questions of one response; `needed` names those without whose answer there is no text."""

    key: str
    fields: tuple[AskField, ...]
    needed: frozenset[str]


class CannedPick:
    """The way from `^r` to text in the composer."""

    def __init__(self, screen: ComposeScreen) -> None:
        self._screen = screen
        self._typed: dict[str, dict[str, str]] = {}  # by response, what was answered so far
        self._last = ""
        self._shown: dict[str, SafeText] = {}  # by response, how it reads for this customer

    def start(self) -> None:
        """Offer the responses, those that exist in the customer's language first."""
        desk, mailbox_id = self._screen.session.desk, self._screen.bundle.ticket.mailbox_id
        self._screen.call(READ, lambda: desk.canned(mailbox_id), self._offer)

    def _offer(self, responses: tuple[CannedResponse, ...]) -> None:
        screen = self._screen
        if not responses:
            screen.tell(_("This desk has no canned responses yet: supportdesk canned import"), severity="warning")
            return
        by_key = {response.key: response for response in responses}
        texts = {response.key: self._tag_or_reason(response) for response in responses}
        bodies = {
            response.key: " ".join(f"{variant.subject} {variant.body}" for variant in response.variants)
            for response in responses
        }
        ui = current_language()
        ordered = sorted(responses, key=lambda response: (not texts[response.key][0], response.title(ui).casefold()))
        entries = [
            PickerEntry(
                response.key,
                safe(response.title(ui)),
                safe(texts[response.key][0] or _("not in {language}").format(language=self._language() or "?")),
                search=" ".join((response.key, *response.titles.values(), *response.keywords, bodies[response.key])),
            )
            for response in ordered
        ]
        dialog = ChooseScreen(
            _("Canned response"),
            entries,
            glyphs=screen.console.glyphs,
            preview=lambda entry: texts[entry.id][1] or self._preview(by_key[entry.id], dialog),
            current=self._last,
        )
        self._shown.clear()
        screen.console.push_screen(dialog, self._chosen)
        dialog.call_after_refresh(screen.console.typed_ahead.release)

    def _language(self) -> str:
        return self._screen.keeper.row.language or self._screen.bundle.ticket.language

    def _tag_or_reason(self, response: CannedResponse) -> tuple[str, SafeText]:
        """The tag of the variant for this customer; where there is none, why, and which exist."""
        try:
            return str(self._variant(response).tag), EMPTY
        except MissingValue as error:
            return "", safe(f"{error.message}\n\n{error.hint}", multiline=True)
        except ValueError:
            return "", safe(_("The customer's language is not known: L sets it."))

    def _variant(self, response: CannedResponse) -> Variant:
        """The variant for this customer. Raises MissingValue, and ValueError where his language is not known."""
        from supportdesk.desk.canned import choose

        bundle = self._screen.bundle
        customer, mailbox = bundle.customer, bundle.mailbox
        register = (customer.register if customer is not None else "") or (
            mailbox.register if mailbox is not None else ""
        )
        return choose(response, self._language(), customer.region if customer is not None else "", register)

    def _preview(self, response: CannedResponse, dialog: ChooseScreen) -> SafeText:
        """The text as this customer would read it, as soon as it is rendered; what is asked for stands in ‹ ›."""
        if response.key in self._shown:
            return self._shown[response.key]
        screen = self._screen
        session, ticket_id = screen.session, screen.bundle.ticket.id

        def work() -> str:
            from supportdesk.desk.canned_use import preview

            variant = self._variant(response)
            return preview(session.desk, session.actor, ticket_id, response, variant, partial(stand_in, response)).text

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

        def work() -> tuple[Fields, frozenset[str]]:
            fields = session.desk.canned_fields(key, ticket_id)
            try:
                session.desk.render_canned(session.actor, ticket_id, key, {field.name: "" for field, _known in fields})
            except MissingValue as error:
                return fields, _asked_names(error)
            return fields, frozenset()

        screen.call(READ, work, lambda found: self._begin(key, *found))

    def _begin(self, key: str, fields: Fields, needed: frozenset[str]) -> None:
        """Ask for what the text needs; what the ticket tells, or was typed before, is filled in."""
        self._typed[key] = {**{field.name: known for field, known in fields}, **self._typed.get(key, {})}
        self._ask(Asked(key, tuple(field for field, _known in fields), needed), 0)

    def _ask(self, asked: Asked, at: int, error: str = "") -> None:
        """Ask for one value after the other; shift+tab goes back by one, esc to the responses, and nothing is lost."""
        if at == len(asked.fields):
            self._render(asked)
            return
        field, typed, screen = asked.fields[at], self._typed[asked.key], self._screen

        def answered(value: str) -> None:
            typed[field.name] = value
            self._ask(asked, at + 1)

        def went_back(value: str) -> None:
            typed[field.name] = value
            self._ask(asked, max(0, at - 1))

        def refusal(value: str) -> SafeText:
            missing = field.name in asked.needed and not value.strip()
            return SafeText(_("the text needs this value; esc goes back")) if missing else SafeText("")

        screen.ask_line(
            f"ask {field.name}",
            f"{field.label(current_language())}:",
            answered,
            value=typed[field.name],
            live=lambda value: typed.update({field.name: value}),
            cancelled=self.start,
            went_back=went_back,
            error=error,
            hint=partial(_understood, field.type, screen.session.local_now(screen.bundle.ticket.mailbox_id).date()),
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


def stand_in(response: CannedResponse, name: str) -> str:
    """What stands for a value that is not known yet, in the agent's language: `‹tracking number›`."""
    if name in PLACES:
        return f"‹{_(PLACES[name])}›"
    last = name.rpartition(".")[2]
    asked = next((field for field in response.ask if field.name == last), None)
    return f"‹{asked.label(current_language()) if asked is not None else last.replace('_', ' ')}›"
