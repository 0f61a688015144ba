"""What is wrong with a set of canned responses before a customer reads it (domain.md section 8)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from supportdesk.desk.automatic_texts import CONTEXT as AUTOMATIC_CONTEXT
from supportdesk.desk.automatic_texts import is_automatic
from supportdesk.desk.canned import CONTEXT
from supportdesk.desk.canned_fragments import PREFIX, fragment_variant, render_whole
from supportdesk.desk.templates import placeholders, plural_forms
from supportdesk.errors import MissingValue, UsageError
from supportdesk.l10n.catalog import _
from supportdesk.l10n.format import Money, plural_categories

if TYPE_CHECKING:
    from supportdesk.desk.canned import AskField, CannedResponse, Variant

Fragments = Mapping[str, "CannedResponse"]

_ZONE: Final = ZoneInfo("UTC")
_NOW: Final = dt.datetime(2026, 11, 20, 12, 0, tzinfo=dt.UTC)
# A value of each type, to see whether a text can be rendered at all: `{{ ask.note | money }}` cannot.
_SAMPLES: Final[Mapping[str, Any]] = {"text": "abc", "money": Money(4990, "EUR"), "date": _NOW.date(), "number": 3}
_SAMPLE_CONTEXT: Final[Mapping[str, Any]] = {"today": _NOW.date(), "promise.at": _NOW, "closure.back": _NOW}


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault: which response, which variant ("" for the response itself), a stable code and words for people.

    Codes: missing_variant, empty, broken, unknown_value, missing_fragment, other_placeholders, plural, outdated,
    untranslated_choice, wrong_language, wrong_register, unused_field, unused_fragment, no_source, same_shortcut.
    """

    key: str
    variant: str
    code: str
    message: str


def lint(responses: Iterable[CannedResponse], expected: Iterable[str] = ()) -> tuple[Finding, ...]:
    """Every fault of the set, in its order; empty when it is clean.

    `expected` are the tags that each response must have (the languages and registers that the shop serves); without
    them it is every tag that any response of the set has.
    """
    whole = tuple(responses)
    fragments = {response.key: response for response in whole if response.fragment}
    # Automatic mail is written in more languages than agents answer in: the two are compared among themselves.
    tags = {
        kind: set(expected)
        or {str(one.tag) for response in whole if is_automatic(response.key) == kind for one in response.variants}
        for kind in (False, True)
    }
    found = [finding for one in whole for finding in _lint_one(one, tags[is_automatic(one.key)], fragments)]
    return (*found, *_lint_shortcuts(whole), *_lint_unused(whole, fragments))


def _lint_one(response: CannedResponse, expected: set[str], fragments: Fragments) -> Iterator[Finding]:
    have = {str(variant.tag) for variant in response.variants}
    for tag in sorted(expected - have):
        yield Finding(response.key, tag, "missing_variant", _("There is no variant {tag}").format(tag=tag))
    if response.source and response.variant(response.source) is None:
        message = _("The source {tag} is not among the variants").format(tag=response.source)
        yield Finding(response.key, "", "no_source", message)
    used: dict[str, frozenset[str]] = {}
    for variant in response.variants:
        tag = str(variant.tag)
        if not variant.body.strip():
            yield Finding(response.key, tag, "empty", _("There is no text"))
        try:
            used[tag] = frozenset(placeholders(variant))
        except UsageError as error:
            yield Finding(response.key, tag, "broken", error.message)
            continue
        findings = list(_lint_variant(response, variant, used[tag], fragments))
        yield from findings
        if response.is_outdated(variant):
            source = response.variant(response.source)
            assert source is not None
            message = _("The source {tag} has changed since this was translated (now source_hash = {hash})")
            yield Finding(response.key, tag, "outdated", message.format(tag=response.source, hash=source.hash))
        if not any(one.code in ("plural", "unknown_value", "missing_fragment") for one in findings):
            yield from _lint_text(response, variant, used[tag], fragments)
    known = _known(response, fragments)
    yield from _lint_placeholders(response, {tag: names & known for tag, names in used.items()})


def _lint_variant(
    response: CannedResponse, variant: Variant, used: frozenset[str], fragments: Fragments
) -> Iterator[Finding]:
    tag = str(variant.tag)
    for name in sorted(used - _known(response, fragments)):
        yield Finding(response.key, tag, "unknown_value", _("Nothing is known as {name}").format(name=name))
    for name in sorted(used):
        fragment = fragments.get(name.removeprefix(PREFIX)) if name.startswith(PREFIX) else None
        if fragment is not None and not _has_variant(fragment, variant):
            message = _("The fragment {key} has no variant for {tag}").format(key=fragment.key, tag=tag)
            yield Finding(response.key, tag, "missing_fragment", message)
    needed = plural_categories(variant.tag.locale)
    for forms in plural_forms(variant.body) + plural_forms(variant.subject):
        if needed - forms:
            message = _("A plural lacks the forms {forms}").format(forms=", ".join(sorted(needed - forms)))
            yield Finding(response.key, tag, "plural", message)
    for item in response.ask:
        lacking = [choice.key for choice in item.choices if choice.texts and variant.tag.language not in choice.texts]
        if lacking and f"ask.{item.name}" in used:
            message = _("The field {name} has no words for {choices}")
            names = ", ".join(lacking)
            yield Finding(response.key, tag, "untranslated_choice", message.format(name=item.name, choices=names))


def _lint_text(
    response: CannedResponse, variant: Variant, used: frozenset[str], fragments: Fragments
) -> Iterator[Finding]:
    """Render it with a value of each kind, every choice once, and read what comes out."""
    from supportdesk.l10n.detect import guard_language
    from supportdesk.l10n.wording import find_faults

    tag, text = str(variant.tag), ""
    for values in _samples(response, used):
        try:
            text = render_whole(
                variant, fragments, values, variant.tag.locale, _ZONE, stand_in=lambda _name: "Abc"
            ).text
        except UsageError as error:
            yield Finding(response.key, tag, "broken", error.message)
            return
    if (other := guard_language(text, variant.tag.language)) is not None:
        yield Finding(response.key, tag, "wrong_language", _("This is written in {language}").format(language=other))
        return
    register = variant.tag.register or ("informal" if _tells_registers_apart(response, variant) else "")
    for fault in find_faults(text, variant.tag.language, register=register):
        if fault.code in ("register", "mixed_register"):
            message = _("“{words}” is not the form of address of this variant").format(words=fault.found)
            yield Finding(response.key, tag, "wrong_register", message)


def _samples(response: CannedResponse, used: frozenset[str]) -> Iterator[dict[str, Any]]:
    values: dict[str, Any] = {}
    for name, sample in _SAMPLE_CONTEXT.items():
        group, _dot, last = name.rpartition(".")
        if group:
            values.setdefault(group, {})[last] = sample
        else:
            values[last] = sample
    most = max((len(item.choices) for item in response.ask), default=0)
    for at in range(max(1, most)):
        answers = {item.name: _sample(item, at) for item in response.ask if f"ask.{item.name}" in used}
        yield {**values, "ask": answers}


def _sample(item: AskField, at: int) -> Any:
    return item.choices[at % len(item.choices)] if item.choices else _SAMPLES[item.type]


def _known(response: CannedResponse, fragments: Fragments) -> set[str]:
    """What a text may use: a fragment only what every ticket tells, an automatic text what its mail knows."""
    if is_automatic(response.key):
        return set(AUTOMATIC_CONTEXT)
    if response.fragment:
        return set(CONTEXT)
    return {*CONTEXT, *(f"ask.{item.name}" for item in response.ask), *(f"{PREFIX}{key}" for key in fragments)}


def _has_variant(fragment: CannedResponse, variant: Variant) -> bool:
    try:
        fragment_variant(fragment, variant)
    except MissingValue:
        return False
    return True


def _tells_registers_apart(response: CannedResponse, variant: Variant) -> bool:
    """Where a formal variant stands beside it, the plain one is the informal one; English has but one."""
    return response.variant(str(replace(variant.tag, register="formal"))) is not None


def _lint_placeholders(response: CannedResponse, used: dict[str, frozenset[str]]) -> Iterator[Finding]:
    """The variants ask for the same values; how they name people may differ (a greeting, a first name)."""
    people = ("customer.", "agent.")
    asked = {tag: frozenset(name for name in names if not name.startswith(people)) for tag, names in used.items()}
    everything = frozenset().union(*asked.values())
    for tag, names in asked.items():
        if names != everything:
            missing = ", ".join(sorted(everything - names))
            message = _("Other variants also use {names}").format(names=missing)
            yield Finding(response.key, tag, "other_placeholders", message)
    for item in response.ask:
        if used and f"ask.{item.name}" not in everything:
            message = _("The field {name} is asked for and never used").format(name=item.name)
            yield Finding(response.key, "", "unused_field", message)


def _lint_shortcuts(responses: Iterable[CannedResponse]) -> Iterator[Finding]:
    keys = {response.key: response.key for response in responses}
    taken: dict[str, str] = {}
    for response in responses:
        other = taken.setdefault(response.shortcut, response.key) if response.shortcut else response.key
        other = keys.get(response.shortcut, other)
        if other != response.key:
            message = _("The shortcut {shortcut} belongs to {key}").format(shortcut=response.shortcut, key=other)
            yield Finding(response.key, "", "same_shortcut", message)


def _lint_unused(responses: Iterable[CannedResponse], fragments: Fragments) -> Iterator[Finding]:
    used: set[str] = set()
    for response in responses:
        for variant in response.variants:
            try:
                used |= set(placeholders(variant))
            except UsageError:  # told as broken already
                continue
    for key in fragments:
        if f"{PREFIX}{key}" not in used:
            yield Finding(key, "", "unused_fragment", _("No response uses this fragment"))
