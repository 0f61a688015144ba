"""Sixty things that customers must not be able to do to a terminal, and what no line may hold afterwards."""

from __future__ import annotations

import re
from typing import Final

PAYLOADS: Final[tuple[str, ...]] = (
    "\x1b[31mred", "\x1b[2J\x1b[H", "\x1b]0;owned\x07", "\x1b]2;owned\x1b\\", "\x1b]52;c;ZXZpbA==\x07",
    "\x1b]8;;http://evil.example\x1b\\bank\x1b]8;;\x1b\\", "\x1bP$qm\x1b\\", "\x1bP+q544e\x1b\\",
    "\x1b_Gi=1;AAAA\x1b\\", "\x1b^pm\x1b\\",
    "\x1bXsos\x1b\\", "\x1b[6n", "\x1b[c", "\x1b[>c", "\x1b[21t",
    "\x1b[?1049l", "\x1b[?2004l", "\x1b[201~", "\x1bc", "\x1b(0",
    "\x1b#8", "\x1b[!p", "\x1b]1337;File=:AAAA\x07", "\x1b]50;?\x07", "\x1b]777;notify;a;b\x07",
    "\x9b31m", "\x9d0;owned\x9c", "\x90q\x9c", "\x9fG\x9c", "\x85next",
    "\x00nul", "\x07bell", "\x08\x08\x08back", "\rstart", "\x0bvertical",
    "\x0cform", "\x0eshift", "\x0f", "\x7f\x7f", "\x1a",
    "\u202egpj.exe", "\u202a\u202b\u202d", "\u2066\u2067\u2068\u2069", "\u200e\u200f\u061c", "pay\u200bpal",
    "\u2060\ufeff\u00ad", "\u2028line", "\u2029paragraph", "\ufff9a\ufffab\ufffb", "\U000e0041\U000e007f",
    "Z" + "\u0301" * 50, "\ud800\udfff", "\ue000\uf8ff", "\u3164\u115f\u17b4", "👩\u200d💻❤\ufe0f👍🏽🇮🇹",
    "[@click=app.quit]quit[/]", "re: [/b]", "[bold red]x[/]", "[link=http://evil.example]bank[/link]", "漢字ｶﾞ" * 40,
)  # fmt: skip

MARKUP: Final[tuple[str, ...]] = (
    "[@click=app.quit]quit[/]", "re: [/b]", "[bold red]x[/]", "[link=http://evil.example]bank[/link]", "[/]",
    "[@click=app.exit(1)]x", "[@click='app.exit(1)']x[/]", "[@click=screen.dismiss]x[/]", "[@click=app.bell()]x[/]",
    "[@click=app.open_url('http://evil.example')]x[/]", "[@mouse.down=app.quit]x[/]", "[@mouse.up=app.quit]x[/]",
    "[@enter=app.quit]x[/]", "[@click]x", "[@=x]y[/]", "[@click=app.quit", "[link='javascript:alert(1)']x[/]",
    "[link=file:///etc/passwd]x[/link]", "[on red]x[/on red]", "[#ff0000]x[/]", "[$primary]x[/]", "[reverse]x[/]",
    "[blink]x[/blink]", "[u]x[/i]", "[bold]x[/bold][/bold]", "[auto]x[/]", "[not bold]x[/]", "[a=b=c]x[/]", "[b",
    "[[b]", r"\[b]x[/b]", r"x\[/b]", "x\\", ":warning: :smile:", "{x} %s %(y)s {{z}} ${w}", "<b>x</b>&lt;",
    "**x** _y_ `z`", "[x](http://evil.example)", "![x](http://evil.example/x.png)", "[b]" * 20,
)  # fmt: skip
"""Forty things that would be styles, links or actions if somebody took them for markup."""

FORBIDDEN: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u200b\u200d-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff"
    "\ufe00-\ufe0f\U000e0000-\U000e007f]"
)
