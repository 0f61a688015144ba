"""A customer in a language that the shop does not serve is answered in the one that was chosen once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from supportdesk.desk.mailbox_settings import check_manners
from supportdesk.desk.reply_language import reply_language
from supportdesk.errors import UsageError

if TYPE_CHECKING:
    from tests.support.desk import House

SETTINGS = {"reply_languages": {"nl": "en", "*": "it"}}


@pytest.mark.parametrize(
    ("language", "answered"),
    [("nl", "en"), ("nl-BE", "en"), ("sv", "it"), ("de", "de"), ("de-AT", "de-AT"), ("", "")],
)
def test_the_chosen_language_is_that_of_the_reply(language: str, answered: str) -> None:
    assert reply_language(language, ("it", "de"), SETTINGS) == answered
    assert reply_language(language, ("it", "de"), {}) == language


def test_a_draft_and_its_guard_follow_the_reply_language(house: House) -> None:
    ticket_id = house.customer_writes("Waar blijft mijn bestelling? Ik wacht al twee weken.", language="nl")
    mailbox_id = house.ticket(ticket_id).mailbox_id
    house.desk.save_mailbox(house.giulia, {"id": mailbox_id, "settings": SETTINGS})
    row = house.draft(ticket_id, body="Your parcel left our warehouse today and arrives tomorrow.")
    assert (house.ticket(ticket_id).language, row.language) == ("nl", "en")
    assert house.desk.review(house.giulia, row.id).warnings == ()
    row = house.desk.save_draft(
        house.giulia, row.id, row.version, body="Uw pakket is vandaag vertrokken en komt morgen."
    )
    assert [warning.code for warning in house.desk.review(house.giulia, row.id).warnings] == ["language"]


@pytest.mark.parametrize("wrong", ["en", {"nl": 1}, {"nl": "englisch!"}, ["nl"]])
def test_what_is_no_choice_of_languages_is_refused(wrong: object) -> None:
    check_manners(SETTINGS)
    with pytest.raises(UsageError, match="reply_languages"):
        check_manners({"reply_languages": wrong})
