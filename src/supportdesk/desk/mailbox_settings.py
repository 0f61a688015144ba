"""The manners of a mailbox that an admin sets one by one: which there are, and what each may be."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from supportdesk.desk.reply_language import REPLY_LANGUAGES
from supportdesk.errors import UsageError
from supportdesk.l10n.catalog import _
from supportdesk.l10n.tags import LocaleTag
from supportdesk.mail.subjects import check_order_pattern

__all__ = ["MANNERS", "check_manners", "check_order_pattern"]

FOLDERS, PROCESSED = "folders", "processed"
# The kind of each value: a yes or no, a number, the words to choose from, or a list of folder names.
MANNERS: Mapping[str, tuple[str, ...] | type] = {
    "quote_last": bool,
    "watch_sent": bool,
    "plus_address": bool,
    "acknowledge": bool,
    "automatic_language": str,
    REPLY_LANGUAGES: dict,
    "authserv_id": str,
    "sent_copy": ("auto", "none"),
    "mails_per_minute": int,
    "smtputf8": bool,
    PROCESSED: ("leave", "seen", "keyword", "move:FOLDER"),
    FOLDERS: list,
}


def check_manners(values: Mapping[str, Any]) -> None:
    """Raises UsageError on a name that is none, with the nearest one, and on a value of another kind."""
    for name, value in values.items():
        kind = MANNERS.get(name)
        if kind is None:
            near = get_close_matches(name, MANNERS, n=1)
            hint = _("did you mean {name}?").format(name=near[0]) if near else ", ".join(MANNERS)
            raise UsageError(_("a mailbox has no setting {name}").format(name=name), hint=hint)
        if kind is bool and not isinstance(value, bool):
            raise _wrong(name, value, "true, false")
        if kind is str and not isinstance(value, str):
            raise _wrong(name, value, _("a text"))
        if kind is int and (type(value) is not int or value < 0):
            raise _wrong(name, value, "0, 30, 120")
        if kind is dict and not _are_languages(value):
            raise _wrong(name, value, '{"nl": "en", "*": "en"}')
        moves = name == PROCESSED and str(value).startswith("move:") and value != "move:"
        if isinstance(kind, tuple) and not moves and value not in kind:
            raise _wrong(name, value, ", ".join(kind))
        if kind is list and not (isinstance(value, list) and all(isinstance(one, str) and one for one in value)):
            raise _wrong(name, value, '["INBOX", "Ordini"]')


def _are_languages(value: object) -> bool:
    """Whether it maps language tags, or `*` for all others, to language tags."""
    if not isinstance(value, dict) or not all(isinstance(tag, str) for pair in value.items() for tag in pair):
        return False
    try:
        for name, target in value.items():
            LocaleTag.parse(target if name == "*" else name)
            LocaleTag.parse(target)
    except ValueError:
        return False
    return True


def _wrong(name: str, value: object, allowed: str) -> UsageError:
    return UsageError(_("{value} is no choice for {name}").format(value=value, name=name), hint=allowed)
