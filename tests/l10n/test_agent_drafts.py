"""Issue 5: a reply in the wrong language is caught every time, a right one is never stopped."""

from __future__ import annotations

from supportdesk.l10n.detect import MINIMUM_LETTERS, detect, guard_language
from supportdesk.l10n.wording import find_faults
from tests.l10n.agent_drafts import LANGUAGES, agent_drafts, right_replies


def test_every_one_of_200_drafts_is_caught_in_every_other_language():
    drafts = [draft for draft in agent_drafts() if detect(draft.text).letters >= MINIMUM_LETTERS]
    assert len(drafts) >= 190
    missed = [
        (other, draft.language, draft.text)
        for draft in drafts
        for other in LANGUAGES
        if other != draft.language and guard_language(draft.text, other, draft.names) is None
    ]
    assert not missed


def test_none_of_500_right_replies_is_stopped():
    replies = right_replies()
    assert len(replies) == 500
    stopped = [
        (reply.language, found, reply.text)
        for reply in replies
        if (found := guard_language(reply.text, reply.language, reply.names)) is not None
    ]
    assert not stopped


def test_none_of_500_right_replies_is_worded_wrongly():
    found = [
        (fault, reply.language, reply.text)
        for reply in right_replies()
        for fault in find_faults(reply.text, reply.language, register=reply.register, names=reply.names)
        if fault.code not in ("greeting", "closing") or reply.register  # the drafts are pieces of letters
    ]
    assert not found
