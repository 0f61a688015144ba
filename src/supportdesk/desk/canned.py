"""Canned responses: one answer, written once for every language and form of address that the shop serves.

Here are the values and the choice of the variant. What the agent fills in is in `desk.canned_ask`, the plain form for
files and columns in `desk.canned_meta`, the checks in `desk.canned_lint`, the folder of Markdown files in
`desk.canned_folder`; the text becomes a reply in `desk.templates`. No I/O.
"""

from __future__ import annotations

import hashlib
import mimetypes
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from supportdesk.errors import MissingValue
from supportdesk.l10n.catalog import _, current_language
from supportdesk.l10n.tags import LocaleTag, canonical_language

if TYPE_CHECKING:
    import datetime as dt

AskType = Literal["text", "money", "date", "number", "choice"]
ASK_TYPES: Final[tuple[AskType, ...]] = ("text", "money", "date", "number", "choice")
THEN_STATUSES: Final = ("open", "pending", "on_hold", "solved")
KEY: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
NAME: Final = re.compile(r"[a-z][a-z0-9_]*")

# Every value that a text may use without asking, and what it holds. `lint` knows no others.
CONTEXT: Final[Mapping[str, str]] = {
    "customer.greeting": "how the mail opens, in the variant's language and register: “Ciao Giulia,”, “Guten Tag,”",
    "customer.name": "the customer's full name in the order of the language; missing when it is not known",
    "customer.first_name": "the first name; missing when it is not clearly a person's",
    "customer.address": "the address that the customer wrote from",
    "shop.name": "the shop's name, as the mailbox has it",
    "shop.address": "the support address that the customer wrote to",
    "agent.name": "the agent's full name",
    "agent.first_name": "the agent's first name",
    "ticket.number": "the ticket's public number",
    "ticket.subject": "the subject of the ticket",
    "order.number": "the order's number; missing when the ticket has none",
    "today": "today in the customer's zone, a date",
}


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the answers of a `choice` field: a text compares it by `key`, and shows it in the customer's language."""

    key: str
    texts: Mapping[str, str] = field(default_factory=dict)

    def text(self, language: str) -> str:
        """The words in exactly that language, else the key: another language would be worse than none."""
        return self.texts.get(canonical_language(language)) or self.key


@dataclass(frozen=True, slots=True)
class AskField:
    """A value that the agent fills in before sending, used as `{{ ask.NAME }}`.

    `labels` by UI language; `prefill` is a CONTEXT value (`order.number`) or "". Typed by the rules of the agent's
    locale, shown by those of the customer's. `default` stands there where the ticket tells nothing, written the same
    in every locale: `3`, `4.90 EUR`, `2026-12-30` or `+3` (days from today), a choice's key, or the text itself.
    """

    name: str
    type: AskType = "text"
    labels: Mapping[str, str] = field(default_factory=dict)
    prefill: str = ""
    default: str = ""
    choices: tuple[Choice, ...] = ()

    def label(self, language: str) -> str:
        """The label in the agent's language, else in English, else the name."""
        return _in_language(self.labels, language) or self.name.replace("_", " ")


@dataclass(frozen=True, slots=True)
class CannedFile:
    """A file that goes with a response; its bytes are a blob."""

    name: str
    sha: str
    size: int

    @property
    def content_type(self) -> str:
        return mimetypes.guess_type(self.name)[0] or "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Then:
    """What sending the response does to the ticket besides: part of the same action, undone with it.

    `status` stands in for the one that a plain send sets; `snooze_days` are business days; `assign` is a login or `me`.
    """

    status: str = ""
    tags: tuple[str, ...] = ()
    snooze_days: int = 0
    assign: str = ""


@dataclass(frozen=True, slots=True)
class Variant:
    """The text in one language and register. `source_hash`: the source variant's hash when this one was translated."""

    tag: LocaleTag
    body: str
    subject: str = ""
    source_hash: str = ""
    files: tuple[CannedFile, ...] = ()

    @property
    def hash(self) -> str:
        """Twelve hex digits that change with the text: what a translation remembers of its source."""
        return hashlib.sha256(f"{self.subject}\0{self.body}".encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class CannedResponse:
    """One entry: titles, group and keywords are for the agent who looks for it, the variants are for customers.

    A fragment is no answer but a piece that answers share, used as `{{ fragment.KEY }}`. `sets` name the shops whose
    mailboxes offer the response; without any, all do. `files` go with every variant.
    """

    key: str
    titles: Mapping[str, str]
    keywords: tuple[str, ...] = ()
    source: str = ""  # the tag of the variant that the others are translated from
    ask: tuple[AskField, ...] = ()
    variants: tuple[Variant, ...] = ()
    fragment: bool = False
    group: Mapping[str, str] = field(default_factory=dict)
    shortcut: str = ""
    sets: tuple[str, ...] = ()
    files: tuple[CannedFile, ...] = ()
    then: Then = Then()

    def title(self, language: str) -> str:
        """The title in the agent's language, else in English, else the key."""
        return _in_language(self.titles, language) or self.key

    def group_name(self, language: str) -> str:
        """The group in the agent's language, else in English; "" without one."""
        return _in_language(self.group, language)

    def variant(self, tag: str) -> Variant | None:
        """The variant with exactly this tag."""
        wanted = LocaleTag.parse(tag)
        return next((variant for variant in self.variants if variant.tag == wanted), None)

    def is_outdated(self, variant: Variant) -> bool:
        """Whether the source has changed since the variant was translated from it."""
        source = self.variant(self.source) if self.source else None
        return source is not None and variant.tag != source.tag and variant.source_hash != source.hash


@dataclass(frozen=True, slots=True)
class Entry:
    """A response as it is stored: the version for compare-and-swap, and how it is used.

    `uses` counts the replies that went out with it, `edited` those of them whose text the agent had changed.
    """

    response: CannedResponse
    version: int = 1
    uses: int = 0
    edited: int = 0


def choose(response: CannedResponse, language: str, region: str = "", register: str = "") -> Variant:
    """The variant for a customer: lang-REGION@register → lang@register → lang-REGION → lang → MissingValue.

    Never another language and never a silent default; the error names the variants that exist. `register` is "formal"
    or "" (informal): who is addressed formally gets the plain variant where no formal one is written (English has
    none), who is not never gets the formal one.
    """
    primary = canonical_language(language)
    existing = {
        (variant.tag.language, variant.tag.region, variant.tag.register): variant for variant in response.variants
    }
    order = [
        (primary, region.upper(), register),
        (primary, "", register),
        (primary, region.upper(), ""),
        (primary, "", ""),
    ]
    for tag in order:
        if tag in existing:
            return existing[tag]
    tags = tuple(str(variant.tag) for variant in response.variants)
    wanted = LocaleTag(primary, region.upper(), register)
    raise MissingValue(
        _("“{title}” has no variant for {tag}. There are: {tags}").format(
            title=response.title(current_language()), tag=wanted, tags=", ".join(tags) or "–"
        ),
        names=tags,
        hint=_("Write one in another language by hand, or add the variant."),
    )


def search(responses: Iterable[CannedResponse], query: str, fold: Any = str.casefold) -> list[CannedResponse]:
    """The responses whose key, shortcut, titles, group or keywords contain every word of the query.

    The one whose shortcut it is comes first, then those that start with it.
    """
    words = fold(query).split()
    found = []
    for response in responses:
        names = (response.key.replace("-", " "), *response.titles.values())
        haystack = fold(" ".join((*names, response.shortcut, *response.group.values(), *response.keywords)))
        if all(word in haystack for word in words):
            starts = any(fold(text).startswith(fold(query)) for text in (response.key, *names))
            rank = 0 if response.shortcut and fold(response.shortcut) == fold(query).strip() else 1 if starts else 2
            found.append((rank, response.key, response))
    return [response for *_rank, response in sorted(found, key=lambda item: item[:2])]


def is_offered(response: CannedResponse, canned_set: str) -> bool:
    """Whether an agent picks it for a mailbox of that set: fragments and automatic texts never, others by their sets.

    A mailbox without a set offers everything.
    """
    from supportdesk.desk.automatic_texts import is_automatic

    belongs = not response.sets or not canned_set or canned_set in response.sets
    return belongs and not response.fragment and not is_automatic(response.key)


def context(
    tag: LocaleTag,
    *,
    customer_name: str,
    customer_address: str,
    shop_name: str,
    shop_address: str,
    agent_name: str,
    ticket_number: int,
    ticket_subject: str,
    order_number: str,
    today: dt.date,
) -> dict[str, Any]:
    """The CONTEXT values of one reply in the variant's language and register; what is not known is left out."""
    from supportdesk.l10n.names import first_name, full_name, greeting, split_name

    given, family = split_name(customer_name, tag.language)
    values: dict[str, dict[str, Any]] = {
        "customer": {
            "greeting": greeting(customer_name, str(tag)),
            "name": full_name(given, family, tag.language),
            "first_name": first_name(customer_name, tag.language),
            "address": customer_address,
        },
        "shop": {"name": shop_name, "address": shop_address},
        "agent": {"name": agent_name, "first_name": first_name(agent_name, tag.language) or agent_name},
        "ticket": {"number": str(ticket_number), "subject": ticket_subject},
        "order": {"number": order_number},
    }
    known = {name: {key: value for key, value in group.items() if value} for name, group in values.items()}
    return {**known, "today": today}


def _in_language(texts: Mapping[str, str], language: str) -> str:
    return texts.get(canonical_language(language)) or texts.get("en") or next(iter(texts.values()), "")
