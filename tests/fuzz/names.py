"""File names that a sender may think of (reliability.md C07), and what must hold of each after it was made safe."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from random import Random
from typing import Final

from supportdesk.mail.params import safe_file_name

HOSTILE: Final = (
    "../../etc/passwd", "..\\..\\boot.ini", "/etc/shadow", "C:\\autoexec.bat", "a\0b.pdf", "a\r\nX: y.pdf",
    "\x1b]52;c;x\x07.txt", "\u202egpj.exe", "invoice\u202efdp.exe", "-rf", "--help", ".bashrc", "...", "..", ".",
    " ", "", "CON", "nul.txt", "com1.log", "a" * 400 + ".pdf", "\u00e9" * 200 + ".jpeg", "x." + "y", "a/b/c.txt",
    "a\u200bb\u200d.txt", "\ufeffx.txt", "file\u2028name.txt", "e\u0301.txt", "x:stream.txt", ".-. a",
    "/..\u200b/x", "\u200b.hidden", "\u202e-rf", "aux .txt", "a.txt. . .",
)  # fmt: skip
PIECES: Final = (
    "/", "\\", "..", ".", "-", ":", "\0", "\n", "\r", "\t", "\x7f", "\x9b", "\u202e", "\u2066", "\u200b", "\ufeff",
    "\u2028", "\x1b[", " ", "\u00a0", "\u3000", "con", "LPT1", "aux", "a", "é", "e\u0301", "ﬁ", "．．", "／", "日本",
    "👩‍💻", "\ud800", "\ue000", "\U000e0041", "\u0300" * 9, "x" * 90, ".pdf", ".exe", ".tar.gz",
)  # fmt: skip
_RESERVED: Final = frozenset(
    ("CON", "PRN", "AUX", "NUL", *(f"{port}{number}" for port in ("COM", "LPT") for number in range(1, 10)))
)
_UNSEEN: Final = frozenset(("Cc", "Cf", "Cs", "Co", "Zl", "Zp"))


def names(seed: int, numbers: Iterable[int]) -> Iterable[str]:
    """One name a number: pieces of what does harm, or any characters at all."""
    for number in numbers:
        dice = Random(f"{seed}:{number}")
        if dice.random() < 0.7:
            yield "".join(dice.choices((*PIECES, *HOSTILE), k=dice.randint(1, 12)))
        else:
            top = dice.choice((0x80, 0x300, 0x3000, 0x11_0000))
            yield "".join(chr(dice.randrange(top)) for _ in range(dice.randint(0, 200)))


def fault(name: str) -> str:
    """What is wrong with the safe form of a name; "" when nothing is."""
    safe = safe_file_name(name)
    if set(safe) & set("/\\:\0\r\n") or safe in (".", ".."):
        return f"a path: {safe!a}"
    if safe.startswith((".", "-", " ")):
        return f"a hidden name or an option: {safe!a}"
    if len(safe.encode("utf-8", "surrogatepass")) > 150:
        return f"too long: {len(safe.encode('utf-8', 'surrogatepass'))} octets"
    if any(unicodedata.category(char) in _UNSEEN for char in safe):
        return f"unseen characters: {safe!a}"
    if safe.partition(".")[0].strip().upper() in _RESERVED:
        return f"a device: {safe!a}"
    if safe_file_name(safe) != safe:
        return f"not stable: {safe!a}"
    return ""


def main(count: int, seed: int) -> int:
    """Print the faults of so many names; 1 when there is one."""
    faults = [(name, wrong) for name in (*HOSTILE, *names(seed, range(count))) if (wrong := fault(name))]
    for name, wrong in faults[:20]:
        print(f"{name!a}: {wrong}")
    print(f"names={len(HOSTILE) + count} faults={len(faults)} seed={seed}")
    return 1 if faults else 0
