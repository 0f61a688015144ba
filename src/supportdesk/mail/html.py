"""HTML to text (SEC-4, SEC-5): our renderer on a Lexbor DOM. Nothing is fetched, nothing hidden is shown, no link
hides where it goes.

One iterative walk. Table cells are rendered into builders of their own; whether a table is data or layout is
decided from
what its cells turned out to be.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from supportdesk.mail.limits import MAX_HTML, MAX_HTML_DEPTH, MAX_HTML_NODES, MAX_LINKS, DefectLog
from supportdesk.mail.links import clean_url, real_host
from supportdesk.mail.model import Link
from supportdesk.mail.text_builder import TextBuilder, lay_out_table
from supportdesk.mail.words import one_line

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

_SKIPPED = frozenset(
    "head style script title template meta link base object embed "
    "applet iframe frame frameset svg math canvas video audio map "
    "area param source track select input textarea".split()
)
_PARAGRAPHS = frozenset("p h1 h2 h3 h4 h5 h6 dl blockquote pre fieldset figure".split())
_BLOCKS = frozenset(
    "div address article aside section header footer main nav center "
    "form dt dd li ul ol tr td th tbody thead tfoot caption details "
    "summary hgroup legend body html noscript".split()
)
_HIDING = re.compile(
    r"display\s{0,5}:\s{0,5}none|visibility\s{0,5}:\s{0,5}hidden|mso-hide\s{0,"
    r"5}:\s{0,5}all|font-size\s{0,5}:\s{0,5}0(?:\.0{1,5})?(?:px|pt|"
    r"em|%)?\s{0,5}(?:;|!|$)"
    r"|max-height\s{0,5}:\s{0,5}0(?:px)?\s{0,5}(?:;|!|$)|opacity\s{0,5}:\s{0,5}0(?:\.0{1,5})?\s{0,5}(?:;|!|$)",
    re.IGNORECASE,
)
_HIDING_HINTS = (
    "none",
    "visibility",
    "mso-hide",
    "font-size:0",
    "font-size: 0",
    "max-height:0",
    "max-height: 0",
    "opacity",
    " hidden",
)
_QUOTE_HINTS = (
    "quote",
    "divrplyfwdmsg",
    "appendonsend",
    "cite",
    "olk_src",
    "stopspelling",
    "border-top",
    "reference-message",
    "zmail_extra",
    "reply-intro",
)
_QUOTE_CLASSES = frozenset(
    "gmail_quote gmail_quote_container yahoo_quoted moz-cite-prefix protonmail_quote tutanota_quote zmail_extra "
    "moz-forward-container quotetop ms-outlook-mobile-reference-message wps_quotion x_gmail_quote "
    "x_moz-cite-prefix".split()
)
_QUOTE_IDS = frozenset(
    (
        "OLK_SRC_BODY_SECTION",
        "mail-editor-reference-message-container",
        "reply-intro",
        "isReplyContent",
        "x_OLK_SRC_BODY_SECTION",
    )
)
# From these on, everything to the end of the mail is the earlier one.
_CUT_IDS = frozenset(
    ("divRplyFwdMsg", "appendonsend", "x_divRplyFwdMsg", "x_appendonsend", "stopSpelling", "divtagdefaultwrapper_reply")
)
_OUTLOOK_RULE = re.compile(
    r"border:\s?none;\s?border-top:\s?solid\s#?\w{3,20}\s1\.0pt;\s?padding:\s?3\.0pt", re.IGNORECASE
)
_INDENT = re.compile(r"border(?:-left)?\s{0,3}:\s{0,3}(?:none|0)", re.IGNORECASE)
_BLANKS = re.compile("[ \t\n\r\f]+")
_NESTING_TAG = re.compile("<(/?)([a-zA-Z][a-zA-Z0-9]{0,15})")
_NOT_NESTING = frozenset(
    "br img hr meta input link col area base wbr param source p li "
    "td tr th tbody thead tfoot dt dd option html head body".split()
)
_ANY_TAG = re.compile("<[^<>]*>?")
_DOM_DEPTH = 3_000
_MAX_TABLE_DEPTH = 12
_MAX_QUOTE_DEPTH = 20
_MAX_LIST_DEPTH = 12


@dataclass(slots=True)
class Rendered:
    """The text, its numbered links, and the ranges of it that stood in a mail client's quote container."""

    text: str
    links: list[Link] = field(default_factory=list)
    quoted: list[tuple[int, int]] = field(default_factory=list)


def visible_length(html: str) -> int:
    """How many characters of text a document shows, roughly: only to tell a stub from the real thing."""
    if _too_deep(html):
        return len(_flat_text(html))
    root = _parse(html)
    if root is None:
        return 0
    return len(" ".join(root.text(deep=True, separator=" ").split()))


def render_html(html: str, names: dict[str, str], links_before: int, log: DefectLog) -> Rendered:
    """Render a document. `names` are file names by content id; links are numbered from `links_before` + 1."""
    if len(html) > MAX_HTML:
        log.add("html-too-long", str(len(html)))
    if _too_deep(html):
        log.add("html-depth", str(_DOM_DEPTH))
        return Rendered(_flat_text(html))
    root = _parse(html)
    if root is None:
        return Rendered("")
    walk = _Walk(html, names, links_before, log)
    walk.run(root)
    text, quoted = walk.builders[0].finish()
    return Rendered(text, walk.links, quoted)


def _too_deep(html: str) -> bool:
    """Whether elements nest so deep that building the DOM is quadratic: its scope checks walk the whole stack."""
    if html.count("<", 0, MAX_HTML) < _DOM_DEPTH:
        return False
    depth = 0
    for match in _NESTING_TAG.finditer(html, 0, MAX_HTML):
        if match[2].lower() in _NOT_NESTING:
            continue
        depth += -1 if match[1] else 1
        if depth < 0:
            depth = 0
        elif depth > _DOM_DEPTH:
            return True
    return False


def _flat_text(html: str) -> str:
    from html import unescape

    return "\n".join(
        line
        for line in (_BLANKS.sub(" ", one).strip() for one in unescape(_ANY_TAG.sub("\n", html[:MAX_HTML])).split("\n"))
        if line
    )


def _parse(html: str) -> LexborNode | None:
    from selectolax.lexbor import LexborHTMLParser

    parser = LexborHTMLParser(html[:MAX_HTML])
    # A <frameset> document has no body.
    return parser.body or parser.root


@dataclass(slots=True)
class _Open:
    """An element whose end is still to come: what to do there."""

    node: LexborNode
    tag: str
    quoted_from: int = -1
    link: str = ""
    link_from: int = 0
    prefixed: bool = False
    table: bool = False
    cell: bool = False


class _Walk:
    def __init__(self, html: str, names: dict[str, str], links_before: int, log: DefectLog) -> None:
        window = html[:MAX_HTML].lower()
        self.check_hidden = any(hint in window for hint in _HIDING_HINTS)
        self.check_quotes = any(hint in window for hint in _QUOTE_HINTS)
        self.names = names
        self.links_before = links_before
        self.log = log
        self.links: list[Link] = []
        self.numbers: dict[str, int] = {}
        self.builders = [TextBuilder()]
        self.tables: list[list[list[TextBuilder]]] = []
        self.lists: list[int] = []  # the next number of an ordered list, -1 in an unordered one
        self.quote_depth = 0
        self.pre_depth = 0

    def run(self, root: LexborNode) -> None:
        """Visit every node once, with an explicit stack of open elements."""
        stack: list[_Open] = []
        node: LexborNode | None = root
        seen = 0
        while node is not None:
            seen += 1
            if seen > MAX_HTML_NODES:
                self.log.add("html-nodes", str(MAX_HTML_NODES))
                break
            opened = self._enter(node, len(stack))
            if opened is not None:
                child = node.first_child
                if child is not None:
                    stack.append(opened)
                    node = child
                    continue
                self._leave(opened)
            following = node.next if stack else None
            while following is None and stack:
                done = stack.pop()
                self._leave(done)
                following = done.node.next if stack else None
            node = following
        while stack:
            self._leave(stack.pop())

    def _enter(self, node: LexborNode, depth: int) -> _Open | None:
        """Begin a node; None when nothing below it is to be visited."""
        tag = node.tag or ""
        builder = self.builders[-1]
        if tag == "-text":
            self._text(node.text_content or "", builder)
            return None
        if tag[:1] == "-" or tag[:1] == "!" or tag in _SKIPPED:
            return None
        if tag == "br":
            builder.line_break()
            return None
        opened = _Open(node, tag)
        if depth > MAX_HTML_DEPTH:
            self.log.add("html-depth", str(MAX_HTML_DEPTH))
            return opened
        attributes = (
            node.attributes if self.check_hidden or self.check_quotes or tag in ("a", "img", "ol", "blockquote") else {}
        )
        if (
            self.check_hidden
            and attributes
            and ("hidden" in attributes or _HIDING.search(attributes.get("style") or ""))
        ):
            return None
        if tag == "img":
            self._image(attributes, builder)
            return None
        if tag == "a":
            opened.link, opened.link_from = clean_url(attributes.get("href") or ""), builder.written
            return opened
        if tag in _PARAGRAPHS:
            builder.paragraph()
        elif tag in _BLOCKS or tag == "table":
            builder.new_line()
        if self.check_quotes and attributes:
            self._mark_quote(tag, attributes, builder, opened)
        self._structure(tag, attributes, builder, opened)
        return opened

    def _structure(self, tag: str, attributes: dict[str, str | None], builder: TextBuilder, opened: _Open) -> None:
        if tag == "blockquote":
            if self.quote_depth < _MAX_QUOTE_DEPTH and not _INDENT.search(attributes.get("style") or ""):
                builder.push_prefix("> ", "> ")
                self.quote_depth += 1
                opened.prefixed = True
        elif tag == "hr":
            builder.new_line()
            builder.add("-" * 10)
            builder.new_line()
        elif tag == "pre":
            self.pre_depth += 1
        elif tag in ("ul", "ol"):
            if not self.lists:
                builder.paragraph()
            start = attributes.get("start") or "1"
            self.lists.append(
                (int(start) if start.isascii() and start.isdigit() and len(start) < 7 else 1) if tag == "ol" else -1
            )
        elif tag == "li" and len(self.lists) < _MAX_LIST_DEPTH:
            marker = "- "
            if self.lists and self.lists[-1] >= 0:
                marker = f"{self.lists[-1]}. "
                self.lists[-1] += 1
            builder.push_prefix(marker, " " * len(marker))
            opened.prefixed = True
        elif tag == "table":
            if len(self.tables) < _MAX_TABLE_DEPTH:
                self.tables.append([])
                opened.table = True
        elif tag == "tr":
            if self.tables:
                self.tables[-1].append([])
        elif tag in ("td", "th") and self.tables and len(self.builders) <= len(self.tables):
            self.builders.append(TextBuilder())
            opened.cell = True

    def _leave(self, opened: _Open) -> None:
        builder = self.builders[-1]
        tag = opened.tag
        if opened.cell:
            done = self.builders.pop()
            rows = self.tables[-1]
            if not rows:
                rows.append([])
            rows[-1].append(done)
            return
        if opened.table:
            lay_out_table(self.tables.pop(), builder)
        if opened.link:
            self._link(opened, builder)
        if opened.prefixed:
            builder.pop_prefix()
            if tag == "blockquote":
                self.quote_depth -= 1
        if tag == "pre" and self.pre_depth:
            self.pre_depth -= 1
        elif tag in ("ul", "ol") and self.lists:
            self.lists.pop()
            if not self.lists:
                builder.paragraph()
        if tag in _PARAGRAPHS:
            builder.paragraph()
        elif tag in _BLOCKS or tag == "table":
            builder.new_line()
        if opened.quoted_from >= 0:
            builder.mark(opened.quoted_from)

    def _text(self, text: str, builder: TextBuilder) -> None:
        if self.pre_depth:
            lines = text.replace("\r\n", "\n").replace("\u00a0", " ").split("\n")
            for number, line in enumerate(lines):
                if number:
                    builder.line_break()
                builder.add_verbatim(line)
            return
        builder.add(_BLANKS.sub(" ", text).replace("\u00a0", " "))

    def _mark_quote(self, tag: str, attributes: dict[str, str | None], builder: TextBuilder, opened: _Open) -> None:
        identity = attributes.get("id") or ""
        classes = attributes.get("class") or ""
        if identity in _CUT_IDS or (tag == "div" and _OUTLOOK_RULE.search(attributes.get("style") or "")):
            self.builders[0].new_line() if len(self.builders) == 1 else None
            self.builders[0].mark_to_end()
        elif (
            identity in _QUOTE_IDS
            or (classes and not _QUOTE_CLASSES.isdisjoint(classes.split()))
            or (tag == "blockquote" and attributes.get("type") == "cite")
        ):
            opened.quoted_from = builder.line_number

    def _image(self, attributes: dict[str, str | None], builder: TextBuilder) -> None:
        source = (attributes.get("src") or "").strip()
        alternative = one_line(_BLANKS.sub(" ", attributes.get("alt") or ""))[:100]
        if source[:4].lower() == "cid:":
            builder.add(f"[image: {one_line(self.names.get(source[4:], '')) or alternative or 'image'}]")
            return
        sizes = [attributes.get(side) or "" for side in ("width", "height")]
        if not alternative or any(size.rstrip("px").strip() in ("0", "1", "2", "3") for size in sizes):
            return
        # Mail clients send emoji as pictures.
        builder.add(f"[image: {alternative}]" if any(char.isalnum() for char in alternative) else alternative)

    def _link(self, opened: _Open, builder: TextBuilder) -> None:
        url = opened.link
        scheme = url.partition(":")[0].lower()
        if scheme not in ("http", "https", "mailto", "ftp") or builder.written == opened.link_from:
            return
        shown = builder.recent(builder.written - opened.link_from).strip()
        if scheme == "mailto" and shown and url[7:].partition("?")[0].casefold() in shown.casefold():
            return
        number = self.numbers.get(url)
        if number is None:
            if len(self.links) >= MAX_LINKS:
                self.log.add("links", str(MAX_LINKS))
                return
            number = self.numbers[url] = self.links_before + len(self.links) + 1
            self.links.append(Link(number, url, real_host(url), shown[:200]))
        builder.add_after(f" [{number}]")
