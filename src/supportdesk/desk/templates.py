"""Canned texts become replies: Liquid over plain values, strict, sandboxed, in one pass.

A template sees mappings, lists, texts and numbers, never an object or a method; there is no tag that loads another
template and no filter that multiplies text. A value is text: `{{ … }}` inside it is not expanded. What is not known
stops the reply and is named, unless the text says `| default: "…"` or asks with `{% if … %}`.

Filters: money, date, time, number, percent, unit, list, plural, name, default, upcase, downcase, capitalize, strip.
Tags: if, unless, case, for, assign, comment.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, cast
from zoneinfo import ZoneInfo

from supportdesk.desk.canned import Choice
from supportdesk.errors import MissingValue, UsageError
from supportdesk.l10n import format as cldr
from supportdesk.l10n.catalog import _
from supportdesk.l10n.format import Money
from supportdesk.l10n.names import full_name, split_name

if TYPE_CHECKING:
    from liquid import BoundTemplate, Environment

    from supportdesk.desk.canned import Variant

LONGEST_TEMPLATE: Final = 20_000  # characters
LONGEST_OUTPUT: Final = 64_000  # octets
MOST_ITERATIONS: Final = 500
LARGEST_NAMESPACE: Final = 20_000  # octets of assigned values
DEEPEST_NESTING: Final = 10
_MOST_NAMED: Final = 50


@dataclass(frozen=True, slots=True)
class Rendered:
    """A reply's text; `used` are the values it was made of (`customer.greeting`), `asked` the names of ask fields."""

    text: str
    subject: str
    used: tuple[str, ...]
    asked: tuple[str, ...]


def render(
    variant: Variant,
    values: Mapping[str, Any],
    locale: str,
    zone: ZoneInfo,
    *,
    stand_in: Callable[[str], str] | None = None,
) -> Rendered:
    """The variant with its values, formatted for the customer's locale and zone.

    `values` holds `canned.context(…)` and `{"ask": canned_ask.read_answers(…)}`: mappings, lists, texts, numbers,
    dates, aware times, Money, Choice. MissingValue names all that is missing; with `stand_in` its words for the name
    stand there instead, for a preview. UsageError says what is wrong with the template.
    """
    environment = _environment(locale, zone)
    used = placeholders(variant)
    groups = {name.partition(".")[0] for name in used if "." in name}  # an empty group lets a path be named whole
    plain = {group: {} for group in groups} | _plain(values, locale, zone)
    sources = (variant.body, variant.subject)
    missing = list(dict.fromkeys(name for source in sources for name in _missing(_parse(environment, source), plain)))
    if missing and stand_in is None:
        raise missing_values(missing)
    for name in missing:
        _stand_in(plain, name, _StandIn(stand_in(name) if stand_in is not None else ""))
    text, subject = (_run(_parse(environment, source), plain) for source in sources)
    asked = tuple(name.removeprefix("ask.") for name in used if name.startswith("ask."))
    return Rendered(_tidy(text), " ".join(subject.split()), used, asked)


def missing_values(names: Sequence[str]) -> MissingValue:
    """What stops a reply whose text needs values that nobody gave."""
    unique = tuple(dict.fromkeys(names))
    return MissingValue(
        _("The text needs a value for {names}").format(names=", ".join(unique)),
        names=unique,
        hint=_("Fill it in, or take the sentence out."),
    )


def placeholders(variant: Variant) -> tuple[str, ...]:
    """Every value that a variant uses, by its path (`ask.tracking_number`), sorted. UsageError: a broken template."""
    environment = _environment("en", ZoneInfo("UTC"))
    found: set[str] = set()
    for source in (variant.body, variant.subject):
        analysis = _parse(environment, source).analyze(include_partials=False)
        for variables in analysis.globals.values():
            found |= {".".join(str(segment) for segment in variable.segments) for variable in variables}
    return tuple(sorted(found))


def plural_forms(source: str) -> tuple[frozenset[str], ...]:
    """The plural categories that each `| plural:` of a template offers."""
    without_comments = re.sub(r"\{%-?\s*comment\b.*?endcomment\s*-?%\}", "", source, flags=re.DOTALL)
    return tuple(
        frozenset(re.findall(r"(\w+)\s*:", re.sub(r"\"[^\"]*\"|'[^']*'", "", arguments)))
        for arguments in re.findall(r"\|\s*plural\s*:((?:\"[^\"]*\"|'[^']*'|[^|}\"'])*)", without_comments)
    )


class _Shown(str):
    """A value already formatted for the customer, with the value itself for the filters. To Liquid it is text."""

    __slots__ = ("raw",)
    raw: Any

    def __new__(cls, text: str, raw: Any) -> _Shown:
        shown = super().__new__(cls, text)
        shown.raw = raw
        return shown


class _Number(Decimal):
    """A number that compares like one and is shown as the customer writes it."""

    __slots__ = ("text",)
    text: str

    def __str__(self) -> str:
        return self.text


class _Chosen(str):
    """The customer's words for a choice, which a text compares by its key."""

    __slots__ = ("key",)
    key: str

    def __new__(cls, text: str, key: str) -> _Chosen:
        chosen = super().__new__(cls, text)
        chosen.key = key
        return chosen

    def __eq__(self, other: object) -> bool:
        return self.key == other

    def __hash__(self) -> int:
        return hash(self.key)


class _StandIn(_Shown):
    """Words in the place of a value that is not known; filters leave them as they are."""

    __slots__ = ()

    def __new__(cls, text: str) -> _StandIn:
        return cast("_StandIn", super().__new__(cls, text, None))


_STAND_IN: Final = _StandIn("…")


def _plain(value: Any, locale: str, zone: ZoneInfo) -> Any:
    """Plain values only: unknown ones (None, "") are left out so that they count as missing; objects are refused."""
    match value:
        case str() | bool() | None:
            return value
        case Money():
            return _Shown(cldr.money(value, locale), value)
        case Choice():
            return _Chosen(value.text(locale), value.key)
        case dt.datetime():
            return _Shown(cldr.date_time(value, locale, zone), value)
        case dt.date():
            return _Shown(cldr.date(value, locale), value)
        case int() | Decimal() | float():
            number = _Number(value)
            if not number.is_finite():
                raise TypeError("a template takes finite numbers")
            number.text = cldr.number(value, locale)
            return number
        case Mapping():
            items = ((str(key), _plain(item, locale, zone)) for key, item in value.items())
            return {key: item for key, item in items if item is not None and item != ""}
        case list() | tuple():
            return [_plain(item, locale, zone) for item in value]
    raise TypeError(f"a template takes plain values, not {type(value).__name__}")


def _missing(template: BoundTemplate, values: dict[str, Any]) -> list[str]:
    """Every value that rendering would miss: each is stood in for, until nothing is missing any more."""
    from liquid.exceptions import UndefinedError

    names: list[str] = []
    standing_in = _copy(values)
    while len(names) < _MOST_NAMED:
        try:
            _run(template, standing_in)
        except UndefinedError as error:
            name = str(error.message).removesuffix(" is undefined").replace("'", "")
            if name in names or not _stand_in(standing_in, name, _STAND_IN):
                return [*names, name] if name not in names else names
            names.append(name)
        except UsageError:  # a comparison with what stands in: the names so far are what there is to say
            if names:
                break
            raise
        else:
            break
    return names


def _stand_in(values: dict[str, Any], name: str, words: _StandIn) -> bool:
    *parents, last = name.split(".")
    for parent in parents:
        values = values.setdefault(parent, {})
        if not isinstance(values, dict):
            return False
    values[last] = words
    return True


def _copy(value: Any) -> Any:
    return {key: _copy(item) for key, item in value.items()} if isinstance(value, dict) else value


def _run(template: BoundTemplate, values: dict[str, Any]) -> str:
    from liquid.exceptions import LiquidError, UndefinedError

    try:
        return template.render(**values)
    except UndefinedError:
        raise
    except LiquidError as error:
        raise UsageError(_("The template cannot be used: {reason}").format(reason=error.message)) from error


@lru_cache(maxsize=256)
def _parse(environment: Environment, source: str) -> BoundTemplate:
    from liquid.exceptions import LiquidError

    if len(source) > LONGEST_TEMPLATE:
        raise UsageError(_("The template is longer than {limit} characters").format(limit=LONGEST_TEMPLATE))
    for opening, closing in (("{{", "}}"), ("{%", "%}")):
        if source.rfind(opening) > source.rfind(closing):  # the lexer's time is quadratic in openings never closed
            line = source.count("\n", 0, source.rfind(opening)) + 1
            raise UsageError(
                _("Line {line} of the template: {opening} is never closed").format(line=line, opening=opening)
            )
    try:
        return environment.from_string(source)
    except LiquidError as error:
        where = error.context()
        line = where[0] if where else 1
        raise UsageError(_("Line {line} of the template: {reason}").format(line=line, reason=error.message)) from error


@lru_cache(maxsize=64)
def _environment(locale: str, zone: ZoneInfo) -> Environment:
    """The sandbox for one locale and zone: what is not registered here does not exist in a template."""
    from liquid import Environment, FalsyStrictUndefined, Mode
    from liquid.builtin import content, illegal, output
    from liquid.builtin.filters import misc, string
    from liquid.builtin.tags import assign_tag, case_tag, comment_tag, for_tag, if_tag, inline_comment_tag, unless_tag

    class Sandbox(Environment):
        block_nesting_limit = DEEPEST_NESTING
        loop_iteration_limit = MOST_ITERATIONS
        local_namespace_limit = LARGEST_NAMESPACE
        output_stream_limit = LONGEST_OUTPUT

        def setup_tags_and_filters(self, *, extra: bool = False) -> None:
            for tag in (
                content.Literal, output.Output, illegal.Illegal, if_tag.IfTag, unless_tag.UnlessTag, case_tag.CaseTag,
                for_tag.ForTag, for_tag.BreakTag, for_tag.ContinueTag, assign_tag.AssignTag, comment_tag.CommentTag,
                inline_comment_tag.InlineCommentTag,
            ):  # fmt: skip
                self.add_tag(tag)
            self.add_filter("default", misc.default)
            for name in ("upcase", "downcase", "capitalize", "strip"):
                self.add_filter(name, getattr(string, name))
            for name, function in _filters(locale, zone).items():
                self.add_filter(name, function)

    return Sandbox(tolerance=Mode.STRICT, undefined=FalsyStrictUndefined, strict_filters=True)


def _filters(locale: str, zone: ZoneInfo) -> dict[str, Callable[..., str]]:
    """The filters on CLDR; each takes a value as Liquid holds it and returns text for the customer."""

    def money(value: Any, currency: str = "") -> str:
        raw = _raw(value)
        if isinstance(raw, Money):
            return cldr.money(raw, locale)
        if not currency:
            raise _wrong(_("“{value}” is no amount: money needs its currency"), value)
        return cldr.money(Money(int(_as_number(value)), currency), locale)

    def date(value: Any, style: str = "long") -> str:
        raw = _raw(value)
        if not isinstance(raw, dt.date):
            raise _wrong(_("“{value}” is no date"), value)
        return cldr.date(raw, locale, zone, style)

    def time(value: Any, style: str = "short") -> str:
        raw = _raw(value)
        if not isinstance(raw, dt.datetime):
            raise _wrong(_("“{value}” has no time of day"), value)
        return cldr.time(raw, locale, zone, style)

    def number(value: Any) -> str:
        return cldr.number(_as_number(value), locale)

    def percent(value: Any) -> str:
        return cldr.percent(Decimal(_as_number(value)) / 100, locale)

    def unit(value: Any, name: str) -> str:
        return cldr.unit(_as_number(value), name, locale)

    def join(value: Any, style: str = "standard") -> str:
        if not isinstance(value, Sequence) or isinstance(value, str):
            raise _wrong(_("“{value}” is no list"), value)
        return cldr.join([str(item) for item in value], locale, cast("cldr.ListStyle", style))

    def plural(value: Any, **forms: Any) -> str:
        category = cldr.plural_category(_as_number(value), locale)
        if category not in forms:
            raise _wrong(_("plural lacks the form “{value}”"), category)
        return str(forms[category])

    def name(value: Any) -> str:
        return full_name(*split_name(str(value), locale), locale) or str(value)

    functions: dict[str, Callable[..., str]] = {
        "money": money, "date": date, "time": time, "number": number, "percent": percent, "unit": unit,
        "list": join, "plural": plural, "name": name,
    }  # fmt: skip
    return {name: _checked(function) for name, function in functions.items()}


def _checked(function: Callable[..., str]) -> Callable[..., str]:
    """A ValueError of a formatter (unknown currency, style, unit) becomes an error of the template."""
    from liquid.exceptions import FilterValueError

    def checked(*positional: Any, **named: Any) -> str:
        if isinstance(positional[0], _StandIn):
            return positional[0]
        try:
            return function(*positional, **named)
        except ValueError as error:
            raise FilterValueError(str(error), token=None) from error

    return checked


def _raw(value: Any) -> Any:
    return value.raw if isinstance(value, _Shown) else value


def _as_number(value: Any) -> int | Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise _wrong(_("“{value}” is no number"), value)
    return value if isinstance(value, int) else Decimal(value)


def _wrong(message: str, value: Any) -> ValueError:
    return ValueError(message.format(value=str(value)[:60]))


def _tidy(text: str) -> str:
    """No spaces at line ends, at most one blank line in a row: what an optional sentence leaves behind."""
    lines = "\n".join(line.rstrip(" \t") for line in text.replace("\r\n", "\n").split("\n"))
    return re.sub(r"\n{3,}", "\n\n", lines).strip("\n") + "\n" if lines.strip() else ""
