"""Changing a canned response as a value: one text of it, or all of it as an editor shows it. No I/O."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from typing import TYPE_CHECKING

from supportdesk.desk.canned import Variant
from supportdesk.desk.canned_folder import file_texts
from supportdesk.desk.canned_meta import build_response, variant_meta
from supportdesk.errors import UsageError
from supportdesk.l10n.catalog import _
from supportdesk.l10n.tags import LocaleTag

if TYPE_CHECKING:
    from supportdesk.desk.canned import CannedResponse

HEAD = "response.toml"


def with_text(response: CannedResponse, tag: str, body: str, subject: str | None = None) -> CannedResponse:
    """The response with that text in that variant, a new one if there was none; "" removes it.

    Who writes a translation has the source before him: it is as new as the source from then on.
    """
    try:
        parsed = LocaleTag.parse(tag)
    except ValueError as error:
        raise UsageError(str(error)) from error
    before = response.variant(str(parsed)) or Variant(parsed, "")
    others = tuple(variant for variant in response.variants if variant.tag != parsed)
    if not body.strip():
        return replace(response, variants=others)
    source = response.variant(response.source) if response.source else None
    translated = source is not None and source.tag != parsed
    changed = replace(
        before,
        body=body.rstrip("\n") + "\n",
        subject=before.subject if subject is None else " ".join(subject.split()),
        source_hash=source.hash if source is not None and translated else before.source_hash,
    )
    return replace(response, variants=tuple(sorted((*others, changed), key=lambda variant: str(variant.tag))))


def head_text(response: CannedResponse) -> str:
    """The head of a response as its file holds it: titles, keywords, what it asks for, what sending it does."""
    return file_texts(response)[HEAD]


def with_head(response: CannedResponse, text: str) -> CannedResponse:
    """The response with another head. Raises UsageError naming the line, or what is wrong."""
    files = {file.name: file for file in (*response.files, *(file for one in response.variants for file in one.files))}
    variants = [(str(one.tag), variant_meta(one), one.body) for one in response.variants]
    try:
        return build_response(response.key, tomllib.loads(text), variants, files)
    except (tomllib.TOMLDecodeError, ValueError) as error:
        raise UsageError(_("{file}: {error}").format(file=HEAD, error=error)) from error


def new_response(key: str, language: str) -> CannedResponse:
    """An empty entry to begin with. Raises UsageError for a key that is none."""
    try:
        return build_response(key, {"title": {language: key.replace("-", " ").capitalize()}, "source": language}, ())
    except ValueError as error:
        raise UsageError(str(error)) from error
