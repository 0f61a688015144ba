"""HTML to text."""
from __future__ import annotations
from dataclasses import dataclass, field
from supportdesk.mail.limits import MAX_HTML, DefectLog
from supportdesk.mail.model import Link


@dataclass(slots=True)
class Rendered:
    text: str
    links: list[Link] = field(default_factory=list)
    quoted: list[tuple[int, int]] = field(default_factory=list)


def visible_length(html: str) -> int:
    from selectolax.lexbor import LexborHTMLParser
    body = LexborHTMLParser(html[:MAX_HTML]).body
    return len(body.text().strip()) if body else 0


def render_html(html: str, names: dict[str, str], links_before: int, log: DefectLog) -> Rendered:
    from selectolax.lexbor import LexborHTMLParser
    body = LexborHTMLParser(html[:MAX_HTML]).body
    return Rendered(body.text(separator="\n", strip=True) if body else "")
