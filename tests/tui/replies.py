"""What a terminal says by itself: answers to questions that a customer's text may have asked it (D07)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import random

WORDS: Final = ("rm -rf ~", "yq", "!", "e", "u", ":quit", "\r", "s", "G", "d", "y", "x", "/x")
"""What an attacker would like to have typed."""


def terminal_reply(chance: random.Random) -> bytes:
    """One answer of a terminal, whole, with something that would do harm as keys."""
    word, number = chance.choice(WORDS), chance.randrange(1, 200)
    printable = "".join(character for character in word if character.isprintable())
    return chance.choice(
        [
            f"\x1bP1$r{number};{printable}m\x1b\\",  # DECRQSS
            f"\x1bP0$r{printable}\x1b\\",
            f"\x1bP1+r544e={printable.encode().hex()}\x1b\\",  # XTGETTCAP
            f"\x1bP>|{printable}({number})\x1b\\",  # XTVERSION
            f"\x1bP!|{number:08X}\x1b\\",  # DA3
            f"\x1b[?{number};1;2c",  # DA1
            f"\x1b[>41;{number};0c",  # DA2
            f"\x1b[{number};{number}R",  # CPR
            "\x1b[0n",  # DSR
            f"\x1b[8;{number};{number}t",  # the window's size
            f"\x1b]l{printable}\x1b\\",  # the window's title
            f"\x1b]L{printable}\x07",
            f"\x1b]52;c;{printable.encode().hex()}\x07",  # the clipboard
            f"\x1b]10;rgb:{number:04x}/0000/0000\x1b\\",  # a colour
            f"\x1b]11;rgb:{printable}\x07",
            f"\x1b]4;{number};rgb:00/00/00\x1b\\",
            f"\x1b_G i={number};{printable}\x1b\\",  # kitty's pictures
            f"\x1b[?{number};2$y",  # DECRPM
        ]
    ).encode()
