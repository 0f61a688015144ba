"""The help speaks one language: every page of it is Italian to the last word, placeholders and headings too."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from supportdesk.cli.app import COMMANDS, command_named, root
from supportdesk.cli.placeholders import NAMES, WORDS
from supportdesk.l10n.catalog import use_language

if TYPE_CHECKING:
    from pathlib import Path


def help_pages(language: str) -> dict[str, str]:
    """The help of the program and of every command below it, in a language."""
    use_language(language)
    pages: dict[str, str] = {}

    def walk(command: Any, path: str, parent: Any) -> None:
        context = command.context_class(command, info_name=path.rpartition(" ")[2], parent=parent)
        pages[path] = command.get_help(context)
        for name, below in (getattr(command, "commands", None) or {}).items():
            walk(below, f"{path} {name}", context)

    program = root()
    walk(program, "supportdesk", None)
    for name in COMMANDS:
        walk(command_named(name), f"supportdesk {name}", program.context_class(program, info_name="supportdesk"))
    return pages


TYPED = re.compile(
    r"\S*[:_=`][\w*]\S*|\[\w+:\s+[^\]]*\]|(?<![\w|])[\w-]+(?:\|[\w-]+)+|--[\w-]+"
    r"|^ {2}[a-z][a-z-]*(?= )|^(?:Usage|Uso): .*",
    re.MULTILINE,
)
"""Names of commands and options, values, conditions of a query and settings: what is typed as it stands."""

LOANS = frozenset(
    "all app authorized background backup bounced browser client console cron database de demo desk directory"
    " driver du en file folders fr imap implicit in init input it log login mail mbox mouse no none output"
    " password processed purtroppo rules schema sent server spam standard starttls supportdesk systemd tag"
    " test ticket tu uk undo waiting".split()
)
"""What is the same word in Italian, or a value that stands among words."""


def test_the_italian_help_of_every_command_is_italian_to_the_last_word() -> None:
    english, italian = help_pages("en"), help_pages("it")
    assert english.keys() == italian.keys()
    assert len(italian) > 100
    left = {}
    for path, page in italian.items():
        words = [set(re.findall(r"(?<![-\w/.:@])[a-zà-ü]{2,}", TYPED.sub("", text))) for text in (english[path], page)]
        if found := (words[0] & words[1]) - LOANS - {part for name in italian for part in name.split()}:
            left[path] = sorted(found)
    assert left == {}


def test_every_placeholder_of_the_help_is_translated_or_has_no_other_name() -> None:
    use_language("en")
    capitals = re.compile(r"\b[A-Z]+(?:-[A-Z]+)*\b")
    waiting = [root(), *(command_named(name) for name in COMMANDS)]
    while waiting:
        command = waiting.pop()
        waiting += (getattr(command, "commands", None) or {}).values()
        for param in command.params:
            found = set() if param.hidden else set(capitals.findall(param.metavar or ""))
            assert found <= WORDS | NAMES, f"{command.name} {param.name}"


def test_the_help_is_italian_where_the_locale_is_not_installed(home: Path) -> None:
    shown = subprocess.run(
        [sys.executable, "-m", "supportdesk", "--help"], capture_output=True, check=True, encoding="utf-8",
        env={**os.environ, "LANG": "it_IT.UTF-8", "LC_ALL": "", "LANGUAGE": "", "HOME": str(home), "COLUMNS": "80"},
    ).stdout  # fmt: skip
    assert shown.startswith("Uso: supportdesk [OPZIONI] COMANDO [ARGOMENTI]...")
    assert "Opzioni:" in shown
