"""Canned responses: one answer, written once for every language and form of address that the shop serves.

Here are the values, the choice of the variant and what the agent fills in. The text becomes a reply in
`desk.templates`, its checks are in `desk.canned_lint`, the folder of Markdown files in `desk.canned_folder`. No I/O.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from supportdesk.errors import MissingValue, UsageError
from supportdesk.l10n.catalog import _, current_language
from supportdesk.l10n.tags import LocaleTag, canonical_language

if TYPE_CHECKING:
    import datetime as dt

AskType = Literal["text", "money", "date", "number"]
ASK_TYPES: Final[tuple[AskType, ...]] = ("text", "money", "date", "number")
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
class AskField:
    """A value that the agent fills in before sending, used as `{{ ask.NAME }}`.

    `labels` by UI language; `prefill` is a CONTEXT value (`order.number`) or "". Typed by the rules of the agent's
    locale, shown by those of the customer's.
    """

    name: str
    type: AskType = "text"
    labels: Mapping[str, str] = field(default_factory=dict)
    prefill: str = ""

    def label(self, language: str) -> str:
        """The label in the agent's language, else in English, else the name."""
        return _in_language(self.labels, language) or self.name.replace("_", " ")


@dataclass(frozen=True, slots=True)
class Variant:
    """The text in one language and register. `source_hash`: the source variant's hash when this one was translated."""

    tag: LocaleTag
    body: str
    subject: str = ""
    source_hash: str = ""

    @property
    def hash(self) -> str:
        """Twelve hex digits that change with the text: what a translation remembers of its source."""
        return hashlib.sha256(f"{self.subject}\0{self.body}".encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class CannedResponse:
    """One entry: titles and keywords are for the agent who looks for it, the variants are for customers."""

    key: str
    titles: Mapping[str, str]
    keywords: tuple[str, ...] = ()
    source: str = ""  # the tag of the variant that the others are translated from
    ask: tuple[AskField, ...] = ()
    variants: tuple[Variant, ...] = ()

    def title(self, language: str) -> str:
        """The title in the agent's language, else in English, else the key."""
        return _in_language(self.titles, language) or self.key

    def variant(self, tag: str) -> Variant | None:
        """The variant with exactly this tag."""
        wanted = LocaleTag.parse(tag)
        return next((variant for variant in self.variants if variant.tag == wanted), None)


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
    """The responses whose key, titles or keywords contain every word of the query; those that start with it first."""
    words = fold(query).split()
    found = []
    for response in responses:
        haystack = fold(" ".join((response.key.replace("-", " "), *response.titles.values(), *response.keywords)))
        if all(word in haystack for word in words):
            starts = any(fold(text).startswith(fold(query)) for text in (response.key, *response.titles.values()))
            found.append((not starts, response.key, response))
    return [response for *_rank, response in sorted(found, key=lambda item: item[:2])]


def fields(response: CannedResponse, variant: Variant | None = None) -> tuple[AskField, ...]:
    """What the agent is asked for: every field of the response, or only those that this variant uses."""
    if variant is None:
        return response.ask
    from supportdesk.desk.templates import placeholders

    used = placeholders(variant)
    return tuple(item for item in response.ask if f"ask.{item.name}" in used)


def prefill(response: CannedResponse, values: Mapping[str, Any]) -> dict[str, str]:
    """What the fields start with, from the values of the ticket: {"order_number": "4711"}; only what is known."""
    found = {item.name: _look_up(values, item.prefill) for item in response.ask if item.prefill}
    return {name: str(value) for name, value in found.items() if value not in (None, "")}


def read_answers(
    response: CannedResponse, typed: Mapping[str, str], agent_locale: str, *, currency: str, today: dt.date
) -> dict[str, Any]:
    """What the agent typed as values for `{"ask": …}`: text, Money, date, Decimal. Empty fields are left out.

    An amount without a currency is in `currency`. UsageError names the field that cannot be read, and why.
    """
    from supportdesk.l10n.inputs import read_date, read_money, read_number

    answers: dict[str, Any] = {}
    for item in response.ask:
        text = typed.get(item.name, "").strip()
        if not text:
            continue
        try:
            match item.type:
                case "money":
                    answers[item.name] = read_money(text, agent_locale, currency)
                case "date":
                    answers[item.name] = read_date(text, agent_locale, today)
                case "number":
                    answers[item.name] = read_number(text, agent_locale)
                case "text":
                    answers[item.name] = text
        except ValueError as error:
            raise UsageError(f"{item.label(agent_locale)}: {error}") from error
    return answers


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


def response_meta(response: CannedResponse) -> dict[str, Any]:
    """Everything of a response but its key and variants, as plain values for a JSON column or a TOML file."""
    meta: dict[str, Any] = {"title": dict(response.titles), "keywords": list(response.keywords)}
    if response.source:
        meta["source"] = response.source
    if response.ask:
        meta["ask"] = {
            item.name: {
                "type": item.type,
                **({"prefill": item.prefill} if item.prefill else {}),
                "label": dict(item.labels),
            }
            for item in response.ask
        }
    return meta


def variant_meta(variant: Variant) -> dict[str, str]:
    """The front matter of a variant, as plain values."""
    meta = {"subject": variant.subject, "source_hash": variant.source_hash}
    return {key: value for key, value in meta.items() if value}


def build_response(
    key: str, meta: Mapping[str, Any], variants: Iterable[tuple[str, Mapping[str, Any], str]]
) -> CannedResponse:
    """A response from what `response_meta` and `variant_meta` made; (tag, meta, body) for each variant.

    ValueError names the key that is unknown or has the wrong type; the caller adds file and line.
    """
    if not KEY.fullmatch(key):
        raise ValueError(_("“{key}” is not a key: lower-case words joined by hyphens").format(key=key))
    _known_keys(meta, {"title", "keywords", "source", "ask"})
    source = _text(meta, "source")
    return CannedResponse(
        key=key,
        titles=_texts(meta, "title"),
        keywords=_keywords(meta),
        source=str(LocaleTag.parse(source)) if source else "",
        ask=tuple(_ask_field(name, value) for name, value in _table(meta, "ask").items()),
        variants=tuple(sorted((build_variant(*item) for item in variants), key=lambda variant: str(variant.tag))),
    )


def build_variant(tag: str, meta: Mapping[str, Any], body: str) -> Variant:
    """A variant from its tag, front matter and text; ValueError as for `build_response`."""
    _known_keys(meta, {"subject", "source_hash"})
    return Variant(LocaleTag.parse(tag), body, _text(meta, "subject"), _text(meta, "source_hash"))


def _ask_field(name: str, meta: Any) -> AskField:
    if not NAME.fullmatch(name) or not isinstance(meta, Mapping):
        raise ValueError(_("ask.{name} is not a field: a table with type, label and prefill").format(name=name))
    _known_keys(meta, {"type", "label", "prefill"})
    kind, known = _text(meta, "type") or "text", _text(meta, "prefill")
    if kind not in ASK_TYPES:
        raise ValueError(
            _("ask.{name}: unknown type “{kind}” ({known})").format(name=name, kind=kind, known=", ".join(ASK_TYPES))
        )
    if known and known not in CONTEXT:
        raise ValueError(_("ask.{name}: unknown value “{value}” to prefill it with").format(name=name, value=known))
    return AskField(name, kind, _texts(meta, "label"), known)


class _Malformed(ValueError):
    """A value of the wrong kind in a file or a JSON column."""


def _known_keys(meta: Mapping[str, Any], known: set[str]) -> None:
    for key in meta:
        if key not in known:
            raise ValueError(
                _("unknown key “{key}” (there are: {known})").format(key=key, known=", ".join(sorted(known)))
            )


def _text(meta: Mapping[str, Any], key: str) -> str:
    value = meta.get(key, "")
    if not isinstance(value, str):
        raise _Malformed(_("“{key}” must be a text").format(key=key))
    return value


def _table(meta: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = meta.get(key, {})
    if not isinstance(value, Mapping):
        raise _Malformed(_("“{key}” must be a table").format(key=key))
    return value


def _texts(meta: Mapping[str, Any], key: str) -> dict[str, str]:
    table = _table(meta, key)
    return {language: _text(table, language) for language in table}


def _keywords(meta: Mapping[str, Any]) -> tuple[str, ...]:
    words = meta.get("keywords", [])
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise ValueError(_("“{key}” must be a list of texts").format(key="keywords"))
    return tuple(words)


def _in_language(texts: Mapping[str, str], language: str) -> str:
    return texts.get(canonical_language(language)) or texts.get("en") or next(iter(texts.values()), "")


def _look_up(values: Mapping[str, Any], path: str) -> Any:
    found: Any = values
    for part in path.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found
