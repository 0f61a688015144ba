"""Whether the text of a link shows another host than the one it leads to (SEC-1).

Words that name a host are found in running text and spelled as the hosts of URLs are (`mail.links`, IDNA), so that the
two can be compared for equality. No list of all top-level domains: what ends like a file or an abbreviation is none.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Final

from supportdesk.mail.domains import canonical_domain
from supportdesk.mail.links import real_host, trim_url
from supportdesk.safetext import safe

if TYPE_CHECKING:
    from collections.abc import Iterator

_EAST_ASIAN: Final = "\u1100-\u11ff\u2e80-\ud7ff\uf900-\ufaff"
_LETTER: Final = rf"[^\W_{_EAST_ASIAN}]"
"""A letter or digit of a script that is written with blanks between words: in the others a host has no beginning."""

_WORD: Final = re.compile(
    rf"(?P<scheme>[a-z][a-z0-9+.-]{{0,20}}:[/\\]{{1,3}}(?=[^\s/\\]))(?P<authority>[^\s/?#\\<>\"]+)"
    rf"|(?:(?P<before>[\w.+-]+)@)?(?P<host>{_LETTER}(?:{_LETTER}|-)*(?:\.{_LETTER}(?:{_LETTER}|-)*)+)(?P<dot>\.?)"
    rf"(?P<port>:\d{{1,5}}(?!\d))?",
    re.IGNORECASE,
)
_REST: Final = re.compile(r"[/?#\\]\S*")
_IDEOGRAPHIC_STOP: Final = re.compile("(?<=[A-Za-z0-9])[\u3002\uff61](?=[A-Za-z0-9])")
"""Browsers take it for a dot, and it looks like one (UTS 46)."""

_NO_DOMAINS: Final = frozenset(
    "pdf doc docx odt ods odp xls xlsx ppt pptx rtf txt csv tsv xml json ics vcf eml msg log "
    "jpg jpeg png gif webp heic tif tiff bmp svg mp3 mp4 wav avi zip rar tar gz htm html php asp aspx jsp js css "
    "exe bat dmg apk ssa ra".split()
)
"""What files and titles (`prof.ssa`, `sig.ra`) end with. Some are domains too; after `www.` or a scheme they count."""


def pretended_host(url: str, host: str, text: str) -> str:
    """The host that the text of a link shows and that is not `host`, where the URL leads; "" for an honest link."""
    if host and text.strip() == url:
        return ""
    true = _bare(canonical_domain(host.rstrip(".")))
    return next((shown for shown in shown_hosts(text) if _bare(shown) != true), "")


def shown_hosts(text: str) -> Iterator[str]:
    """The hosts that a text names, each in the one spelling of its domain: of URLs, addresses and single words."""
    text = _IDEOGRAPHIC_STOP.sub(".", unicodedata.normalize("NFKC", safe(text)))
    at = 0
    while (found := _WORD.search(text, at)) is not None:
        at = found.end()
        hosts = list(_of_url(found) if found["scheme"] else _of_word(found))
        yield from hosts
        if hosts and (rest := _REST.match(text, at)) is not None:
            at = rest.end()


def _of_url(found: re.Match[str]) -> Iterator[str]:
    """The host, and before it what stands in the place of a user's name and looks like one."""
    *users, last = trim_url(found["authority"]).split("@")
    for user in users:
        name = user.partition(":")[0]
        if "." in name.strip("."):
            yield canonical_domain(name.strip("."))
    if host := real_host(f"http://{last}"):
        yield host


def _of_word(found: re.Match[str]) -> Iterator[str]:
    before, host = found["before"] or "", found["host"].lower()
    if before.lower().startswith("www."):
        yield canonical_domain(before)
    labels = host.split(".")
    ending = labels[-1]
    is_named = labels[0] == "www" or ending.startswith("xn--")
    is_abbreviation = bool(found["dot"]) and len(ending) <= 2 and any(len(label) == 1 for label in labels)
    if is_named or (ending.isalpha() and len(ending) > 1 and ending not in _NO_DOMAINS and not is_abbreviation):
        yield canonical_domain(host)


def _bare(host: str) -> str:
    """A host without its `www.`: both lead to the same place."""
    rest = host.removeprefix("www.")
    return rest if "." in rest else host
