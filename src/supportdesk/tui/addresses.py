"""Recipients as an agent types them: `Giulia Rossi <giulia@example.it>, luca@example.it`. What is wrong in them the
review says; here is only where one ends and the next begins."""

from __future__ import annotations

import re

from supportdesk.mail.model import Address

_SEPARATOR = re.compile(r'[,;](?=(?:[^"]*"[^"]*")*[^"]*$)(?![^<]*>)')
_SHAPE = re.compile(r".+@[^\s@]+")
_NAMED = re.compile(r'\s*"?(?P<name>[^"<]*?)"?\s*<(?P<addr>[^<>]*)>\s*')


def could_be_address(address: Address) -> bool:
    """Whether it has the shape of an address at all; whether it is one, the review says."""
    return _SHAPE.fullmatch(address.addr) is not None


def read_addresses(text: str) -> tuple[Address, ...]:
    """The addresses of a line, in order; empty pieces are left out."""
    found = []
    for piece in _SEPARATOR.split(text):
        if (match := _NAMED.fullmatch(piece)) is not None:
            found.append(Address(match["name"].strip(), match["addr"].strip()))
        elif piece.strip():
            found.append(Address("", piece.strip()))
    return tuple(found)


def last_piece(text: str) -> str:
    """What was begun behind the last separator."""
    return _SEPARATOR.split(text)[-1].lstrip()
