"""One spelling for each domain (RFC 5890): readable where that is safe, in A-labels where it could pass for another.

The same domain comes as `müller.example` and as `xn--mller-kva.example`. A label whose letters are of several scripts,
or Cyrillic or Greek ones under a Latin top-level domain that is not theirs, may look like a name that it is not.
"""

from __future__ import annotations

import unicodedata

_PREFIX = "xn--"
_EAST_ASIAN = frozenset(("CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "HANGUL", "BOPOMOFO", "LATIN"))
_ALIKE = frozenset(("CYRILLIC", "GREEK"))
_THEIRS = frozenset("ru su ua by bg kz kg rs mk me ba mn tj uz gr cy eu".split())  # where these alphabets are at home


def canonical_domain(domain: str) -> str:
    """The spelling under which a domain is stored, compared and shown; what is no domain stays as it is, lower-case."""
    domain = domain.lower()
    if domain.isascii() and _PREFIX not in domain:
        return domain
    labels = [_readable(label) for label in unicodedata.normalize("NFKC", domain).lower().split(".")]
    top = labels[-1]
    at_home = not top.isascii() or top in _THEIRS
    if any(_is_deceptive(label, at_home=at_home) for label in labels):
        return ".".join(label if label.isascii() else _a_label(label) for label in labels)
    return ".".join(labels)


def canonical_address(address: str) -> str:
    """`local@domain` with the domain in its one spelling."""
    local, at, domain = address.rpartition("@")
    return f"{local}@{canonical_domain(domain)}" if at else address


def _readable(label: str) -> str:
    """An A-label in Unicode; one that is none (RFC 5891 5.4) stays as it is: mail must find its way back there."""
    if not label.startswith(_PREFIX):
        return label
    import idna

    try:
        text = idna.ulabel(label)
    except (idna.IDNAError, UnicodeError):
        return label
    return text if _a_label(text) == label else label


def _a_label(label: str) -> str:
    import idna

    try:
        return idna.alabel(label).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        return label


def _is_deceptive(label: str, *, at_home: bool) -> bool:
    if label.isascii():
        return False
    scripts = {unicodedata.name(char, "?").partition(" ")[0] for char in label if char.isalpha()}
    if len(scripts) > 1 and not scripts <= _EAST_ASIAN:
        return True
    return not at_home and bool(scripts & _ALIKE)
