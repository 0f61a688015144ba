"""What is wrong with a set of canned responses before a customer reads it (domain.md section 8)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from supportdesk.desk.automatic_texts import CONTEXT as AUTOMATIC_CONTEXT
from supportdesk.desk.automatic_texts import is_automatic
from supportdesk.desk.canned import CONTEXT
from supportdesk.desk.templates import placeholders, plural_forms
from supportdesk.errors import UsageError
from supportdesk.l10n.catalog import _
from supportdesk.l10n.format import plural_categories

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from supportdesk.desk.canned import CannedResponse, Variant


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault: which response, which variant ("" for the response itself), a stable code and words for people.

    Codes: missing_variant, broken, unknown_value, other_placeholders, plural, outdated, unused_field, no_source.
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
    # Automatic mail is written in more languages than agents answer in: the two are compared among themselves.
    tags = {
        kind: set(expected)
        or {str(one.tag) for response in whole if is_automatic(response.key) == kind for one in response.variants}
        for kind in (False, True)
    }
    return tuple(finding for response in whole for finding in _lint_one(response, tags[is_automatic(response.key)]))


def _lint_one(response: CannedResponse, expected: set[str]) -> Iterator[Finding]:
    have = {str(variant.tag) for variant in response.variants}
    for tag in sorted(expected - have):
        yield Finding(response.key, tag, "missing_variant", _("There is no variant {tag}").format(tag=tag))
    source = response.variant(response.source) if response.source else None
    if response.source and source is None:
        message = _("The source {tag} is not among the variants").format(tag=response.source)
        yield Finding(response.key, "", "no_source", message)
    used: dict[str, frozenset[str]] = {}
    for variant in response.variants:
        tag = str(variant.tag)
        try:
            used[tag] = frozenset(placeholders(variant))
        except UsageError as error:
            yield Finding(response.key, tag, "broken", error.message)
            continue
        yield from _lint_variant(response, variant, used[tag])
        yield from _lint_age(response, variant, source)
    yield from _lint_placeholders(response, used)


def _lint_variant(response: CannedResponse, variant: Variant, used: frozenset[str]) -> Iterator[Finding]:
    tag = str(variant.tag)
    context = AUTOMATIC_CONTEXT if is_automatic(response.key) else CONTEXT
    known = {*context, *(f"ask.{item.name}" for item in response.ask)}
    for name in sorted(used - known):
        yield Finding(response.key, tag, "unknown_value", _("Nothing is known as {name}").format(name=name))
    needed = plural_categories(variant.tag.locale)
    for forms in plural_forms(variant.body) + plural_forms(variant.subject):
        if needed - forms:
            message = _("A plural lacks the forms {forms}").format(forms=", ".join(sorted(needed - forms)))
            yield Finding(response.key, tag, "plural", message)


def _lint_age(response: CannedResponse, variant: Variant, source: Variant | None) -> Iterator[Finding]:
    if source is not None and variant is not source and variant.source_hash != source.hash:
        message = _("The source {tag} has changed since this was translated").format(tag=response.source)
        yield Finding(response.key, str(variant.tag), "outdated", message)


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
