"""Who gets a reply: from the message that is answered, or from what an agent typed (mail.md 2.3).

Addresses of incoming mail are taken as they are; what a person types is checked strictly. Whether the finished
addresses can go on the wire is `mail.compose`'s check.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from supportdesk.errors import UsageError
from supportdesk.mail.domains import canonical_address
from supportdesk.mail.model import Address
from supportdesk.mail.signed import has_ticket_token

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from supportdesk.mail.model import ParsedMail

MAX_TYPED = 20_000  # characters
_WITH_NAME = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|([^"<>]*))\s*<([^<>]*)>\s*', re.DOTALL)
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")


@dataclass(frozen=True, slots=True)
class OwnAddresses:
    """The addresses and aliases of our mailboxes, case-folded; their plus-forms are ours too."""

    addresses: frozenset[str]

    @classmethod
    def of(cls, addresses: Iterable[str]) -> OwnAddresses:
        return cls(frozenset(canonical_address(address.strip()).casefold() for address in addresses if address.strip()))

    def __contains__(self, address: str) -> bool:
        plain = canonical_address(address.strip()).casefold()
        if plain in self.addresses:
            return True
        local, _, domain = plain.rpartition("@")
        # A mailbox may itself have a plus in its name: each shorter form is tried.
        while "+" in local:
            local = local.rpartition("+")[0]
            if f"{local}@{domain}" in self.addresses:
                return True
        return False


@dataclass(frozen=True, slots=True)
class ReplyRecipients:
    """To and Cc of a reply; `reply_to_ignored` says why a Reply-To was passed over: own | list | agent | ""."""

    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    reply_to_ignored: str = ""


def reply_recipients(
    mail: ParsedMail,
    own: OwnAddresses,
    *,
    agents: frozenset[str] = frozenset(),
    sender: Address | None = None,
) -> ReplyRecipients:
    """To is the Reply-To, else the From of `mail`; Cc is its other To and Cc without us.

    `sender` is the verdict's effective sender: the human inside a contact form or a certified mail. `agents` are the
    case-folded addresses of agents. Our own mail answered (a second message to the customer) goes where it went.
    """
    author = sender or _first(mail.from_) or _first(mail.sender)
    others = [*mail.to, *mail.cc]
    if author is not None and author.addr in own:
        return ReplyRecipients(tuple(_foreign(mail.to, own)), tuple(_foreign(mail.cc, own, without=mail.to)))
    ignored = why_reply_to_is_ignored(mail, own, agents)
    to = tuple(_foreign(mail.reply_to, own)) if mail.reply_to and not ignored else ()
    if sender is not None and all(sender.norm != address.norm for address in mail.from_):
        to = (sender,)
    if not to and author is not None:
        to = tuple(_foreign((author,), own))
    return ReplyRecipients(to, tuple(_foreign(others, own, without=to)), ignored)


def parse_recipients(text: str) -> tuple[Address, ...]:
    """The addresses an agent typed, separated by commas, semicolons or lines: `a@b.it, Anna Rossi <anna@b.it>`.

    Raises UsageError naming the first one that cannot be mailed to. Reserved test domains (`.test`) pass.
    """
    if len(text) > MAX_TYPED:
        raise UsageError(f"more than {MAX_TYPED} characters of recipients", hint="Send it in several mails.")
    found: dict[str, Address] = {}
    for piece in _split(text):
        address = _typed_address(piece)
        found.setdefault(address.norm, address)
    return tuple(found.values())


def clean_name(name: str) -> str:
    """A display name on one line: control characters become a space (they could not be sent)."""
    return " ".join(_CONTROLS.sub(" ", name).split())


def why_reply_to_is_ignored(mail: ParsedMail, own: OwnAddresses, agents: frozenset[str]) -> str:
    """ "own", "agent" or "list", for a Reply-To that must not be followed; else ""."""
    if not mail.reply_to:
        return ""
    if all(address.addr in own for address in mail.reply_to):
        return "own"
    if any(address.norm in agents for address in mail.from_):
        return "agent"
    return "list" if _is_list(mail, mail.reply_to[0].norm) else ""


def _is_list(mail: ParsedMail, reply_to: str) -> bool:
    """Whether the Reply-To is the mailing list itself: an answer to one person would go to all its members."""
    post = (mail.header("List-Post") or "").casefold()
    if f"mailto:{reply_to}" in post.replace(" ", ""):
        return True
    list_id = re.search(r"<([^<>]+)>", mail.header("List-Id") or "")
    local, _, domain = reply_to.partition("@")
    return list_id is not None and list_id[1].strip().casefold() in (f"{local}.{domain}", f"{local}@{domain}")


def _foreign(addresses: Iterable[Address], own: OwnAddresses, *, without: Iterable[Address] = ()) -> Iterator[Address]:
    seen = {address.norm for address in without}
    for address in addresses:
        if address.norm in seen or address.addr in own or has_ticket_token(address.addr):
            continue
        seen.add(address.norm)
        yield Address(clean_name(address.name), address.addr)


def _first(addresses: tuple[Address, ...]) -> Address | None:
    return addresses[0] if addresses else None


def _split(text: str) -> Iterator[str]:
    """Cut at separators that stand neither in quotes nor in angle brackets."""
    piece: list[str] = []
    quoted = escaped = angled = False
    for character in text:
        if not quoted and not angled and character in ",;\n\r":
            yield from filter(str.strip, ["".join(piece)])
            piece.clear()
            continue
        if character == '"' and not escaped:
            quoted = not quoted
        elif not quoted and character in "<>":
            angled = character == "<"
        escaped = quoted and character == "\\" and not escaped
        piece.append(character)
    yield from filter(str.strip, ["".join(piece)])


def _typed_address(piece: str) -> Address:
    with_name = _WITH_NAME.fullmatch(piece)
    name = ""
    typed = piece.strip()
    if with_name is not None:
        quoted, plain, typed = with_name[1], with_name[2], with_name[3].strip()
        name = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else plain.strip()
    if typed.lower().startswith("mailto:"):
        typed = typed[len("mailto:") :]
    if _CONTROLS.search(name):
        raise UsageError(f"control characters in the name of {typed!r}", hint="Type the name again.")
    if has_ticket_token(typed):
        raise UsageError(
            f"{typed!r} is the signed address of a ticket, not of a person",
            hint="Mail to it would come back to this desk.",
        )
    return Address(name, _validated(typed))


def _validated(typed: str) -> str:
    from email_validator import EmailNotValidError, validate_email

    try:
        # The test environment is what lets `.test` pass; a name server is never asked.
        checked = validate_email(typed, check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        raise UsageError(f"{typed!r} is not an address that can be mailed to", hint=str(error)) from error
    # As it stands in the mail that comes from there: one person, one spelling.
    return canonical_address(f"{checked.local_part}@{checked.ascii_domain or checked.domain}")
