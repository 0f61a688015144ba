"""Looks at a ticket that change nothing: the raw mail, the timeline, links, attachments. Reads run in a lane."""

from __future__ import annotations

import getpass
import os
import shlex
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from supportdesk.desk.labels import STATUS, word
from supportdesk.errors import SupportdeskError, UsageError
from supportdesk.l10n.catalog import _, ngettext
from supportdesk.safetext import SafeText, safe, safe_filename
from supportdesk.tui import ages
from supportdesk.tui.calls import READ
from supportdesk.tui.present_thread import size
from supportdesk.tui.screens.choose import DialogScreen
from supportdesk.tui.widgets.picker import PickerEntry

if TYPE_CHECKING:
    from datetime import datetime

    from supportdesk.desk.desk import Desk
    from supportdesk.desk.model import AttachmentRow, CustomerView, ThreadEntry, TicketId
    from supportdesk.mail.model import Picture
    from supportdesk.tui.screens.on_tickets import OnTickets
    from supportdesk.tui.session import TicketBundle

RAW_SHOWN = 400_000
"""Octets of a raw message that are shown."""
PICTURE_TYPES = ("image/png", "image/jpeg", "image/jpg", "image/gif", "image/webp")
PICTURE_BARS = 2
"""Lines that the title and the hints take from a picture."""
_PICTURE_BEGINNINGS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF8")


def raw_text(desk: Desk, sha256: str) -> str:
    """The stored bytes of a mail as text; what is no UTF-8 is read as Latin-1."""
    raw = desk.blobs.get(sha256)
    head = raw[:RAW_SHOWN]
    try:
        text = head.decode()
    except UnicodeDecodeError:
        text = head.decode("latin-1")
    if len(raw) > RAW_SHOWN:
        text += "\n\n" + _("… {size} more").format(size=size(len(raw) - RAW_SHOWN))
    return text


def timeline_text(desk: Desk, ticket_id: TicketId, now: datetime) -> str:
    """What happened to a ticket, newest first, one line each, and why it stands where it does."""
    lines = [f"{ages.moment(at, now):>13}  {sentence}" for at, sentence in reversed(desk.timeline(ticket_id))]
    why = desk.why(ticket_id).reasons
    if why:
        lines += ["", _("Why:"), *(f"  {sentence}" for sentence in why)]
    return "\n".join(lines)


def history_title(customer: CustomerView) -> str:
    """Whose history it is, and how much of it is listed where that is not all."""
    who = customer.name or next(iter(customer.addresses), "") or _("(no name)")
    if customer.ticket_count <= len(customer.tickets):
        return who
    told = _("{customer}: the newest {shown} of {count} tickets")
    return told.format(customer=who, shown=len(customer.tickets), count=customer.ticket_count)


def history_entries(customer: CustomerView, now: datetime) -> list[PickerEntry]:
    """The tickets of a customer and of all that were merged into him; a query where there are older ones."""
    entries = [
        PickerEntry(
            str(number),
            safe(f"#{number} {subject or _('(no subject)')}"),
            safe(f"{word(STATUS, status)} · {ages.moment(created, now)}"),
            search=subject,
        )
        for number, subject, status, created in customer.tickets
    ]
    if (older := customer.ticket_count - len(customer.tickets)) > 0:
        query = f"customer:{customer.addresses[0]}" if customer.addresses else f'customer:"{customer.name}"'
        told = ngettext("{count} older ticket: all with", "{count} older tickets: all with", older).format(count=older)
        entries.append(PickerEntry(query, safe(told), safe(query)))
    return entries


@dataclass(frozen=True, slots=True)
class ShownLink:
    """An address of a conversation, where it leads, what its text says and, in a disguise, the host that this shows."""

    url: str
    host: str
    text: str
    pretends: str


def links_of(bundle: TicketBundle) -> dict[str, ShownLink]:
    """Every address once, newest message first; of several texts the newest that is a disguise stands for all."""
    from supportdesk.desk.disguised_links import pretended_host

    found: dict[str, ShownLink] = {}
    for entry in reversed(bundle.entries):
        for _number, url, host, text in entry.links:
            link = ShownLink(url, host, text, pretended_host(url, host, text))
            if url not in found or (link.pretends and not found[url].pretends):
                found[url] = link
    return found


def link_entries(bundle: TicketBundle) -> list[PickerEntry]:
    """The addresses that the conversation links to, with their hosts; a disguised one is marked."""
    return [
        PickerEntry(
            link.url,
            safe(f"{'! ' if link.pretends else ''}{link.host or link.url}"),
            safe(link.text),
            search=f"{link.url} {link.text}",
        )
        for link in links_of(bundle).values()
    ]


def link_preview(bundle: TicketBundle, url: str) -> SafeText:
    """The whole address, and what it pretends to be."""
    link = links_of(bundle)[url]
    lines = [url]
    if link.pretends:
        told = _("looks like {text}, goes to {host}").format(text=link.text, host=link.host or url)
        lines += ["", told]
    return safe("\n".join(lines), multiline=True)


def attachment_entries(bundle: TicketBundle) -> list[PickerEntry]:
    """The attachments of the conversation, newest first."""
    return [
        PickerEntry(
            f"{number}:{attachment.id}",
            safe(attachment.name or _("attachment")),
            safe(f"{size(attachment.size)} · {attachment.content_type} · {entry.author_name or entry.author_address}"),
        )
        for number, entry in reversed(list(enumerate(bundle.entries)))
        for attachment in entry.attachments
    ]


def open_attachment(screen: OnTickets, bundle: TicketBundle, chosen: str, *, unseen: str = "") -> None:
    """Ask what to do with an attachment: save it under a safe name, or look at it as text or as a picture.

    `unseen` says why it cannot be looked at: then only the other ways are left.
    """
    number, _colon, attachment_id = chosen.partition(":")
    entry = bundle.entries[int(number)]
    attachment = next(one for one in entry.attachments if str(one.id) == attachment_id)
    desk = screen.session.desk
    text = f"{attachment.name}\n{attachment.content_type} · {size(attachment.size)}"
    keys = [("esc", _("back"))]
    if unseen:
        text = f"{unseen}\n\n{text}"
    else:
        is_shown = attachment.content_type in PICTURE_TYPES
        keys.insert(0, ("v", _("view the picture") if is_shown else _("view as text")))
    if not screen.session.restricted:
        keys.insert(0, ("s", _("save")))
    command = fetching_command(bundle, attachment, screen.session.config.ssh_host)
    if command:
        keys.insert(0, ("c", _("copy the command")))
        text += "\n\n" + _("To save it on your own machine, run there:") + "\n" + command

    def pressed(key: str | None) -> None:
        if key == "c":
            screen.copy(command, _("Copied the command"))
        elif key == "s":
            suggested = str(Path.home() / safe_filename(attachment.name))
            screen.ask_line("save", _("Save as:"), save, value=suggested)
        elif key == "v":
            pane = screen.app.size.width, screen.app.size.height - PICTURE_BARS
            screen.call(READ, lambda: seen(attachment_bytes(desk, entry, attachment), *pane), show, failed=cannot_show)

    def show(content: SafeText | Picture) -> None:
        title = attachment.name or _("attachment")
        if isinstance(content, str):
            screen.console.show_text(title, content)
        else:
            screen.console.show_picture(title, content)

    def cannot_show(error: Exception) -> None:
        if isinstance(error, PictureNotShown):
            open_attachment(screen, bundle, chosen, unseen=error.message)
        else:
            screen.console.tell_error(error)

    def save(path: str) -> None:
        def work() -> Path:
            return save_file(Path(path).expanduser(), attachment_bytes(desk, entry, attachment))

        screen.call(READ, work, lambda saved: screen.tell(_("Saved {path}").format(path=saved)))

    screen.put_question(DialogScreen(_("Attachment"), text, keys), pressed)


def fetching_command(bundle: TicketBundle, attachment: AttachmentRow, host: str) -> str:
    """What brings an attachment to the agent's own machine; nothing where this is that machine."""
    if not os.environ.get("SSH_CONNECTION"):
        return ""
    listed = [one.id for entry in bundle.entries for one in entry.attachments]
    name = safe_filename(attachment.name or "attachment")
    words = ["ssh", host or own_address(), "supportdesk", "ticket", "attachment", str(bundle.ticket.id)]
    return f"{shlex.join([*words, str(listed.index(attachment.id) + 1)])} > {shlex.quote(name)}"


def own_address() -> str:
    """This account on this machine, as far as it knows its own name."""
    return f"{getpass.getuser()}@{socket.gethostname()}"


def attachment_bytes(desk: Desk, entry: ThreadEntry, attachment: AttachmentRow) -> bytes:
    """What was attached: an upload, or a part cut from the raw mail in the contained parser."""
    if attachment.blob_sha:
        return desk.blobs.get(attachment.blob_sha)
    if not entry.raw_sha:
        raise UsageError(_("the original of this attachment is not stored"))
    from supportdesk.bootstrap import open_parser

    parser = open_parser()
    try:
        return parser.cut_part(desk.blobs.get(entry.raw_sha), attachment.part)
    finally:
        parser.close()


def save_file(path: Path, data: bytes) -> Path:
    """Write a new file that only its owner can read; an existing one is never replaced, a link never followed."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except FileExistsError:
        raise UsageError(_("{path} exists already").format(path=path)) from None
    except OSError as error:
        raise UsageError(_("{path} cannot be written: {why}").format(path=path, why=error.strerror)) from None
    with os.fdopen(handle, "wb") as file:
        file.write(data)
    return path


class PictureNotShown(SupportdeskError):
    """A picture that only another program can show; the message says why."""


def seen(data: bytes, columns: int, lines: int) -> SafeText | Picture:
    """An attachment as it can be looked at on a pane of this size: what begins as a picture does, or its text.

    Raises PictureNotShown, and SupportdeskError for what is neither.
    """
    if not is_picture(data):
        return _as_text(data)
    from supportdesk.bootstrap import shrink_picture

    try:
        picture = shrink_picture(data, columns, lines * 2)
    except SupportdeskError as error:
        raise PictureNotShown(_("This picture cannot be read: it is damaged or too large.")) from error
    if picture is None:
        raise PictureNotShown(
            _("To see pictures here, Pillow must be installed:") + "\npip install 'supportdesk[images]'"
        )
    return picture


def is_picture(data: bytes) -> bool:
    """Whether it begins like one that can be shown, whatever its name and its type say."""
    return data.startswith(_PICTURE_BEGINNINGS) or (data[:4] == b"RIFF" and data[8:12] == b"WEBP")


def _as_text(data: bytes) -> SafeText:
    if b"\0" in data[:4096]:
        raise SupportdeskError(_("This is no text; save it to look at it."))
    return safe(data[:RAW_SHOWN].decode("utf-8", "replace"), multiline=True)
