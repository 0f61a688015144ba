"""Header fields as octets: encoded words, folding, addresses, MIME parameters (RFC 5322, 2047, 2231, 6532).

Writing only. Every value is checked before it is written: a control character in any of them is an error, never
something to be repaired here. Reading is `mail.parse`'s business.
"""

from __future__ import annotations

import re
from base64 import b64encode
from typing import TYPE_CHECKING
from urllib.parse import quote

from supportdesk.errors import SupportdeskError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from supportdesk.mail.model import Address

LINE = 76  # octets, aimed at
HARD_LINE = 998  # octets, RFC 5322 2.1.1
_ENCODED_OCTETS = 42  # of UTF-8 in one encoded word: 56 of base64 and the 12 around them stay below 75

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_MESSAGE_ID = re.compile(r"<[!-;=?-~]{1,900}>")
_LOCAL_PART = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}")
_LOCAL_PART_UTF8 = re.compile(r"(?:[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]|(?!\s)[\u00a0-\U0010ffff]){1,64}")
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_DOMAIN = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+")
_PLAIN_FILENAME = re.compile(r"[A-Za-z0-9._()+-]+(?: [A-Za-z0-9._()+-]+)*")


class ComposeError(SupportdeskError):
    """A mail cannot be written as it is meant; the message names the field."""


def checked(field: str, value: str) -> str:
    """The value, if no control character, line separator or lone surrogate is in it; else ComposeError."""
    found = _CONTROLS.search(value)
    if found is not None:
        raise ComposeError(
            f"{field} contains the control character U+{ord(found[0]):04X}",
            hint="Remove it and send again.",
        )
    return value


def is_message_id(text: str) -> bool:
    """Whether a foreign Message-ID can be repeated: printable ASCII in brackets, short enough for one line."""
    return _MESSAGE_ID.fullmatch(text) is not None


def wire_key(addr: str) -> str:
    """The key by which an address as it was written and as it went on the wire are the same one."""
    try:
        return wire_address("address", addr, smtputf8=True).casefold()
    except ComposeError:
        return addr.casefold()


def wire_address(field: str, addr: str, *, smtputf8: bool = False) -> str:
    """`local@domain` as it goes on the wire: domain as A-labels, one `@`, no quotes, no route (R10)."""
    checked(field, addr)
    local, at, domain = addr.rpartition("@")
    if not at or not (_LOCAL_PART_UTF8 if smtputf8 else _LOCAL_PART).fullmatch(local):
        if at and _LOCAL_PART_UTF8.fullmatch(local):
            raise ComposeError(
                f"{field}: the server cannot deliver to {addr!r}",
                hint="Its part before the @ is not ASCII, and the sending server does not offer SMTPUTF8.",
            )
        raise ComposeError(f"{field}: {addr!r} is not an address", hint="An address is local@domain.")
    return f"{local}@{_a_labels(field, domain)}"


def text_field(name: str, text: str) -> bytes:
    """An unstructured field: as it is when that is plain ASCII that folds, else in encoded words."""
    checked(name, text)
    if not text:
        return _folded(name, [""])
    words = text.split(" ")
    plain = text.isascii() and "=?" not in text and all(words) and max(map(len, words)) <= LINE - 2
    return _folded(name, words if plain else _encoded_words(text))


def address_field(name: str, addresses: Iterable[Address], *, smtputf8: bool = False) -> bytes:
    """A list of mailboxes, names encoded word by word, folded between words."""
    tokens: list[str] = []
    for address in addresses:
        if tokens:
            tokens[-1] += ","
        wire = wire_address(name, address.addr, smtputf8=smtputf8)
        tokens += [*_phrase(name, address.name), f"<{wire}>"] if address.name else [wire]
    return _folded(name, tokens)


def ids_field(name: str, ids: Sequence[str]) -> bytes:
    """In-Reply-To or References: one id a line when they do not fit."""
    return _folded(name, ids)


def token_field(name: str, token: str) -> bytes:
    """A field whose value is made by us and known to be ASCII."""
    return _folded(name, [checked(name, token)])


def parameter_field(name: str, value: str, parameters: Iterable[tuple[str, str]]) -> bytes:
    """A MIME field: quoted parameters where plain ASCII will do, else RFC 2231 with an ASCII fallback before it."""
    tokens = [checked(name, value)]
    for key, text in parameters:
        checked(f"{name} {key}", text)
        fallback = ascii_filename(text) if key == "filename" else text
        if key != "filename":
            pieces = [f'{key}="{text}"' if "=" in text else f"{key}={text}"]
        elif fallback == text:
            pieces = [f'{key}="{text}"']
        else:
            pieces = [f'{key}="{fallback}"', *_extended(key, text)]
        for piece in pieces:
            tokens[-1] += ";"
            tokens.append(piece)
    return _folded(name, tokens)


def ascii_filename(name: str) -> str:
    """The name for programs that read no RFC 2231: what they could misread is an underscore, the extension stays."""
    if _PLAIN_FILENAME.fullmatch(name) and len(name) <= 60:
        return name
    plain = re.sub(r"[^A-Za-z0-9.()+-]+", "_", name)
    stem, dot, extension = plain.rpartition(".")
    return f"{stem[:40]}{dot}{extension[:15]}" if dot else plain[:50]


def _a_labels(field: str, domain: str) -> str:
    wire = domain.lower()
    if not domain.isascii():
        import idna

        try:
            wire = idna.encode(domain, uts46=True).decode("ascii").lower()
        except idna.IDNAError as error:
            raise ComposeError(f"{field}: {domain!r} is not a domain", hint=str(error)) from error
    if not _DOMAIN.fullmatch(wire):
        raise ComposeError(f"{field}: {domain!r} is not a domain", hint="A domain is letters, digits, hyphens, dots.")
    return wire


def _phrase(field: str, name: str) -> list[str]:
    checked(f"{field} name", name)
    words = name.split(" ")
    short = all(words) and max(map(len, words)) <= LINE - 4
    if name.isascii() and "=?" not in name and short:
        if _ATOMS.fullmatch(name):
            return words
        quoted = name.replace("\\", "\\\\").replace('"', '\\"')
        if len(quoted) <= LINE - 4:
            return [f'"{quoted}"']
    return _encoded_words(name)


def _encoded_words(text: str) -> list[str]:
    """UTF-8 base64 words, cut between characters (RFC 2047 5); the space between them is not part of the text."""
    words, piece = [], b""
    for character in text:
        octets = character.encode("utf-8")
        if len(piece) + len(octets) > _ENCODED_OCTETS:
            words.append(piece)
            piece = b""
        piece += octets
    return [f"=?utf-8?b?{b64encode(word).decode('ascii')}?=" for word in (*words, piece)]


def _extended(key: str, text: str) -> list[str]:
    """`key*=UTF-8''…`, continued in numbered pieces when one line cannot hold it (RFC 2231 3, 4)."""
    encoded = quote(text, safe="-._")
    if len(encoded) <= LINE - len(key) - 12:
        return [f"{key}*=UTF-8''{encoded}"]
    pieces = re.findall(r"(?:%..|[^%]){1,18}", encoded)
    charset = "UTF-8''"
    return [f"{key}*{number}*={charset if not number else ''}{piece}" for number, piece in enumerate(pieces)]


def _folded(name: str, tokens: Sequence[str]) -> bytes:
    """`Name: tokens`, a new line before a token that does not fit."""
    lines, line = [], f"{name}:"
    for number, token in enumerate(tokens):
        if number and len(line.encode()) + 1 + len(token.encode()) > LINE:
            lines.append(line)
            line = ""
        line += f" {token}"
    lines.append(line)
    octets = "\r\n".join(lines).encode("utf-8")
    if any(len(one) > HARD_LINE for one in octets.split(b"\r\n")):
        raise ComposeError(f"{name} has a word that is too long to send")
    return octets + b"\r\n"
