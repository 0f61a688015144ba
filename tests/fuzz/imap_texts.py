"""Texts that would like to be IMAP commands (reliability.md C11), counted on the wire of a server of ours."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Final

from supportdesk.mail.imap import ImapSource
from tests.mail.test_imap_hostile import HostileServer, source_of

PIECES: Final = (
    "\r\n", "\n", "\r", "\0", '"', "\\", '\\"', "{3}", "{3+}", "~{3}", " ", "%", "*", "(", ")", "&-", "&AA0ACg-", "A1 ",
    "A1 LOGOUT", "DELETE INBOX", "\r\nA2 DELETE INBOX\r\n", "\x7f", "\x80", "\u2028", "\u202e", "é", "日", "😀",
    "INBOX", "/", ".", "..", "#news", "<", ">", "@", "sd.", "a",
)  # fmt: skip
# What is done with the text, and the commands that this may bring.
DOINGS: Final[dict[str, tuple[Callable[[ImapSource, str], object], bytes]]] = {
    "open": (lambda source, text: source.select(text), b"EXAMINE"),
    "search id": (lambda source, text: source.find_message_id("INBOX", text), b""),
    "search folder": (
        lambda source, text: source.find_message_id(text, "<sd.a.1.abc@shop.example>"),
        b"EXAMINE SEARCH",
    ),
    "move to": (lambda source, text: source.mark([1], "move", text), b"SELECT UID"),
    "policy": (lambda source, text: source.mark([1], text), b"SELECT"),
}


def hostile_texts(count: int, seed: int) -> Iterable[str]:
    dice = random.Random(seed)
    return ("".join(dice.choices(PIECES, k=dice.randint(1, 7))) for _ in range(count))


def extra_commands(doing: str, texts: Iterable[str]) -> tuple[int, list[str]]:
    """How many of the texts the server was asked about, and those that brought it a command too many."""
    act, expected = DOINGS[doing]
    allowed = set(expected.split()) | {b"UID"}
    server = HostileServer({b"SEARCH": b"* SEARCH\r\n% OK done\r\n", b"MOVE": b"% OK done\r\n"})
    server.answers[b"CAPABILITY"] = b"* CAPABILITY IMAP4rev1 MOVE UIDPLUS\r\n% OK done\r\n"
    asked, wrong = 0, []
    with source_of(server) as source:
        for text in texts:
            before = len(server.heard)
            with suppress(ValueError):
                act(source, text)
            asked += len(server.heard) > before
            said = [(*line.split(), b"?", b"?")[1].upper() for line in server.heard[before:]]
            if len(said) > 2 or set(said) - allowed:
                wrong.append(f"{text!a}: {server.heard[before:]}")
    return asked, wrong


def main(count: int, seed: int) -> int:
    """Print the commands too many that so many texts brought, in equal shares for each doing; 1 when there is one."""
    share, found, asked = -(-count // len(DOINGS)), 0, 0
    for doing in DOINGS:
        here, wrong = extra_commands(doing, hostile_texts(share, seed))
        asked, found = asked + here, found + len(wrong)
        for line in wrong[:5]:
            print(f"{doing}: {line}")
    print(f"texts={share * len(DOINGS)} commands_asked={asked} extra_commands={found} seed={seed}")
    return 1 if found else 0
