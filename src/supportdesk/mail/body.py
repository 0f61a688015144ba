"""Which parts of the tree are the body, and the text of the mail (PARSE-10): plain where it is real, else rendered
HTML.

Every leaf that is not chosen here is an attachment (see `attachments`), except the other forms of an alternative.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from supportdesk.mail import tnef
from supportdesk.mail.calendar_card import calendar_card
from supportdesk.mail.charset import decode
from supportdesk.mail.contained import MAX_LEVELS, enclosed, encloses_letter
from supportdesk.mail.flowed import unflow
from supportdesk.mail.html import Rendered, render_html, visible_length
from supportdesk.mail.limits import MAX_LINKS, MAX_TEXT, DefectLog
from supportdesk.mail.mime import Part
from supportdesk.mail.model import Link
from supportdesk.mail.transfer import encoding_of, uuencoded_blocks, without_unsaid_encoding
from supportdesk.mail.words import one_line

_PLAIN_TYPES = frozenset(("text/plain", "text/markdown", "text/x-markdown", "text/enriched", "text/richtext"))
_CID = re.compile(r"cid:([^\"'\s>)]{1,500})", re.IGNORECASE)
_CID_IN_TEXT = re.compile(r"\[cid:([^\]\s]{1,300})\]")
_URL = re.compile(r"https?://[^\s<>\"\u00a0]{1,2000}", re.IGNORECASE)
_NEWLINES = re.compile("\r+\n?")


@dataclass(slots=True)
class Body:
    """The text of a mail and what was learnt while making it."""

    text: str = ""
    source: str = "none"  # "plain" | "html" | "none"
    links: tuple[Link, ...] = ()
    quoted: list[tuple[int, int]] = field(default_factory=list)  # ranges that the HTML's own containers mark as quoted
    parts: set[int] = field(default_factory=set)  # id() of each part that is shown or is another form of what is shown
    referenced: set[str] = field(default_factory=set)  # content ids that the HTML shows
    uuencoded: list[tuple[str, bytes]] = field(default_factory=list)  # files that stood inside the text


def choose_body(root: Part, log: DefectLog, level: int = 1) -> Body:
    """The body of a mail: inline text parts in order, the best form of each alternative; `level` signatures deep."""
    parts = list(root.walk())
    texts = _Texts(log)
    chosen: dict[int, list[Part]] = {}
    body = _enclosed_letter(parts, log, level)
    for part in reversed(parts):
        if not part.children:
            chosen[id(part)] = [part] if _is_inline_text(part) else []
        elif part.content_type == "multipart/alternative":
            chosen[id(part)] = _best_form(part, chosen, texts, body)
        elif part.content_type == "multipart/related":
            chosen[id(part)] = _related_root(part, chosen)
        elif part.content_type == "multipart/signed":
            chosen[id(part)] = chosen[id(part.children[0])]
        elif part.content_type == "multipart/report":
            chosen[id(part)] = _report_text(part, chosen)
        else:
            chosen[id(part)] = [one for child in part.children for one in chosen[id(child)]]
    _write(chosen[id(root)], parts, texts, body, log)
    return body


def with_newlines(text: str) -> str:
    """The text with LF at the end of each line, whatever was there: CRLF, CR, CRCRLF."""
    if "\r" not in text:
        return text
    text = text.replace("\r\n", "\n")
    return _NEWLINES.sub("\n", text) if "\r" in text else text


class _Texts:
    """The decoded text of each text part, made once."""

    def __init__(self, log: DefectLog) -> None:
        self.log = log
        self._made: dict[int, str] = {}

    def of(self, part: Part) -> str:
        if id(part) not in self._made:
            data = part.beginning(MAX_TEXT + 1)
            if len(data) > MAX_TEXT:
                self.log.add("text-too-long", str(part.size))
                data = data[:MAX_TEXT]
            if not encoding_of(part.fields.get("content-transfer-encoding")):
                data = without_unsaid_encoding(data)
            decoded = decode(data, part.charset, html=part.content_type == "text/html")
            if decoded.replaced:
                self.log.add(
                    "charset", f"{part.charset or 'undeclared'} as {decoded.charset}: {decoded.replaced} replaced"
                )
            text = decoded.text
            self._made[id(part)] = with_newlines(text)
        return self._made[id(part)]


def _is_inline_text(part: Part) -> bool:
    if part.content_type not in _PLAIN_TYPES and part.content_type != "text/html":
        # A root of an unknown text type is still what the customer wrote.
        return (
            part.parent is None
            and part.content_type.startswith("text/")
            and part.content_type != "text/calendar"
            and part.disposition != "attachment"
        )
    if part.disposition == "attachment":
        return False
    return not part.file_name or part.parent is None or part.parent.content_type == "multipart/alternative"


def _best_form(part: Part, chosen: dict[int, list[Part]], texts: _Texts, body: Body) -> list[Part]:
    """Plain text unless it is a stub beside the HTML; forms that are not text (pictures in an alternative) stay
    attachments.
    """
    plain: list[Part] | None = None
    html: list[Part] | None = None
    for child in part.children:
        forms = chosen[id(child)]
        if not forms:
            continue
        if any(form.content_type == "text/html" for form in forms):
            html = forms
        else:
            plain = plain or forms
    body.parts.update(id(form) for form in (*(plain or ()), *(html or ())))
    for child in part.children:
        if child.content_type in ("text/x-amp-html", "text/watch-html"):
            body.parts.add(id(child))
    if html:
        for form in html:
            if form.content_type == "text/html":
                body.referenced.update(_CID.findall(texts.of(form)))
    if not plain or not html:
        return plain or html or []
    length = sum(len(texts.of(form).strip()) for form in plain)
    markup = sum(len(texts.of(form)) for form in html)
    if length * 5 >= markup:
        return plain
    shown = sum(
        visible_length(texts.of(form)) if form.content_type == "text/html" else len(texts.of(form)) for form in html
    )
    if length == 0:
        return html if shown or body.referenced else plain  # a photo and not a word
    return html if shown and length * 5 < shown else plain


def _related_root(part: Part, chosen: dict[int, list[Part]]) -> list[Part]:
    start = part.params.get("start", "").strip().strip("<>")
    if start:
        for child in part.children:
            if child.content_id == start and chosen[id(child)]:
                return chosen[id(child)]
    for child in part.children:
        if chosen[id(child)]:
            return chosen[id(child)]
    return []


def _report_text(part: Part, chosen: dict[int, list[Part]]) -> list[Part]:
    """The part for people; the machine's part and the returned headers are attachments."""
    first = chosen[id(part.children[0])]
    return first or [one for child in part.children for one in chosen[id(child)]]


def _write(forms: list[Part], parts: list[Part], texts: _Texts, body: Body, log: DefectLog) -> None:
    names = {part.content_id: part.file_name or part.content_id for part in parts if part.content_id}
    pieces = [body.text] if body.text.strip() else []
    links = list(body.links)
    length = len(body.text)
    for part in forms:
        body.parts.add(id(part))
        if length > MAX_TEXT:
            log.add("text-too-long", str(length))
            break
        text = texts.of(part)
        if part.content_type == "text/html" or _is_really_html(text):
            body.referenced.update(_CID.findall(text))
            rendered: Rendered = render_html(text, names, len(links), log)
            offset = length + 2 if pieces else 0
            body.quoted.extend((start + offset, end + offset) for start, end in rendered.quoted)
            links.extend(rendered.links)
            piece = rendered.text
            body.source = body.source if body.source == "plain" else "html"
        else:
            piece = _with_pictures_named(_plain(part, text, body), names)
            links.extend(_plain_links(piece, len(links)))
            body.source = "plain"
        if piece.strip():
            length += len(piece) + (2 if pieces else 0)
            pieces.append(piece)
    for part in parts:
        if part.content_type == "text/calendar" and (card := calendar_card(texts.of(part), described=not pieces)):
            pieces.append(card)
            break
    if not pieces:
        pieces = _contained_text(parts, names, body, log)
    body.text = "\n\n".join(pieces)[:MAX_TEXT]
    body.links = tuple(links[:MAX_LINKS])
    if not pieces:
        body.source = "none"


def _enclosed_letter(parts: list[Part], log: DefectLog, level: int) -> Body:
    """What stands in the signature that encloses the mail (S/MIME); an empty body where there is none."""
    for part in parts if level < MAX_LEVELS else ():
        if encloses_letter(part) and (tree := enclosed(part, log)) is not None and tree.disposition != "attachment":
            letter = choose_body(tree, log, level + 1)
            return Body(letter.text, letter.source, letter.links, letter.quoted)
    return Body()


def _contained_text(parts: list[Part], names: dict[str, str], body: Body, log: DefectLog) -> list[str]:
    """The text that Outlook put into a winmail.dat instead of the mail."""
    for part in parts:
        if part.children or not tnef.looks_like_tnef(part.content_type, part.file_name):
            continue
        contents = tnef.read_tnef(part.content(), log)
        if contents.text.strip():
            body.source = "plain"
            return [with_newlines(contents.text).strip()]
        if contents.html.strip():
            body.source = "html"
            return [render_html(contents.html, names, 0, log).text]
    return []


def _plain(part: Part, text: str, body: Body) -> str:
    if "begin " in text:
        data = part.content()
        blocks = uuencoded_blocks(data)
        if blocks:
            kept, at = [], 0
            for start, end, name, content in blocks:
                kept.append(data[at:start])
                body.uuencoded.append((decode(name).text, content))
                at = end
            kept.append(data[at:])
            text = decode(b"".join(kept), part.charset).text
            text = with_newlines(text)
    if part.params.get("format", "").casefold() == "flowed":
        text = unflow(text, del_sp=part.params.get("delsp", "").casefold() == "yes")
    return text.strip("\n")


def _is_really_html(text: str) -> bool:
    """Some shops' programs send their HTML as plain text: a whole document, from its first tag to its last."""
    head = text[:200].lstrip("\ufeff \t\n").casefold()
    return head.startswith(("<html", "<!doctype html")) and text[-200:].rstrip().casefold().endswith("</html>")


def _with_pictures_named(text: str, names: dict[str, str]) -> str:
    """Outlook writes `[cid:image001.png@01D8]` where the HTML shows a picture."""
    if "[cid:" not in text:
        return text
    return _CID_IN_TEXT.sub(
        lambda match: f"[image: {one_line(names.get(match[1], ''))}]" if match[1] in names else match[0], text
    )


def _plain_links(text: str, before: int) -> list[Link]:
    if "://" not in text:
        return []
    from supportdesk.mail.links import real_host, trim_url

    seen: dict[str, None] = {}
    for match in _URL.finditer(text):
        seen.setdefault(trim_url(match[0]))
        if len(seen) >= MAX_LINKS:
            break
    return [Link(before + number, url, real_host(url), url) for number, url in enumerate(seen, 1)]
