"""The pieces that canned responses share: each is rendered in the response's own variant and put in as a value.

A value is never expanded, so a fragment cannot hold another one, and what a customer wrote stays text in both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from supportdesk.desk.canned import choose
from supportdesk.desk.templates import missing_values, placeholders, render
from supportdesk.errors import MissingValue

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from supportdesk.desk.canned import CannedResponse, Variant
    from supportdesk.desk.templates import Rendered

PREFIX: Final = "fragment."


def fragments_of(variant: Variant) -> tuple[str, ...]:
    """The keys of the fragments that a text uses. UsageError: a broken template."""
    return tuple(name.removeprefix(PREFIX) for name in placeholders(variant) if name.startswith(PREFIX))


def fragment_variant(fragment: CannedResponse, variant: Variant, region: str = "") -> Variant:
    """The fragment in the language and register of the text that it stands in. Raises MissingValue."""
    tag = variant.tag
    return choose(fragment, tag.language, tag.region or region, tag.register)


def render_whole(
    variant: Variant,
    fragments: Mapping[str, CannedResponse],
    values: Mapping[str, Any],
    locale: str,
    zone: ZoneInfo,
    *,
    region: str = "",
    stand_in: Callable[[str], str] | None = None,
) -> Rendered:
    """`templates.render` of a text and of the fragments in it; MissingValue names what any of them lacks."""
    filled: dict[str, str] = {}
    missing: list[str] = []
    used: set[str] = set()
    for key in fragments_of(variant):
        if key not in fragments:
            continue  # rendering names it as missing
        piece = fragment_variant(fragments[key], variant, region)
        try:
            rendered = render(replace(piece, subject=""), values, locale, zone, stand_in=stand_in)
        except MissingValue as error:
            missing += error.names
            filled[key] = "…"
        else:
            filled[key] = rendered.text.strip("\n") or " "  # nothing to say is no missing value
            used |= set(rendered.used)
    try:
        whole = render(variant, {**values, "fragment": filled}, locale, zone, stand_in=stand_in)
    except MissingValue as error:
        raise missing_values([*error.names, *missing]) from error
    if missing:
        raise missing_values(missing)
    return replace(whole, used=tuple(sorted(used | set(whole.used))))
