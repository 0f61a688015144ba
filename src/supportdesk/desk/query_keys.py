"""The keys of the query language: what each means, what may follow its colon, and the condition that it becomes.

Pure: who and what the values may name comes in as `Known`. How keys, words and parentheses make a query is in
`desk.query`; what a condition means in SQL is in the store.
"""

from __future__ import annotations

import re
import unicodedata
from calendar import monthrange
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from difflib import get_close_matches
from typing import Final, Literal, cast

from supportdesk.desk import labels
from supportdesk.desk.model import (
    PRIORITIES,
    SORTS,
    STATUSES,
    VIEWS,
    Agent,
    Condition,
    Mailbox,
    Not,
    Property,
    Words,
)
from supportdesk.errors import UsageError
from supportdesk.l10n.catalog import N_, _
from supportdesk.textfold import fold_query


@dataclass(frozen=True, slots=True)
class Known:
    """What the values of a query may name on this desk, and the moment and zone that its days are counted from."""

    now: datetime = datetime(2000, 1, 1, tzinfo=UTC)
    zone: tzinfo = UTC
    agents: tuple[Agent, ...] = ()
    mailboxes: tuple[Mailbox, ...] = ()
    tags: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()


class QueryError(UsageError):
    """A query that cannot be read: `position` and `end` are the characters that it is about.

    `unfinished`: it may become right as it is typed on.
    """

    def __init__(
        self, message: str, position: int, end: int, *, hint: str = "", suggestion: str = "", unfinished: bool = False
    ) -> None:
        super().__init__(message, hint=hint)
        self.position = position
        self.end = end
        self.suggestion = suggestion  # what should stand there instead
        self.unfinished = unfinished

    @property
    def said(self) -> str:
        """What is wrong and what would be right, on one line."""
        return f"{self.message} ({self.hint})" if self.hint else self.message


class Refused(Exception):
    """A value that its key cannot take, before it is known where it stands."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


Meanings = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Key:
    """`meaning` is a msgid. `values` are (value, what it means) that can be listed; `read` takes others too."""

    name: str
    meaning: str
    read: Callable[[str, Known], Condition]
    values: Callable[[Known], Meanings] = lambda _known: ()
    example: str = ""
    listed: bool = False  # whether several values with commas mean any of them
    named: bool = False  # whether the meanings are names, by which a value is found too


IS: Final = {
    "open": N_("not solved, closed or spam"),
    "unanswered": N_("its customer waits for us"),
    "unread": N_("you have not read its newest message"),
    "overdue": N_("its deadline has passed"),
    "snoozed": N_("it sleeps"),
    "unassigned": N_("nobody owns it"),
    "notification": N_("a machine wrote it"),
    "new": N_("nobody has touched it"),
    "pending": N_("the customer moves next"),
    "on_hold": N_("a third party moves next"),
    "solved": N_("solved or closed"),
    "closed": N_("closed"),
    "spam": N_("spam"),
}
HAS: Final = {
    "attachment": N_("a message has an attachment"),
    "note": N_("colleagues have written a note"),
    "draft": N_("somebody is writing a reply"),
    "tag": N_("it has a tag"),
    "order": N_("an order number is known"),
}
SORT: Final = {
    "due": N_("what is due next first"),
    "newest": N_("newest first"),
    "oldest": N_("oldest first"),
    "waiting": N_("who waits longest first"),
    "relevance": N_("the best match of the words first"),
}
ALIASES: Final = {
    "hold": "on_hold", "attachments": "attachment", "notes": "note", "drafts": "draft", "tags": "tag", "mine": "me",
}  # fmt: skip
KEY_ALIASES: Final = {
    "owner": "assignee", "language": "lang", "label": "tag", "since": "after", "until": "before", "view": "in",
    "order_by": "sort",
}  # fmt: skip
NOBODY: Final = ("none", "nobody", "-")
DAYS: Final = {"today": 0, "oggi": 0, "yesterday": -1, "ieri": -1}
FIRST_YEAR, LAST_YEAR = 1970, 2200
LONGEST: Final = timedelta(days=36_500)

_SPAN = re.compile(r"(\d{1,6})(min|mo|m|h|d|g|w)")
_UNITS: Final = {
    "m": timedelta(minutes=1), "min": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1),
    "g": timedelta(days=1), "w": timedelta(weeks=1), "mo": timedelta(days=30),
}  # fmt: skip
_COMPARED = re.compile(r"(<=|>=|<|>|=)?(.*)", re.DOTALL)
_ISO = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?")
_DAY_FIRST = re.compile(r"(\d{1,2})[./](\d{1,2})[./](\d{4})")
_LANGUAGE = re.compile(r"([A-Za-z]{2,3})(?:[-_]([A-Za-z]{2}|[0-9]{3}))?")

Comparison = Literal["=", "<", "<=", ">", ">="]


def read_span(text: str) -> timedelta:
    """`4h`, `90m`, `3d`, `1d12h`, `2w`. Raises Refused."""
    pieces = _SPAN.findall(text.lower())
    if not pieces or "".join(number + unit for number, unit in pieces) != text.lower():
        raise Refused(_("{text} is no span of time").format(text=text), "4h, 90m, 3d, 1d12h, 2w")
    span = sum((_UNITS[unit] * int(number) for number, unit in pieces), timedelta())
    return min(span, LONGEST)


def read_day(text: str, known: Known) -> datetime:
    """Where a day, month or year begins in the desk's zone; a span is so long before now. Raises Refused."""
    word = text.casefold()
    if word in DAYS:
        return _midnight(known.now.astimezone(known.zone).date() + timedelta(days=DAYS[word]), known)
    if (iso := _ISO.fullmatch(text)) is not None:
        year, month, day = int(iso[1]), int(iso[2] or 1), int(iso[3] or 1)
    elif (written := _DAY_FIRST.fullmatch(text)) is not None:
        day, month, year = int(written[1]), int(written[2]), int(written[3])
    elif _SPAN.match(word):
        return known.now - read_span(text)
    else:
        raise Refused(_("{text} is no date").format(text=text), "2026-11-01, 2026-11, today, 3d")
    if FIRST_YEAR <= year <= LAST_YEAR and 1 <= month <= 12 and 1 <= day <= monthrange(year, month)[1]:
        return _midnight(date(year, month, day), known)
    raise Refused(_("there is no day {text}").format(text=text), "2026-11-01, 2026-11, today, 3d")


def nearest(word: str, words: Sequence[str]) -> str:
    """The one of `words` that was probably meant, or ""."""
    close = get_close_matches(word.casefold(), words, n=1, cutoff=0.6)
    return close[0] if close else ""


def _midnight(day: date, known: Known) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=known.zone).astimezone(UTC)


def _chosen(value: str, table: Collection[str]) -> str:
    """One of the words of a table, however it is spelled."""
    name = value.casefold().replace("-", "_")
    name = name if name in table else ALIASES.get(name, name)
    if name not in table:
        raise Refused(_("{value} is not one of them").format(value=value), ", ".join(table))
    return name


def _read_is(value: str, _known: Known) -> Condition:
    if value.casefold() in ("mine", "me"):
        return Property("assignee", "me")
    if value.casefold() == "read":
        return Not(Property("is", "unread"))
    name = _chosen(value, IS)
    return Property("assignee", "none") if name == "unassigned" else Property("is", name)


def _read_assignee(value: str, known: Known) -> Condition:
    word = value.casefold().lstrip("@")
    if word in ("me", "mine"):
        return Property("assignee", "me")
    if word in NOBODY:
        return Property("assignee", "none")
    if word == "any":
        return Not(Property("assignee", "none"))
    for agent in known.agents:
        if word in (agent.login.casefold(), agent.name.casefold()):
            return Property("assignee", agent.id)
    raise Refused(_("there is no agent {value}").format(value=value), _("a login, me or none"))


def _read_tag(value: str, _known: Known) -> Condition:
    tag = unicodedata.normalize("NFC", value).lstrip("#").casefold()
    if tag == "none":
        return Not(Property("has", "tag"))
    if not tag:
        raise Refused(_("a tag is missing"))
    return Property("tag", tag)


def _read_language(value: str, _known: Known) -> Condition:
    if value.casefold() in (*NOBODY, "unknown", "?"):
        return Property("lang", "")
    match = _LANGUAGE.fullmatch(value)
    if match is None:
        raise Refused(_("{value} is no language tag").format(value=value), "it, de, fr-CH")
    return Property("lang", match[1].lower() + (f"-{match[2].upper()}" if match[2] else ""))


def _read_mailbox(value: str, known: Known) -> Condition:
    word = value.casefold()
    for mailbox in known.mailboxes:
        names = (str(mailbox.id), *mailbox.addresses, mailbox.name.casefold(), mailbox.shop_name.casefold())
        if word in names or word == mailbox.address.casefold().partition("@")[0]:
            return Property("mailbox", mailbox.id)
    raise Refused(_("there is no mailbox {name}").format(name=value), ", ".join(one.address for one in known.mailboxes))


def _words(value: str, field: Literal["subject", "from"]) -> Words:
    words = Words(tuple(fold_query(f'"{value}"' if " " in value else value, typing=False)), field)
    if not words.terms:
        raise Refused(_("a word is missing"))
    return words


def _read_customer(value: str, _known: Known) -> Condition:
    return Property("customer", _words(value, "from").terms)


def _read_before(value: str, known: Known) -> Condition:
    return Property("created", read_day(value, known), "<")


def _read_after(value: str, known: Known) -> Condition:
    return Property("created", read_day(value, known), ">=")


def _compared(value: str, default: Comparison) -> tuple[Comparison, str]:
    match = _COMPARED.fullmatch(value)
    assert match is not None
    sign = match[1] if match[1] not in (None, "=") else default
    return cast("Comparison", sign), match[2]


def _read_waiting(value: str, _known: Known) -> Condition:
    sign, span = _compared(value, ">")
    return Property("waiting", read_span(span), sign)


def _read_due(value: str, known: Known) -> Condition:
    word = value.casefold()
    if word in ("none", "any"):
        found = Property("has", "deadline")
        return Not(found) if word == "none" else found
    if word in ("today", "oggi"):
        return Property("due", _midnight(known.now.astimezone(known.zone).date() + timedelta(days=1), known), "<")
    sign, span = _compared(value, "<")
    back = span.startswith("-")
    return Property("due", read_span(span.removeprefix("-")) * (-1 if back else 1), sign)


def _read_order(value: str, _known: Known) -> Condition:
    return Property("order", value.lstrip("#"))


def _agents(known: Known) -> Meanings:
    some = [(agent.login, agent.name) for agent in known.agents if agent.state != "disabled"]
    return [("me", _("you")), ("none", _("nobody")), *some]


def _mailboxes(known: Known) -> Meanings:
    return [(mailbox.address, mailbox.shop_name or mailbox.name) for mailbox in known.mailboxes]


def _days(known: Known) -> Meanings:
    today = known.now.astimezone(known.zone).date()
    return [
        ("today", today.isoformat()), ("yesterday", (today - timedelta(days=1)).isoformat()),
        ("7d", (today - timedelta(days=7)).isoformat()), (today.replace(day=1).isoformat(), _("this month")),
        (today.replace(month=1, day=1).isoformat(), _("this year")),
    ]  # fmt: skip


def _of(table: Mapping[str, str]) -> Callable[[Known], Meanings]:
    return lambda _known: [(name, _(meaning)) for name, meaning in table.items()]


_SPANS: Final = {">4h": N_("more than four hours"), ">1d": N_("more than a day"), "<1h": N_("less than an hour")}
_DUES: Final = {
    "<2h": N_("within two hours"), "today": N_("until tonight"), "<0h": N_("its deadline has passed"),
    "none": N_("it has no deadline"),
}  # fmt: skip
_VIEW_MEANINGS: Final[dict[str, str]] = {name: labels.VIEW[name] for name in VIEWS}

KEYS: Final[dict[str, Key]] = {
    key.name: key
    for key in (
        Key("is", N_("what state it is in"), _read_is, _of(IS), listed=True),
        Key("assignee", N_("who owns it"), _read_assignee, _agents, listed=True, named=True),
        Key("tag", N_("its tags"), _read_tag, lambda known: [(tag, "") for tag in known.tags], listed=True),
        Key("lang", N_("its language"), _read_language, lambda known: [(tag, "") for tag in known.languages],
            "de", listed=True),
        Key("from", N_("who wrote a message: name or address"), lambda value, _known: _words(value, "from"),
            example="rossi@example.it"),
        Key("customer", N_("whose ticket it is: name or address"), _read_customer, example="rossi"),
        Key("subject", N_("words of a subject"), lambda value, _known: _words(value, "subject"), example="reso"),
        Key("waiting", N_("how long its customer waits"), _read_waiting, _of(_SPANS), ">4h"),
        Key("due", N_("how soon it is due"), _read_due, _of(_DUES), "<2h"),
        Key("before", N_("it came before that day"), _read_before, _days, "2026-11-01"),
        Key("after", N_("it came on that day or later"), _read_after, _days, "2026-11-01"),
        Key("has", N_("what it has"), lambda value, _known: Property("has", _chosen(value, HAS)), _of(HAS),
            listed=True),
        Key("order", N_("its order number"), _read_order, example="5521", listed=True),
        Key("status", N_("exactly that status"), lambda value, _known: Property("status", _chosen(value, STATUSES)),
            _of(labels.STATUS), listed=True),
        Key("priority", N_("its priority"), lambda value, _known: Property("priority", _chosen(value, PRIORITIES)),
            _of(labels.PRIORITY), listed=True),
        Key("mailbox", N_("the mailbox that it came to"), _read_mailbox, _mailboxes, listed=True, named=True),
        Key("in", N_("of which view"), lambda value, _known: Property("in", _chosen(value, VIEWS)),
            _of(_VIEW_MEANINGS)),
        Key("sort", N_("in which order"), lambda value, _known: Property("sort", _chosen(value, SORTS)), _of(SORT)),
    )
}  # fmt: skip
"""Every key, in the order in which completion offers them."""
