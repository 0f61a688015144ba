"""What people and pipes give to a verb: ticket numbers, texts, spans of time, passwords, a yes or a no."""

from __future__ import annotations

import getpass
import json
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from supportdesk.config import Credential
from supportdesk.desk.model import TicketId
from supportdesk.errors import NotFound, UsageError
from supportdesk.l10n.catalog import _
from supportdesk.safetext import safe

if TYPE_CHECKING:
    from supportdesk.cli.session import Session
    from supportdesk.desk.desk import Desk
    from supportdesk.desk.model import Mailbox, Query

STDIN = "-"
POINTED = 60
"""Characters of a query that are shown around what is wrong with it."""


def ticket_ids(words: Iterable[str]) -> tuple[TicketId, ...]:
    """`12`, `#12`, `12,13`, or `-`: from stdin, one a line (what follows the number is not read) or as JSON."""
    found: list[TicketId] = []
    for word in words:
        if word == STDIN:
            found += _ids_from(sys.stdin.read())
        else:
            found += [_ticket_id(piece) for piece in word.split(",") if piece.strip()]
    if not found:
        raise UsageError(_("no ticket was named"))
    return tuple(dict.fromkeys(found))


def one_ticket(word: str) -> TicketId:
    ids = ticket_ids([word])
    if len(ids) != 1:
        raise UsageError(_("one ticket at a time"))
    return ids[0]


def text_from(session: Session, argument: str, file: str = "") -> str:
    """The text of a reply or note: the argument, a file, or stdin (`-`, or nothing given and stdin is no terminal)."""
    if argument and argument != STDIN and file:
        raise UsageError(_("give the text or a file, not both"))
    if file and file != STDIN:
        session.refuse_if_restricted(_("reading a file of this machine"))
        return read_text_file(file)
    if argument and argument != STDIN:
        return argument
    if STDIN in (argument, file) or not sys.stdin.isatty():
        return decoded(sys.stdin.buffer.read(), _("standard input"))
    return ""


def check_limit(limit: int) -> int:
    """How many at most, 0 for all. Raises UsageError below that."""
    if limit < 0:
        raise UsageError(_("{value} is no limit").format(value=limit), hint=_("a number, or 0 for all"))
    return limit


def query_text(words: Sequence[str]) -> str:
    """The words of a query; a misspelled option is none of them. Raises UsageError."""
    for word in words:
        if word.startswith("--"):
            raise UsageError(_("there is no option {option}").format(option=word))
    return " ".join(words)


def read_query(session: Session, text: str, *, typing: bool = True) -> Query:
    """A query as it was typed. Raises QueryError, when it has shown where it cannot be read."""
    from supportdesk.desk.query import QueryError

    try:
        return session.desk.query(text, typing=typing)
    except QueryError as error:
        point_at(text, error.position)
        raise


def point_at(text: str, position: int) -> None:
    """Show the piece of a text that an error is about on stderr, with a caret under its first character."""
    from rich.cells import cell_len

    start = max(0, position - POINTED // 2)
    before, after = safe(text[start:position]), safe(text[position : start + POINTED])
    sys.stderr.write(f"  {before}{after}\n  {' ' * cell_len(before)}^\n")


def read_text_file(name: str) -> str:
    try:
        return decoded(Path(name).read_bytes(), name)
    except OSError as error:
        raise NotFound(_("{file} cannot be read: {reason}").format(file=name, reason=error.strerror)) from None


def decoded(data: bytes, name: str) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(_("{name} is not UTF-8").format(name=name)) from error


def read_span(text: str) -> timedelta:
    """`24h`, `90m`, `3d`, `1d12h`."""
    pieces = re.fullmatch(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?", text.strip().replace(" ", ""))
    if pieces is None or not any(pieces.groups()):
        raise UsageError(_("{text} is no span of time").format(text=text), hint="24h, 90m, 3d, 1d12h")
    days, hours, minutes = (int(piece or 0) for piece in pieces.groups())
    return timedelta(days=days, hours=hours, minutes=minutes)


def assignments(words: Sequence[str]) -> dict[str, str]:
    """`name=value` pairs."""
    found = {}
    for word in words:
        name, sign, value = word.partition("=")
        if not sign or not name.strip():
            raise UsageError(_("{word} is not NAME=VALUE").format(word=word))
        found[name.strip()] = value
    return found


def find_mailbox(desk: Desk, word: str) -> Mailbox:
    """The mailbox by number, address, alias or name; without a word the only one."""
    mailboxes = desk.mailboxes()
    if not word and len(mailboxes) == 1:
        return mailboxes[0]
    wanted = word.casefold()
    for mailbox in mailboxes:
        if wanted in (str(mailbox.id), *mailbox.addresses, mailbox.name.casefold()):
            return mailbox
    known = ", ".join(mailbox.address for mailbox in mailboxes)
    message = _("there is no mailbox {name}").format(name=word) if word else _("say which mailbox")
    raise NotFound(message, hint=_("known: {names}").format(names=known or "–"))


def read_credential(command: str, file: str, *, prompt: str = "") -> Credential | None:
    """How to log in: a command that prints the password, a file, `-` for stdin, or typed in; None if nothing."""
    if command and file:
        raise UsageError(_("give --password-command or --password-file, not both"))
    if command:
        return Credential(password_command=command)
    if file == STDIN:
        return Credential(password=_one_line(sys.stdin.readline()))
    if file:
        return Credential(password_file=str(Path(file).expanduser().absolute()))
    if prompt and sys.stdin.isatty():
        return ask_password(prompt)
    return None


def ask_password(question: str) -> Credential:
    """A password that is not shown, until one is typed; raises UsageError where the answers end."""
    while True:
        try:
            typed = getpass.getpass(f"{question}: ", stream=None)
        except EOFError:
            raise UsageError(_("the answers ended before the questions")) from None
        if typed:
            return Credential(password=typed)
        sys.stderr.write(f"  {_('the password is empty')}\n")


def is_interactive() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()


def ask(question: str, default: str = "", check: Callable[[str], Any] | None = None) -> str:
    """A question on stderr, so that stdout stays data; again until `check` takes the answer."""
    from supportdesk.errors import SupportdeskError

    shown = f"{question} [{default}]: " if default else f"{question}: "
    while True:
        sys.stderr.write(shown)
        sys.stderr.flush()
        line = sys.stdin.readline()
        if not line:
            raise UsageError(_("the answers ended before the questions"))
        answer = line.strip() or default
        try:
            if check is not None:
                check(answer)
        except SupportdeskError as error:
            hint = f" ({error.hint})" if error.hint else ""
            sys.stderr.write(f"  {error.message}{hint}\n")
            continue
        return answer


def confirm(question: str, *, default: bool = True) -> bool:
    """Yes or no, in the language that is spoken; English and the first letter always do."""
    yes, no = _("yes"), _("no")
    hint = f"{yes[0].upper()}/{no[0]}" if default else f"{yes[0]}/{no[0].upper()}"
    while True:
        answer = ask(f"{question} [{hint}]").casefold()
        if not answer:
            return default
        if answer in (yes, yes[0], "y", "yes"):
            return True
        if answer in (no, no[0], "n", "no"):
            return False


def _ids_from(text: str) -> list[TicketId]:
    if text.lstrip()[:1] in ("[", "{"):
        try:
            given = json.loads(text)
        except ValueError as error:
            raise UsageError(_("standard input is not JSON: {error}").format(error=error)) from None
        items = given if isinstance(given, list) else given.get("tickets", [given])
        return [_ticket_id(str(item["id"] if isinstance(item, dict) else item)) for item in items]
    lines = [line.split()[0] for line in text.splitlines() if line.split()]
    # The heading of a table that was piped in is no number, and the only line that may be none.
    if lines and not lines[0].lstrip("#").isdigit() and len(lines) > 1:
        lines = lines[1:]
    return [_ticket_id(line) for line in lines]


def _ticket_id(word: str) -> TicketId:
    number = word.strip().lstrip("#")
    if not (number.isascii() and number.isdigit()) or not 0 < int(number) < 2**63:
        raise UsageError(_("{word} is no ticket number").format(word=word))
    return TicketId(int(number))


def _one_line(text: str) -> str:
    password = text.rstrip("\r\n")
    if not password:
        raise UsageError(_("the password is empty"))
    return password
