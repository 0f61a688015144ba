"""Bounces that our own reader knows nothing of, as flufl.bounce reads them (AUTO-2).

It knows the formats of many old servers, but it raises on some mail and takes people's mail for bounces. So it is asked
second, only behind the gate (`plain_bounces.may_be_bounce`), about the beginning of the mail, and its answer is
cleaned like any other foreign text. It runs where the reader runs: in the parsing child.
"""

from __future__ import annotations

import logging

from supportdesk.mail.addresses import parse_addresses
from supportdesk.mail.bounce_words import status_in
from supportdesk.mail.limits import MAX_RECIPIENT_BLOCKS, DefectLog
from supportdesk.mail.model import ReportedRecipient
from supportdesk.mail.plain_bounces import ADDRESS, explain, is_daemon_name

# Its patterns are quadratic in the length of a line and its walk is in the number of parts.
_MOST = 24 << 10
_LONGEST_LINE = 300


def look_again(raw: bytes, text: str, aside: frozenset[str], log: DefectLog) -> tuple[ReportedRecipient, ...]:
    """The recipients that flufl.bounce finds, by address; its failure is the defect `bounce-unread`, and finds none.

    `text`: the mail's text, which may say why; `aside`: addresses (normal form) of writer and reader of the report.
    """
    from email import message_from_bytes

    from flufl.bounce import all_failures

    logging.getLogger("flufl.bounce").disabled = True  # it would write the mail's words to stderr before it raises
    try:
        temporary, permanent = all_failures(message_from_bytes(_beginning(raw)))
        found = dict.fromkeys(map(_cleaned, temporary), "delayed")
        found |= dict.fromkeys(map(_cleaned, permanent), "failed")
    except Exception as error:  # noqa: BLE001 - a foreign heuristic may fail in any way; the mail is read all the same
        log.add("bounce-unread", type(error).__name__)
        return ()
    named = sorted(one for one in found if one and one.casefold() not in aside and not is_daemon_name(one))
    return tuple(_recipient(one, found[one], text) for one in named[:MAX_RECIPIENT_BLOCKS])


def _beginning(raw: bytes) -> bytes:
    return b"\n".join(line[:_LONGEST_LINE] for line in raw[:_MOST].splitlines())


def _cleaned(address: bytes) -> str:
    """The address by our own rules, or "" for what is none."""
    bare = address.decode("latin-1").strip("<>\"' \t")
    return parse_addresses(bare)[0].addr if ADDRESS.fullmatch(bare) else ""


def _recipient(address: str, action: str, text: str) -> ReportedRecipient:
    words = explain(text, address)
    status = status_in(words) or ("4.0.0" if action == "delayed" else "5.0.0")
    return ReportedRecipient(address, action, status, words)
