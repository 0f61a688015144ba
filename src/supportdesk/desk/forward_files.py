"""The files of a message that is passed on to a third party: they go along unless the agent takes them off."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from supportdesk.desk.drafts import attach
from supportdesk.desk.model import Actor, AttachmentRow, OutboxRow, ThreadEntry
from supportdesk.desk.review import LARGEST_MAIL

if TYPE_CHECKING:
    from supportdesk.desk.desk import Desk

Cut = Callable[[ThreadEntry, AttachmentRow], bytes]


def carry_files(desk: Desk, actor: Actor, row: OutboxRow, cut: Cut) -> OutboxRow:
    """A fresh forward with the files of the message that it passes on; one that was begun before stays as it is.

    `cut` gives the bytes of a file, from the raw mail. Inline images stay with their text; what would make the mail
    too large is left out.
    """
    if row.kind != "forward" or row.version > 1 or row.attachments or row.in_reply_to is None:
        return row
    passed_on = next((one for one in desk.read.thread(row.ticket_id) if one.id == row.in_reply_to), None)
    room = LARGEST_MAIL
    for file in passed_on.attachments if passed_on is not None else ():
        if file.inline or file.size > room:
            continue
        assert passed_on is not None
        data = cut(passed_on, file)
        room -= len(data)
        row = attach(desk, actor, row.id, file.name, file.content_type, data)
    return row
