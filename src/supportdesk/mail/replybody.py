"""The text of a reply in its two forms: format=flowed plain text (RFC 3676) and the simple HTML beside it.

Nothing of the text is interpreted: it is wrapped, quoted, escaped and linked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape

WIDTH = 72
RTL_LANGUAGES = frozenset({"ar", "ckb", "dv", "fa", "he", "iw", "ks", "ps", "sd", "ug", "ur", "yi"})

_NEWLINES = re.compile("\r\n|[\r\n\x0b\x0c\x85\u2028\u2029]")
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f]")
_SURROGATES = re.compile(r"[\ud800-\udfff]")
_URL = re.compile(r"\b(?:https?://|mailto:)[^\s<>\"'`{}|\\^\u00a0\u3000]+", re.IGNORECASE)
_AFTER_URL = ".,;:!?…。，、"


@dataclass(frozen=True, slots=True)
class Body:
    """The four pieces of a reply's text, top to bottom; all but `text` may be empty."""

    text: str
    signature: str = ""
    attribution: str = ""
    quoted: str = ""


def clean_text(text: str) -> str:
    """Newlines as `\\n`, no other control characters than tabs, no lone surrogates: what may stand in a body (C10)."""
    return _SURROGATES.sub("\ufffd", _CONTROLS.sub("", _NEWLINES.sub("\n", text)))


def flowed_text(body: Body) -> str:
    """The plain text, lines wrapped with soft breaks (a space at the end) and no DelSp; ends with a newline."""
    lines = [piece for line in _lines(body.text) for piece in _flow(line)]
    if body.signature:
        lines += ["", "-- ", *(piece for line in _lines(body.signature) for piece in _flow(line))]
    if body.quoted:
        lines.append("")
        if body.attribution:
            lines += [piece for line in _lines(body.attribution) for piece in _flow(line)]
        lines += [piece for line in _lines(body.quoted) for piece in _flow_quote(line)]
    return "\n".join(lines) + "\n"


def html_text(body: Body, language: str) -> str:
    """A whole HTML document; language and direction also stand on the outer `div`, for programs that drop `html`."""
    direction = text_direction(language)
    attributes = f' lang="{escape(language)}" dir="{direction}"' if language else f' dir="{direction}"'
    parts = [_paragraphs(body.text)]
    if body.signature:
        parts.append(f'<div class="gmail_signature">-- <br>\n{_with_breaks(body.signature)}</div>')
    if body.quoted:
        attribution = f'<div class="gmail_attr">{_with_breaks(body.attribution)}</div>\n' if body.attribution else ""
        parts.append(
            f'<div class="gmail_quote">\n{attribution}<blockquote class="gmail_quote" type="cite" dir="auto" '
            'style="margin:0 0 0 .8ex;border-left:1px solid #ccc;padding-left:1ex">\n'
            f"{_with_breaks(body.quoted)}\n</blockquote>\n</div>"
        )
    content = "\n".join(parts)
    return (
        f'<!DOCTYPE html>\n<html{attributes}>\n<head><meta charset="utf-8"></head>\n'
        f"<body>\n<div{attributes}>\n{content}\n</div>\n</body>\n</html>\n"
    )


def text_direction(language: str) -> str:
    """`rtl` for languages written from right to left, else `ltr`."""
    return "rtl" if language.partition("-")[0].lower() in RTL_LANGUAGES else "ltr"


def _lines(text: str) -> list[str]:
    return clean_text(text).strip("\n").split("\n")


def _flow(line: str) -> list[str]:
    """One line as flowed ones, stuffed where RFC 3676 4.4 asks."""
    return [f" {piece}" if piece.startswith((" ", ">", "From ")) else piece for piece in _wrapped(line, WIDTH)]


def _flow_quote(line: str) -> list[str]:
    """One quoted line, a level deeper: what was quoted already gets one mark more; the space after them stuffs it."""
    marks = re.match(r"(?:> ?)*", line)
    at = marks.end() if marks else 0
    prefix = ">" * (line.count(">", 0, at) + 1)
    return [f"{prefix} {piece}" if piece else prefix for piece in _wrapped(line[at:], max(WIDTH - len(prefix), 20))]


def _wrapped(line: str, room: int) -> list[str]:
    """Cut behind spaces: every piece but the last ends in one, the last in none. A word is never cut."""
    line = line.rstrip(" \t")
    pieces, start = [], 0
    while len(line) - start > room:
        at = line.rfind(" ", start + 1, start + room)
        # A line that is "-- " would be read as the mark of the signature.
        if at < 0 or line[start : at + 1] == "-- ":
            at = line.find(" ", start + room)
        if at < 0:
            break
        pieces.append(line[start : at + 1])
        start = at + 1
    return [*pieces, line[start:]]


def _paragraphs(text: str) -> str:
    blocks = re.split(r"\n[ \t]*(?:\n[ \t]*)+", clean_text(text).strip("\n"))
    return "\n".join(f"<p>{_with_breaks(block)}</p>" for block in blocks)


def _with_breaks(text: str) -> str:
    return "<br>\n".join(_linked(line) for line in _lines(text))


def _linked(line: str) -> str:
    """Escaped, with http, https and mailto addresses as links and runs of spaces kept."""
    pieces, at = [], 0
    for found in _URL.finditer(line):
        url = _without_tail(found[0])
        pieces.append(_escaped(line[at : found.start()]))
        pieces.append(f'<a href="{escape(url)}">{escape(url)}</a>')
        at = found.start() + len(url)
    pieces.append(_escaped(line[at:]))
    return "".join(pieces)


def _without_tail(url: str) -> str:
    """The URL without the sentence's punctuation, or a bracket that was opened before it."""
    end, unopened = len(url), url.count(")") - url.count("(")
    while end and (url[end - 1] in _AFTER_URL or (url[end - 1] == ")" and unopened > 0)):
        end -= 1
        unopened -= url[end] == ")"
    return url[:end]


def _escaped(text: str) -> str:
    return re.sub(r"  +", lambda run: "&nbsp;" * (len(run[0]) - 1) + " ", escape(text.expandtabs(4)))
