"""A canned response as plain values, for TOML files and JSON columns, and back; what is wrong with them in words."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any, Final

from supportdesk.desk.canned import (
    ASK_TYPES,
    CONTEXT,
    KEY,
    NAME,
    THEN_STATUSES,
    AskField,
    CannedFile,
    CannedResponse,
    Choice,
    Then,
    Variant,
)
from supportdesk.desk.canned_ask import read_default
from supportdesk.l10n.catalog import _
from supportdesk.l10n.tags import LocaleTag

LONGEST_SNOOZE: Final = 60  # business days
LONGEST_FILE_NAME: Final = 200
_RESPONSE_KEYS: Final = (
    "kind", "shortcut", "keywords", "source", "sets", "attachments", "title", "group", "then", "ask"
)  # fmt: skip
_ANY_DAY: Final = dt.date(2000, 1, 1)  # whether a default can be read does not depend on the day

Files = Mapping[str, CannedFile]


def response_meta(response: CannedResponse) -> dict[str, Any]:
    """Everything of a response but its key and variants; of its files the names."""
    meta: dict[str, Any] = {
        "kind": "fragment" if response.fragment else "",
        "shortcut": response.shortcut,
        "keywords": list(response.keywords),
        "source": response.source,
        "sets": list(response.sets),
        "attachments": [file.name for file in response.files],
        "title": dict(response.titles),
        "group": dict(response.group),
        "then": {
            "status": response.then.status,
            "tags": list(response.then.tags),
            "snooze_days": response.then.snooze_days,
            "assign": response.then.assign,
        },
        "ask": {item.name: _ask_meta(item) for item in response.ask},
    }
    return _without_empty(meta)


def variant_meta(variant: Variant) -> dict[str, Any]:
    """The front matter of a variant."""
    return _without_empty(
        {
            "subject": variant.subject,
            "source_hash": variant.source_hash,
            "attachments": [file.name for file in variant.files],
        }
    )


def build_response(
    key: str,
    meta: Mapping[str, Any],
    variants: Iterable[tuple[str, Mapping[str, Any], str]],
    files: Files | None = None,
) -> CannedResponse:
    """A response from what `response_meta` and `variant_meta` made; (tag, meta, body) for each variant.

    `files` are those that the metas may name. ValueError names the key that is unknown or has the wrong type; the
    caller adds file and line.
    """
    if not KEY.fullmatch(key):
        raise ValueError(_("“{key}” is not a key: lower-case words joined by hyphens").format(key=key))
    _known_keys(meta, _RESPONSE_KEYS)
    kind, source, shortcut = (_text(meta, name) for name in ("kind", "source", "shortcut"))
    if kind not in ("", "response", "fragment"):
        raise ValueError(_("unknown kind “{kind}” ({known})").format(kind=kind, known="response, fragment"))
    if shortcut and not KEY.fullmatch(shortcut):
        raise ValueError(_("“{key}” is no shortcut: lower-case words joined by hyphens").format(key=shortcut))
    if kind == "fragment" and (
        stray := [name for name in ("ask", "then", "attachments", "shortcut") if meta.get(name)]
    ):
        raise ValueError(_("a fragment has no “{key}”").format(key=stray[0]))
    return CannedResponse(
        key=key,
        titles=_texts(meta, "title"),
        keywords=_words(meta, "keywords"),
        source=str(LocaleTag.parse(source)) if source else "",
        ask=tuple(_ask_field(name, value) for name, value in _table(meta, "ask").items()),
        variants=tuple(
            sorted((build_variant(*item, files) for item in variants), key=lambda variant: str(variant.tag))
        ),
        fragment=kind == "fragment",
        group=_texts(meta, "group"),
        shortcut=shortcut,
        sets=_words(meta, "sets"),
        files=_files(meta, files),
        then=_then(_table(meta, "then")),
    )


def build_variant(tag: str, meta: Mapping[str, Any], body: str, files: Files | None = None) -> Variant:
    """A variant from its tag, front matter and text; ValueError as for `build_response`."""
    _known_keys(meta, ("subject", "source_hash", "attachments"))
    parsed = LocaleTag.parse(tag)
    if str(parsed) != tag:
        raise ValueError(_("“{tag}” is written {canonical}").format(tag=tag, canonical=parsed))
    return Variant(parsed, body, _text(meta, "subject"), _text(meta, "source_hash"), _files(meta, files))


def check_file_name(name: str) -> str:
    """The name, if a folder and a mail can both carry it. ValueError otherwise."""
    odd = any(unicodedata.category(char)[0] == "C" or char in '/\\:*?"<>|' for char in name)
    if not name or odd or name.startswith(".") or name != name.strip() or len(name.encode()) > LONGEST_FILE_NAME:
        raise ValueError(_("“{name}” cannot be the name of an attachment").format(name=name))
    return name


def _ask_meta(item: AskField) -> dict[str, Any]:
    return {
        "type": item.type,
        **_without_empty(
            {
                "prefill": item.prefill,
                "default": item.default,
                "label": dict(item.labels),
                "choices": {choice.key: dict(choice.texts) for choice in item.choices},
            }
        ),
    }


def _ask_field(name: str, meta: Any) -> AskField:
    if not NAME.fullmatch(name) or not isinstance(meta, Mapping):
        raise ValueError(_("ask.{name} is not a field: a table with type, label and prefill").format(name=name))
    _known_keys(meta, ("type", "label", "prefill", "default", "choices"))
    kind, known = _text(meta, "type") or "text", _text(meta, "prefill")
    if kind not in ASK_TYPES:
        raise ValueError(
            _("ask.{name}: unknown type “{kind}” ({known})").format(name=name, kind=kind, known=", ".join(ASK_TYPES))
        )
    if known and known not in CONTEXT:
        raise ValueError(_("ask.{name}: unknown value “{value}” to prefill it with").format(name=name, value=known))
    table = _table(meta, "choices")
    choices = tuple(Choice(key, _texts(table, key)) for key in table)
    if bool(choices) != (kind == "choice"):
        raise ValueError(_("ask.{name}: “{key}” goes with the type choice").format(name=name, key="choices"))
    found = AskField(name, kind, _texts(meta, "label"), known, _text(meta, "default"), choices)
    if found.default:
        try:
            read_default(found, _ANY_DAY)
        except ValueError as error:
            raise ValueError(f"ask.{name}: {error}") from error
    return found


def _then(meta: Mapping[str, Any]) -> Then:
    _known_keys(meta, ("status", "tags", "snooze_days", "assign"))
    status, days = _text(meta, "status"), meta.get("snooze_days", 0)
    if status and status not in THEN_STATUSES:
        known = ", ".join(THEN_STATUSES)
        raise ValueError(_("unknown status “{status}” ({known})").format(status=status, known=known))
    if not isinstance(days, int) or isinstance(days, bool) or not 0 <= days <= LONGEST_SNOOZE:
        message = _("“{key}” must be a number of business days, at most {most}")
        raise ValueError(message.format(key="snooze_days", most=LONGEST_SNOOZE))
    tags = _words(meta, "tags")
    for tag in tags:
        if not re.fullmatch(r"[^\s,#]{1,64}", tag) or tag != tag.casefold():
            raise ValueError(_("“{tag}” is no tag: lower case, without blanks").format(tag=tag))
    return Then(status, tags, days, _text(meta, "assign"))


def _files(meta: Mapping[str, Any], files: Files | None) -> tuple[CannedFile, ...]:
    found = []
    for name in _words(meta, "attachments"):
        if check_file_name(name) not in (files or {}):
            raise ValueError(_("the attachment “{name}” is not there").format(name=name))
        found.append((files or {})[name])
    return tuple(found)


class _Malformed(ValueError):
    """A value of the wrong kind in a file or a JSON column."""


def _known_keys(meta: Mapping[str, Any], known: tuple[str, ...]) -> None:
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


def _words(meta: Mapping[str, Any], key: str) -> tuple[str, ...]:
    words = meta.get(key, [])
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise _Malformed(_("“{key}” must be a list of texts").format(key=key))
    return tuple(words)


def _without_empty(meta: Mapping[str, Any]) -> dict[str, Any]:
    """What says something: no empty text, list, number or table; a table within is looked at as well."""
    kept: dict[str, Any] = {}
    for key, value in meta.items():
        shown = {name: item for name, item in value.items() if item} if key == "then" else value
        if shown:
            kept[key] = shown
    return kept
