"""Canned responses on a desk: changed by several people, used on tickets, sent with all that goes with them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from supportdesk.desk.canned import AskField, CannedFile, Choice, Then
from supportdesk.desk.canned_edit import head_text, new_response, with_head, with_text
from supportdesk.desk.canned_folder import read_attachment, read_folder, write_folder
from supportdesk.errors import Conflict, MissingValue, NotAllowed, UsageError
from tests.desk.canned_samples import response, variant

if TYPE_CHECKING:
    from pathlib import Path

    from supportdesk.desk.model import OutboxRow, TicketId
    from tests.support.desk import House

PDF = b"%PDF-1.4 form"
FORM = CannedFile("modulo.pdf", sha256(PDF).hexdigest(), len(PDF))
CLOSING = replace(
    response(variant("A presto,\n{{ agent.first_name }}"), variant("Cordiali saluti", "it@formal"), key="closing"),
    fragment=True,
)
REFUND = replace(
    response(
        variant("{{ customer.greeting }}\n\nhai {{ ask.how }} entro domani.\n\n{{ fragment.closing }}\n", "it"),
        ask=(AskField("how", "choice", {"it": "Come"}, "", "refund", (Choice("refund", {"it": "il rimborso"}),)),),
        source="it",
        key="refund",
    ),
    shortcut="rf",
    files=(FORM,),
    then=Then("solved", ("rimborso", "resi"), 0, "luca"),
)


def bring_in(house: House, *responses: object) -> None:
    house.desk.import_canned(house.giulia, responses, load=lambda _key, _file: PDF)  # type: ignore[arg-type]


def entry(house: House, key: str = "refund"):
    return next(one for one in house.desk.canned_entries() if one.response.key == key)


def drafted(house: House, ticket_id: TicketId, more: str = "") -> OutboxRow:
    """As the composer does it: the text goes in with the key, the agent goes on writing."""
    text = house.desk.render_canned(house.giulia, ticket_id, "refund", {}).text
    draft = house.desk.open_draft(house.giulia, ticket_id)
    draft = house.desk.save_draft(house.giulia, draft.id, draft.version, body=text, canned_key="refund")
    return house.desk.save_draft(house.giulia, draft.id, draft.version, body=text + more) if more else draft


def test_what_was_saved_is_read_again_with_all_that_goes_with_it(house: House) -> None:
    bring_in(house, CLOSING, REFUND)
    assert [one.response for one in house.desk.canned_entries()] == [CLOSING, REFUND]
    assert house.desk.canned() == (REFUND,)


def test_a_second_export_is_the_first_byte_for_byte(house: House, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    write_folder(first, [CLOSING, REFUND], lambda _file: PDF)
    responses = read_folder(first)
    house.desk.import_canned(house.giulia, responses, load=lambda key, file: read_attachment(first, key, file))
    write_folder(
        second, [one.response for one in house.desk.canned_entries()], lambda one: house.desk.blobs.get(one.sha)
    )
    files = {path.relative_to(first): path.read_bytes() for path in first.rglob("*") if path.is_file()}
    assert {path.relative_to(second): path.read_bytes() for path in second.rglob("*") if path.is_file()} == files
    assert len(files) == 6


def test_who_was_slower_is_told_who_was_faster(house: House) -> None:
    bring_in(house, CLOSING, REFUND)
    seen = entry(house)
    house.desk.save_canned(house.anna, with_text(seen.response, "it", "Ciao"), seen.version)
    with pytest.raises(Conflict, match="Anna Blu") as conflict:
        house.desk.save_canned(house.giulia, with_text(seen.response, "it", "Salve"), seen.version)
    assert conflict.value.who == "Anna Blu"
    assert entry(house).response.variants[0].body == "Ciao\n"


def test_every_change_is_undone_unless_somebody_changed_the_same_since(house: House) -> None:
    bring_in(house, CLOSING, REFUND)
    before = entry(house)
    longer = with_text(with_text(before.response, "it", "Ciao"), "de", "Hallo")
    done = house.desk.save_canned(house.giulia, longer, before.version)
    assert [str(one.tag) for one in entry(house).response.variants] == ["de", "it"]
    house.desk.undo(house.giulia)
    assert entry(house).response == before.response
    assert entry(house).version > before.version

    house.desk.remove_canned(house.giulia, "refund", entry(house).version)
    assert [one.response.key for one in house.desk.canned_entries()] == ["closing"]
    house.desk.undo(house.giulia)
    assert entry(house).response == before.response

    done = house.desk.save_canned(house.giulia, with_text(before.response, "it", "Uno"), entry(house).version)
    house.desk.save_canned(house.anna, with_text(before.response, "it", "Due"), entry(house).version)
    with pytest.raises(Conflict):
        house.desk.undo(house.giulia, done.action_id)
    assert entry(house).response.variants[0].body == "Due\n"


def test_a_new_entry_is_undone_whole(house: House) -> None:
    house.desk.save_canned(house.giulia, with_text(new_response("a-new-one", "it"), "it", "Ciao"), 0)
    with pytest.raises(Conflict):
        house.desk.save_canned(house.giulia, new_response("a-new-one", "it"), 0)
    house.desk.undo(house.giulia)
    assert house.desk.canned_entries() == ()


def test_a_lead_takes_back_what_leads_may_write_and_an_agent_does_not(house: House) -> None:
    bring_in(house, CLOSING, REFUND)
    done = house.desk.remove_canned(house.anna, "refund", entry(house).version)
    with pytest.raises(NotAllowed):
        house.desk.undo(house.luca, done.action_id)
    house.desk.undo(house.anna)
    assert entry(house).response == REFUND


def test_an_import_keeps_what_the_folder_lacks_unless_it_is_told_to_delete(house: House) -> None:
    bring_in(house, CLOSING, REFUND)
    assert house.desk.import_canned(house.giulia, [CLOSING], dry_run=True, delete=True).changes[0].kind == "gone"
    assert house.desk.import_canned(house.giulia, [CLOSING]).gone == ("refund",)
    assert len(house.desk.canned_entries()) == 2
    house.desk.import_canned(house.giulia, [CLOSING], delete=True)
    assert [one.response for one in house.desk.canned_entries()] == [CLOSING]
    house.desk.undo(house.giulia)
    assert [one.response for one in house.desk.canned_entries()] == [CLOSING, REFUND]


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        (replace(REFUND, then=Then(assign="nobody")), "nobody"),
        (replace(REFUND, variants=(variant("{{ ask.how"),)), "refund/it"),
    ],
)
def test_what_could_not_be_used_is_not_stored(house: House, changed: object, named: str) -> None:
    with pytest.raises(UsageError, match=named):
        house.desk.save_canned(house.giulia, changed, 0)  # type: ignore[arg-type]
    assert house.desk.canned_entries() == ()


def test_a_shortcut_belongs_to_one(house: House) -> None:
    bring_in(house, CLOSING, REFUND)
    with pytest.raises(Conflict, match="refund"):
        house.desk.save_canned(house.giulia, replace(response(variant("x"), key="other"), shortcut="rf"), 0)


def test_an_agent_uses_responses_and_a_lead_changes_them(house: House) -> None:
    bring_in(house, CLOSING, REFUND)
    with pytest.raises(NotAllowed):
        house.desk.save_canned(house.luca, REFUND, entry(house).version)
    with pytest.raises(NotAllowed):
        house.desk.remove_canned(house.luca, "refund", entry(house).version)


def test_a_fragment_stands_in_the_language_and_register_of_the_text(house: House) -> None:
    bring_in(house, CLOSING, with_text(REFUND, "it@formal", "{{ customer.greeting }} {{ fragment.closing }}"))
    ticket_id = house.customer_writes()
    rendered = house.desk.render_canned(house.giulia, ticket_id, "rf", {})
    assert rendered.text.endswith("il rimborso entro domani.\n\nA presto,\nGiulia\n")
    assert "agent.first_name" in rendered.used
    formal = entry(house).response.variant("it@formal")
    assert formal is not None
    previewed = house.desk.preview_canned(house.giulia, ticket_id, entry(house).response, formal, str)
    assert previewed.text.endswith("Cordiali saluti\n")


def test_a_fragment_that_is_not_written_in_that_language_stops_and_says_so(house: House) -> None:
    bring_in(house, CLOSING, with_text(REFUND, "de", "{{ fragment.closing }}"))
    german = house.customer_writes(sender="hans@example.de", language="de")
    with pytest.raises(MissingValue, match="de") as stopped:
        house.desk.render_canned(house.giulia, german, "refund", {})
    assert stopped.value.names == ("it", "it@formal")


def test_a_preview_shows_the_names_of_what_is_not_known(house: House) -> None:
    bring_in(house, CLOSING)
    sample = response(
        variant("{{ customer.greeting }} {{ ask.sum | money }} {{ ticket.number }}"), ask=(AskField("sum", "money"),)
    )
    shown = house.desk.preview_canned(house.giulia, None, sample, sample.variants[0], lambda name: f"‹{name}›")
    assert shown.text == "Ciao, ‹ask.sum› ‹ticket.number›\n"


def test_sending_does_all_that_goes_with_the_response_as_one_action(house: House) -> None:
    bring_in(house, CLOSING, REFUND)
    ticket_id = house.customer_writes()
    draft = drafted(house, ticket_id)
    assert [(one.name, one.content_type) for one in draft.attachments] == [("modulo.pdf", "application/pdf")]
    before = house.ticket(ticket_id)
    house.desk.send(house.giulia, draft.id, seen_seq=before.seq)
    after = house.ticket(ticket_id)
    assert (after.status, after.assignee_id) == ("solved", house.luca.id)
    assert house.desk.read.tags(ticket_id) == ("resi", "rimborso")
    house.desk.cancel_send(house.giulia)
    back = house.ticket(ticket_id)
    assert (back.status, back.assignee_id) == (before.status, before.assignee_id)
    assert house.desk.read.tags(ticket_id) == ()
    assert house.desk.outbox_row(draft.id).attachments == draft.attachments


def test_the_agents_own_word_on_the_status_goes_before_the_responses(house: House) -> None:
    bring_in(house, CLOSING, REFUND)
    ticket_id = house.customer_writes()
    house.desk.send(house.giulia, drafted(house, ticket_id).id, seen_seq=house.ticket(ticket_id).seq, after="open")
    assert house.ticket(ticket_id).status == "open"


def test_a_response_can_put_the_ticket_to_sleep_for_business_days(house: House) -> None:
    bring_in(house, CLOSING, replace(REFUND, then=Then("pending", (), 2, "me")))
    ticket_id = house.customer_writes()
    house.desk.send(house.giulia, drafted(house, ticket_id).id, seen_seq=house.ticket(ticket_id).seq)
    after = house.ticket(ticket_id)
    assert after.assignee_id == house.giulia.id
    assert after.snoozed_until is not None
    assert timedelta(days=1) < after.snoozed_until - house.clock.now() < timedelta(days=7)


def test_uses_and_the_edited_ones_are_counted_as_they_went_out(house: House) -> None:
    bring_in(house, CLOSING, REFUND)
    for more in ("", "\n\n", "Ancora una cosa."):
        ticket_id = house.customer_writes(sender=f"c{len(more)}@example.org")
        house.desk.send(house.giulia, drafted(house, ticket_id, more).id, seen_seq=house.ticket(ticket_id).seq)
        house.pass_time(seconds=1)
    assert (entry(house).uses, entry(house).edited) == (3, 1)
    house.desk.cancel_send(house.giulia)
    assert (entry(house).uses, entry(house).edited) == (2, 0)


def test_a_head_is_edited_as_its_file(house: House) -> None:
    text = head_text(REFUND)
    assert with_head(REFUND, text) == REFUND
    assert with_head(REFUND, text.replace('"rf"', '"rb"')).shortcut == "rb"
    with pytest.raises(UsageError, match=r"response\.toml.*colour"):
        with_head(REFUND, f'colour = "red"\n{text}')


def test_a_translation_is_as_new_as_its_source_once_it_was_written_again() -> None:
    old = with_text(with_text(REFUND, "en", "One"), "it", "Due")
    english = old.variant("en")
    assert english is not None and old.is_outdated(english)
    new = with_text(old, "en", "Two")
    english = new.variant("en")
    assert english is not None and not new.is_outdated(english)
