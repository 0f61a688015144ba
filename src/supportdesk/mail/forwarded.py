"""The mail inside a forward: who had written it, what, and what the one who forwards says about it (mail.md 2.3).

Read from an attached message or from the header block that mail programs write in fourteen and more languages. In
doubt there is none: the forward then stays the mail of the one who sent it. Whether he may forward is not asked here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from supportdesk.mail.addresses import parse_addresses
from supportdesk.mail.quote_words import FORWARDED
from supportdesk.mail.quotes import header_label, is_forward
from supportdesk.mail.subjects import strip_reply_prefixes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from supportdesk.mail.model import Address, ParsedMail

COMMAND = "@fwd"  # as the first line: forward it, whatever the subject says
MAX_LINES = 2_000  # of a note, above the forwarded mail
_BLOCK = 16
_RULES = "-_*=—‐ "


@dataclass(frozen=True, slots=True)
class Forwarded:
    """Whose mail was forwarded, its subject and text, its Message-ID where it is known, and the words above it."""

    from_: Address
    subject: str
    text: str
    note: str = ""
    message_id: str = ""


def read_forward(mail: ParsedMail) -> Forwarded | None:
    """The mail inside a forward; None when this is none, or when it is not certain who had written."""
    lines = mail.text.split("\n")
    first = next((line.strip().casefold() for line in lines if line.strip()), "")
    if first != COMMAND and not is_forward(mail.subject):
        return None
    if mail.inner is not None and mail.inner.kind != "pec":
        inner = mail.inner
        if len(inner.from_) != 1:
            return None
        subject = inner.subject or strip_reply_prefixes(mail.subject)
        note = _note(lines) if mail.text_source != "none" else ""
        return Forwarded(inner.from_[0], subject, inner.text, note, inner.message_id)
    for at in range(min(len(lines), MAX_LINES)):
        stripped = _unquoted(lines[at]).strip()
        if header_label(stripped) in ("from", "date", "subject") and (block := _read_block(lines, at)) is not None:
            author, subject, end = block
            text = "\n".join(_without_common_quote(lines[end:])).strip("\n")
            return Forwarded(author, subject or strip_reply_prefixes(mail.subject), text, _note(lines[:at]))
    return None


def _read_block(lines: Sequence[str], at: int) -> tuple[Address, str, int] | None:
    """The one author, the subject and the line after a header block that begins at line `at`."""
    fields: dict[str, str] = {}
    last, blank, end = "", False, at
    for number in range(at, min(at + _BLOCK, len(lines))):
        stripped = _unquoted(lines[number]).strip()
        label = header_label(stripped)
        if not stripped:
            # Some programs leave a line between the fields; two, or one after them all, end the block.
            if blank or len(fields) >= 4:
                break
            blank = True
            continue
        if label:
            if label in fields and label != "other":
                break
            fields.setdefault(label, _value(stripped))
            last = label
        elif blank or last not in ("to", "other", "from", "subject"):
            break
        else:
            fields[last] += f" {stripped}"
        blank, end = False, number + 1
    if "from" not in fields or not {"date", "subject", "to"} & fields.keys():
        return None
    value = fields["from"].replace("[mailto:", "<").replace("]", ">")
    authors = {one.norm: one for one in parse_addresses(value.encode().decode("latin-1"))}
    if len(authors) != 1:
        return None
    return next(iter(authors.values())), strip_reply_prefixes(fields.get("subject", "")), end


def _value(line: str) -> str:
    return line.replace("：", ":").partition(":")[2].strip("* \t\u00a0")


def _note(lines: Sequence[str]) -> str:
    """The words above, without the command and without the line by which the program introduces what follows."""
    kept = [line.rstrip() for line in lines]
    while kept and (not kept[-1].strip(_RULES + ">") or _is_marker(kept[-1])):
        kept.pop()
    while kept and (not kept[0] or kept[0].strip().casefold() == COMMAND):
        kept.pop(0)
    return "\n".join(kept)


def _is_marker(line: str) -> bool:
    return line.strip(_RULES + ">:：").casefold().startswith(FORWARDED) and len(line) < 120


def _unquoted(line: str) -> str:
    return line.lstrip("> ")


def _without_common_quote(lines: Sequence[str]) -> Sequence[str]:
    """The lines without the `>` that Apple Mail puts before each line of what it forwards."""
    filled = [line for line in lines if line.strip()]
    if not filled or not all(line.startswith(">") for line in filled):
        return lines
    return [line[1:].removeprefix(" ") for line in lines]
