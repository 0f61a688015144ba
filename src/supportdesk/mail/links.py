"""Where a link really goes: the host of a URL, in A-labels where it could pass for another (SEC-1)."""

from __future__ import annotations

import re

from supportdesk.mail.domains import canonical_domain

_AUTHORITY = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,20}:/{0,3}([^/?#\\]*)")
_TRAILING = ".,;:!?'\"»”’*_>"
_SPACE = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029]+")


def clean_url(url: str) -> str:
    """The URL without the blanks and controls that browsers drop as well."""
    return _SPACE.sub("", url)[:2_000]


def trim_url(url: str) -> str:
    """A URL found in running text without the punctuation of the sentence around it."""
    url = url.rstrip(_TRAILING)
    while url.endswith((")", "]")):
        opening = "(" if url[-1] == ")" else "["
        if url.count(opening) >= url.count(url[-1]):
            break
        url = url[:-1].rstrip(_TRAILING)
    return url


def real_host(url: str) -> str:
    """The host a URL leads to, lower-case, without user, password and port; for mailto the domain; "" when there
    is none.
    """
    if url[:7].lower() == "mailto:":
        return canonical_domain(url[7:].partition("?")[0].rpartition("@")[2])
    match = _AUTHORITY.match(url)
    if match is None:
        return ""
    host = match[1].rpartition("@")[2]
    if not host.startswith("["):
        host = host.partition(":")[0]
    return canonical_domain(host.rstrip("."))
