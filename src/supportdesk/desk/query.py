"""One query language for the filter line, saved views and the command line: text → `desk.model.Query`.

    is:open assignee:me tag:return,refund lang:de from:rossi "exact words" word -tag:spam (word OR subject:word)

Words stand side by side for *and*; `OR` (or `|`) binds weaker, `-` and `NOT` take one thing away, parentheses group.
`in:` and `sort:` hold for the whole query; `sort:relevance` is the usual order where it asks for no words. The keys
are in `desk.query_keys`; nothing here knows a database.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, cast

from supportdesk.desk.model import AllOf, AnyOf, Condition, Not, Numbered, Property, Query, Sort, View, Words
from supportdesk.desk.query_keys import KEY_ALIASES, KEYS, Key, Known, QueryError, Refused, nearest
from supportdesk.l10n.catalog import _
from supportdesk.textfold import QUERY_LIMIT, fold_query

__all__ = ["KEYS", "Known", "QueryError", "both", "read_query", "ticket_number"]

LONGEST: Final = 10_000
"""Characters of a query."""

MOST: Final = 100
"""Words and conditions of a query."""

DEEPEST: Final = 12
"""Parentheses inside each other."""


def read_query(text: str, known: Known | None = None, *, typing: bool = True) -> Query:
    """The query that `text` says. Raises QueryError, which points at the character that is wrong.

    `typing`: the last word is taken as the beginning of one, unless a space follows it.
    """
    if len(text) > LONGEST:
        raise QueryError(
            _("a query has at most {count} characters").format(count=LONGEST), LONGEST, len(text), unfinished=False
        )
    return _Reading(text, known or Known(), typing=typing).query()


def both(first: Query, second: Query) -> Query:
    """What meets both; the view and the order of the second go before those of the first."""
    parts: list[Condition] = []
    for one in (first, second):
        if isinstance(one.condition, AllOf):
            parts += one.condition.parts
        elif one.condition is not None:
            parts.append(one.condition)
    return Query(_together(parts), second.view or first.view, second.sort or first.sort)


def ticket_number(text: str) -> int | None:
    """The number of the ticket that a query consists of: `#12345`, `12345`."""
    match = _ONLY_NUMBER.fullmatch(text)
    return int(match[1]) if match is not None else None


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a query: kind ( | ) | or | and | not | key | phrase | word; `at` is where its value begins."""

    kind: str
    start: int
    end: int
    value: str = ""
    key: str = ""
    at: int = 0


def tokens(text: str) -> Iterable[Token]:
    """The pieces of a query, never an error: what they mean together is for the reader."""
    at, depth = 0, 0
    while (match := _TOKEN.match(text, at)) is not None:
        kind, start, end = str(match.lastgroup), match.start(), match.end()
        value, key, value_at = match[kind], "", start
        if kind == "key":
            key = match["name"]
            value, value_at = match["quoted"], match.start("quoted") + 1
            if value is None:
                value, value_at = match["bare"] or "", match.start("bare")
            else:
                value = value.strip('"')
        elif kind == "phrase":
            value = value.strip('"')
        if kind in ("key", "word") and depth and ")" in value and not match.groupdict().get("quoted"):
            value = value[: value.index(")")]
            end = value_at + len(value)
            if not value and kind == "word":
                kind, end = "close", start + 1
        if kind == "word":
            kind = _CONNECTIVES.get(value, kind)
        depth += {"open": 1, "close": -1 if depth else 0}.get(kind, 0)
        if kind != "space":
            yield Token(kind, start, end, value, key, value_at)
        at = end


_ONLY_NUMBER = re.compile(r"\s*#?(\d{1,9})\s*")
_NUMBER = re.compile(r"#?(\d{1,9})")
_CONNECTIVES: Final = {"OR": "or", "|": "or", "||": "or", "AND": "and", "&&": "and", "NOT": "not"}
_TOKEN = re.compile(
    r"""(?P<space>\s+)
    | (?P<open>\()
    | (?P<close>\)(?=[\s)]|$))
    | (?P<not>[-–](?=[^\s\-]))
    | (?P<key>(?P<name>[A-Za-z][A-Za-z_-]{0,30}):(?!//)(?:(?P<quoted>"[^"]*(?:"|$))|(?P<bare>[^\s"]*)))
    | (?P<phrase>"[^"]*(?:"|$))
    | (?P<word>[^\s"]+)""",
    re.VERBOSE,
)


class _Reading:
    """One pass over the tokens."""

    def __init__(self, text: str, known: Known, *, typing: bool) -> None:
        self.text, self.known, self.typing = text, known, typing
        self.tokens = list(tokens(text))
        self.at = 0
        self.depth = 0
        self.words = 0
        self.parts = 0
        self.empty = False  # something was looked for in which there is no letter
        self.view: View | str = ""
        self.sort: Sort | str = ""

    def query(self) -> Query:
        condition = self._any_of()
        if (token := self._next()) is not None:
            raise self._wrong(_("no parenthesis was opened before this one"), token)
        if condition is None and self.empty:
            condition = Words(())
        return Query(condition, cast("View", self.view), cast("Sort", self.sort))

    # ---- the grammar

    def _any_of(self) -> Condition | None:
        found = [self._all_of()]
        while (token := self._next()) is not None and token.kind == "or":
            if found[-1] is None:
                raise self._wrong(_("nothing stands before {word}").format(word=token.value), token)
            self.at += 1
            part = self._all_of()
            if part is None:
                after = self._next()
                if after is None:
                    raise self._wrong(_("nothing follows {word}").format(word=token.value), token, unfinished=True)
                raise self._wrong(_("nothing follows {word}").format(word=token.value), token)
            found.append(part)
        parts = tuple(part for part in found if part is not None)
        return AnyOf(parts) if len(parts) > 1 else parts[0] if parts else None

    def _all_of(self) -> Condition | None:
        found: list[Condition] = []
        while (token := self._next()) is not None and token.kind not in ("or", "close"):
            self.at += 1
            if token.kind != "and" and (part := self._one(token, negated=False)) is not None:
                found.append(part)
        return _together(found)

    def _one(self, token: Token, *, negated: bool) -> Condition | None:
        self.parts += 1
        self._count(token)
        match token.kind:
            case "not":
                return self._negated(token)
            case "open":
                return self._group(token)
            case "key":
                return self._keyed(token, negated=negated)
        return self._plain(token)

    def _negated(self, token: Token) -> Condition | None:
        after = self._next()
        if after is None or after.kind in ("or", "and", "close"):
            unfinished = after is None
            raise self._wrong(_("nothing follows {word}").format(word=token.value), token, unfinished=unfinished)
        self.at += 1
        self._deeper(token)
        part = self._one(after, negated=True)
        self.depth -= 1
        return Not(part) if part is not None else None

    def _group(self, token: Token) -> Condition | None:
        self._deeper(token)
        part = self._any_of()
        closing = self._next()
        if closing is None:
            raise self._wrong(_("this parenthesis is not closed"), token, unfinished=True)
        self.at += 1
        self.depth -= 1
        return part

    def _count(self, token: Token) -> None:
        if self.parts > MOST:
            raise self._wrong(_("a query has at most {count} words and conditions").format(count=MOST), token)

    def _deeper(self, token: Token) -> None:
        self.depth += 1
        if self.depth > DEEPEST:
            raise self._wrong(_("too many parentheses inside each other"), token)

    def _plain(self, token: Token) -> Condition | None:
        at_end = token.end == len(self.text)
        if token.kind == "phrase":
            terms = fold_query(f'"{token.value}"', typing=False)
        else:
            terms = fold_query(token.value, typing=self.typing and at_end)
        self.words += sum(len(term.tokens) for term in terms)
        if self.words > QUERY_LIMIT:
            raise self._wrong(_("a query has at most {count} words").format(count=QUERY_LIMIT), token)
        if not terms:
            self.empty = True
            return None
        words = Words(tuple(terms))
        number = _NUMBER.fullmatch(token.value)
        if token.kind == "word" and number is not None and (token.value[0] == "#" or len(self.tokens) == 1):
            return AnyOf((Numbered(int(number[1])), words))
        return words

    def _keyed(self, token: Token, *, negated: bool) -> Condition | None:
        key = self._key(token)
        if key is None:  # `Re: …`, pasted: words
            return self._plain(Token("word", token.start, token.end, token.key))
        if not token.value:
            hint = key.example or ", ".join(value for value, _meaning in key.values(self.known)[:6])
            at_end = token.end == len(self.text)
            message = _("a value is missing after {key}").format(key=f"{token.key}:")
            raise QueryError(message, token.end, token.end, hint=hint, unfinished=at_end)
        quoted = self.text[token.at - 1] == '"'
        values, at = ([token.value] if quoted or not key.listed else token.value.split(",")), token.at
        found: list[Condition] = []
        self.parts += len(values) - 1
        self._count(token)
        for value in values:
            found.append(self._value(key, value, at))
            at += len(value) + 1
        if key.name in ("in", "sort"):
            self._whole(key, token, found[0], negated=negated)
            return None
        return AnyOf(tuple(found)) if len(found) > 1 else found[0]

    def _key(self, token: Token) -> Key | None:
        name = token.key.casefold().replace("-", "_")
        name = KEY_ALIASES.get(name, name)
        if (key := KEYS.get(name)) is not None:
            return key
        if not token.value:
            return None
        near = nearest(name, [*KEYS, *KEY_ALIASES])
        suggestion = f"{near}:" if near else ""
        raise QueryError(
            _("there is no key {key}").format(key=f"{token.key}:"),
            token.start,
            token.start + len(token.key) + 1,
            hint=_("did you mean {suggestion}?").format(suggestion=suggestion)
            if near
            else _("words with a colon belong in quotes"),
            suggestion=suggestion,
        )

    def _value(self, key: Key, value: str, at: int) -> Condition:
        try:
            return key.read(value, self.known)
        except Refused as refused:
            offered = [name for name, _meaning in key.values(self.known)]
            near = nearest(value, [name.casefold() for name in offered]) if value[:1].isalpha() else ""
            at_end = at + len(value) == len(self.text)
            raise QueryError(
                refused.message,
                at,
                at + len(value),
                hint=_("did you mean {suggestion}?").format(suggestion=near) if near else refused.hint,
                suggestion=near,
                unfinished=at_end and (_is_begun(value, offered) or value.lstrip("<>=-").isdigit()),
            ) from None

    def _whole(self, key: Key, token: Token, found: Condition, *, negated: bool) -> None:
        """`in:` and `sort:` say something about the query, not about a ticket."""
        assert isinstance(found, Property)
        if negated or self.depth:
            message = _("{key} holds for the whole query: it cannot be negated or grouped")
            raise self._wrong(message.format(key=f"{key.name}:"), token)
        if key.name == "in":
            self.view = str(found.value)
        else:
            self.sort = str(found.value)

    def _next(self) -> Token | None:
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def _wrong(self, message: str, token: Token, *, unfinished: bool = False) -> QueryError:
        return QueryError(message, token.start, token.end, unfinished=unfinished)


def _is_begun(value: str, offered: Iterable[str]) -> bool:
    return any(name.casefold().startswith(value.casefold()) for name in offered)


def _together(found: list[Condition]) -> Condition | None:
    """All of them; the plain words are one condition, because one message must hold them."""
    words = [part for part in found if isinstance(part, Words) and not part.field]
    if len(words) > 1:
        terms = tuple(dict.fromkeys(term for part in words for term in part.terms))
        found = [Words(terms), *(part for part in found if part not in words)]
    return AllOf(tuple(found)) if len(found) > 1 else found[0] if found else None
