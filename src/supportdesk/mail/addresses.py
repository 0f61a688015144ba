"""Address fields in the wild (RFC 5322 with its obsolete forms, RFC 6854 groups, PARSE-5): one linear scan, no
exception.

Addresses are parsed first and display names decoded after, so that a comma inside an encoded word splits nothing.
"""

from __future__ import annotations

import re

from supportdesk.mail.charset import decode_header_octets
from supportdesk.mail.domains import canonical_domain
from supportdesk.mail.limits import MAX_ADDRESSES, DefectLog
from supportdesk.mail.model import Address
from supportdesk.mail.words import decode_words, one_line

_COMMON = re.compile(
    r"""\s*(?:"([^"\\<>@]*)"\s*|([^"\\<>@,;:()\[\]]*))<([^\s"<>@,;:()\\\[\]]+@[^\s"<>@,;:()\\\[\]]+)>\s*$"""
)
_BARE = re.compile(r"""\s*([^\s"<>@,;:()\\\[\]=]+@[^\s"<>@,;:()\\\[\]]+)\s*$""")
_PLAIN = re.compile(r"""=?[^"<>,;:()\\=]*""")
_SPLIT_DOMAIN = re.compile(r"\s+([@.])\s{0,4}(?=\S)")  # obs-domain: blanks around what joins the words
_WORD_LIMIT = 1_000


def parse_addresses(value: str, fallback_charset: str = "", log: DefectLog | None = None) -> tuple[Address, ...]:
    """Every usable mailbox of a field (octets as Latin-1 characters), groups flattened, at most MAX_ADDRESSES."""
    if not value.isascii():
        value = decode_header_octets(value.encode("latin-1", "replace"), fallback_charset)
    if match := _BARE.match(value):
        return (Address("", _normal(match[1])),)
    if value.count("<") == 1 and (match := _COMMON.match(value)):
        return (Address(_display(match[1] if match[1] is not None else match[2]), _normal(match[3])),)
    return _scan(value, log)


def name_hides_address(address: Address) -> bool:
    """Whether the display name shows an address other than the real one ("boss@corp.example" <x@evil.example>)."""
    if "@" not in address.name:
        return False
    shown = address.name.strip(" '\"<>()").casefold()
    return (
        any("." in word.rpartition("@")[2] for word in shown.split() if "@" in word[1:]) and address.norm not in shown
    )


def _scan(value: str, log: DefectLog | None) -> tuple[Address, ...]:
    found: list[Address] = []
    phrase: list[str] = []
    comments: list[str] = []
    angle: str | None = None
    at, length = 0, len(value)
    no_more_angles = no_more_quotes = no_more_comments = False  # a scan that failed once fails for ever

    def flush() -> None:
        nonlocal angle
        if (phrase or angle is not None) and (address := _mailbox(phrase, comments, angle)):
            found.append(address)
        phrase.clear()
        comments.clear()
        angle = None

    while at < length:
        char = value[at]
        if char == '"':
            text, at, closed = _quoted(value, at + 1) if not no_more_quotes else ("", at + 1, False)
            no_more_quotes = not closed
            phrase.append('"' + text)
        elif char == "(":
            text, at, closed = _comment(value, at + 1) if not no_more_comments else ("", at + 1, False)
            no_more_comments = not closed
            comments.append(text)
        elif char == "<":
            end = -1 if no_more_angles else value.find(">", at)
            no_more_angles = end < 0
            if end < 0:
                end = value.find(",", at)
                end = length if end < 0 else end
            inner = value.rfind("<", at + 1, end)
            if inner >= 0 and "@" in (unclosed := value[at + 1 : inner].partition(",")[0]):
                end, content = at + 1 + len(unclosed), unclosed
            else:
                content = value[max(inner, at) + 1 : end]
            if angle is None or ("@" in content and "@" not in angle):
                if angle is not None:
                    phrase.append(angle)
                angle = content
            elif "@" in content:
                flush()
                angle = content
            at = end + 1 if end < length and value[end] == ">" else end
        elif char == "," or char == ";":
            flush()
            at += 1
        elif char == ":":
            if not any("@" in piece for piece in phrase):
                phrase.clear()
                comments.clear()
            at += 1
        elif char == "=" and value.startswith("=?", at) and (end := value.find("?=", at + 8, at + _WORD_LIMIT)) >= 0:
            # An encoded word may hold raw commas; with no separator in it, it is copied with what follows.
            start = at
            at = end + 2
            phrase.append(value[start:at] if start == 0 or not value[start - 1].isspace() else " " + value[start:at])
        else:
            match = _PLAIN.match(value, at)
            end = max(match.end() if match else 0, at + 1)
            phrase.append(value[at:end].strip(">"))
            at = end
        if len(found) >= MAX_ADDRESSES:
            if log:
                log.add("addresses", str(MAX_ADDRESSES))
            return tuple(found)
    flush()
    return tuple(found)


def _mailbox(phrase: list[str], comments: list[str], angle: str | None) -> Address | None:
    name = "".join(piece[1:] if piece[:1] == '"' else piece for piece in phrase)
    addr = ""
    if angle is not None:
        addr = angle.rpartition(":")[2] if angle.lstrip().startswith("@") or angle.startswith("mailto:") else angle
        addr = addr.strip().strip("<>").strip("'")
        if "@" not in addr and "=?" in addr:
            addr = one_line(decode_words(addr))
        if "@" not in addr and "@" in name:
            addr, name = name, addr
    if not addr:
        if "@" not in name and "=?" in name:
            name = one_line(decode_words(name))
        if "@" not in name:
            return None
        # No angle brackets: a quoted local part is one word, else the last word with an @ is the address.
        if phrase[0][:1] == '"' and len(phrase) > 1 and phrase[1].startswith("@"):
            addr, name = f'"{phrase[0][1:]}"{"".join(phrase[1:]).split()[0]}', ""
        else:
            words = _SPLIT_DOMAIN.sub(r"\1", name).split()
            index = max(index for index, word in enumerate(words) if "@" in word)
            addr = words.pop(index)
            name = " ".join(words)
    addr = _normal(addr)
    local, at, domain = addr.rpartition("@")
    if not at or not local or not domain:
        return None
    return Address(_display(name if name.strip() else " ".join(comments)), addr)


def _normal(addr: str) -> str:
    local, at, domain = addr.rpartition("@")
    if not at:
        return one_line(addr)
    domain = canonical_domain("".join(domain.split()).rstrip(".>"))
    if " " in local and not local.strip().startswith('"'):
        local = "".join(local.split())
    return one_line(f"{local.strip()}@{domain}")


def _display(name: str) -> str:
    name = one_line(decode_words(name)) if "=?" in name else one_line(name)
    if len(name) > 1 and name[0] == name[-1] and name[0] in "\"'":
        name = name[1:-1].strip()
    return " ".join(name.split())


def _quoted(value: str, at: int) -> tuple[str, int, bool]:
    """A quoted string; where its end is missing, it ends before the next angle bracket or comma."""
    start, search = at, at
    while (end := value.find('"', search)) >= 0:
        backslashes = 0
        while end - 1 - backslashes >= start and value[end - 1 - backslashes] == "\\":
            backslashes += 1
        if backslashes % 2 == 0:
            text = value[start:end]
            return (re.sub(r"\\(.)", r"\1", text) if "\\" in text else text), end + 1, True
        search = end + 1
    stops = [stop for stop in (value.find("<", start), value.find(",", start)) if stop >= 0]
    end = min(stops, default=len(value))
    return value[start:end], max(end, start), False


def _comment(value: str, at: int) -> tuple[str, int, bool]:
    """A comment, nested ones included; without its end it is only the word that follows."""
    depth, start = 1, at
    for match in re.finditer(r"[()\\]", value[at:]):
        position = at + match.start()
        if match[0] == "(":
            depth += 1
        elif match[0] == ")":
            depth -= 1
            if depth == 0:
                return value[start:position], position + 1, True
    stops = [stop for stop in (value.find("<", start), value.find(",", start)) if stop >= 0]
    end = min(stops, default=len(value))
    return value[start:end], max(end, start), False
