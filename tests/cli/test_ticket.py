"""The ticket verbs: made from the registry, usable by people and by pipes."""

from __future__ import annotations

import json
from base64 import b64decode
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from supportdesk.cli.actions import verb_name
from supportdesk.cli.app import command_named
from supportdesk.desk.actions import ACTIONS, ActionSpec
from supportdesk.desk.model import TicketId
from supportdesk.l10n.format import date_time

if TYPE_CHECKING:
    from tests.cli.conftest import Run
    from tests.support.desk import House


def test_every_action_of_the_registry_is_a_verb_and_no_verb_is_made_up() -> None:
    own = {"list", "show", "new", "attachment", "forward", "reply-all"}
    verbs = set(command_named("ticket").commands)
    assert verbs - own == {verb_name(spec.id) for spec in ACTIONS}
    assert len(ACTIONS) > 20


@pytest.mark.parametrize("spec", ACTIONS, ids=lambda spec: spec.id)
def test_a_verb_takes_every_parameter_of_its_action(spec: ActionSpec) -> None:
    command = command_named("ticket").commands[verb_name(spec.id)]
    offered = {param.name for param in command.params}
    for param in spec.params:
        assert param.name in offered or (param.kind == "body" and {"body_text", "body_file"} <= offered), param.name
    assert ("ticket_words" in offered) == (spec.scope != "none")
    assert ("dry_run" in offered) == (spec.scope == "many" or spec.id == "undo")


def test_the_list_is_a_table_without_tabs_and_the_same_as_json(shop: House, supportdesk: Run) -> None:
    ticket = shop.customer_writes(subject="Ordine 5521\tnon arrivato")
    plain = supportdesk("ticket", "list")
    assert plain.code == 0 and "\t" not in plain.out
    assert "Rosa Bianchi" in plain.out and "Ordine 5521 non arrivato" in plain.out
    rows = supportdesk("ticket", "list", "--json").json()
    assert [row["id"] for row in rows] == [ticket]
    assert rows[0]["customer_address"] == "rosa@example.com"


def test_json_and_the_other_program_options_may_stand_before_or_after_the_verb(shop: House, supportdesk: Run) -> None:
    shop.customer_writes()
    assert supportdesk("--json", "ticket", "list").json() == supportdesk("ticket", "list", "--json").json()
    assert supportdesk("ticket", "list", "--agent", "nobody").code == 4


def test_a_view_and_words_narrow_the_list(shop: House, supportdesk: Run) -> None:
    first = shop.customer_writes("Vorrei un rimborso")
    second = shop.customer_writes("Dove è il pacco?", sender="ugo@example.com", name="Ugo")
    supportdesk("ticket", "take", str(second))
    ids = [row["id"] for row in supportdesk("ticket", "list", "--view", "mine", "--json").json()]
    assert ids == [second]
    ids = [row["id"] for row in supportdesk("ticket", "list", "rimborso", "--json").json()]
    assert ids == [first]
    assert supportdesk("ticket", "list", "--view", "nowhere").code == 4


def test_show_prints_the_conversation_and_the_number_for_seen(shop: House, supportdesk: Run) -> None:
    ticket = shop.customer_writes("Il pacco non è arrivato.")
    shown = supportdesk("ticket", "show", str(ticket))
    assert "Il pacco non è arrivato." in shown.out and f"--seen {shop.ticket(ticket).seq}" in shown.out
    value = supportdesk("ticket", "show", f"#{ticket}", "--json").json()
    assert value["ticket"]["id"] == ticket and value["thread"][0]["text"] == "Il pacco non è arrivato."


def test_what_a_customer_wrote_reaches_the_terminal_disarmed(shop: House, supportdesk: Run) -> None:
    ticket = shop.customer_writes("ciao \x1b]0;owned\x07 \u202eback", subject="a\x1b[2Jb")
    for result in (supportdesk("ticket", "show", str(ticket)), supportdesk("ticket", "list")):
        assert "\x1b" not in result.out and "\u202e" not in result.out
    as_json = supportdesk("ticket", "show", str(ticket), "--json")
    assert as_json.out.isascii()


def test_an_action_says_what_it_did_and_can_be_undone_by_its_id(shop: House, supportdesk: Run) -> None:
    ticket = shop.customer_writes()
    done = supportdesk("ticket", "assign", str(ticket), "--assignee", "luca", "--json")
    assert done.code == 0 and done.json()["tickets"] == [ticket]
    assert shop.ticket(ticket).assignee_id == shop.luca.id
    assert supportdesk("undo", done.json()["action_id"]).code == 0
    assert shop.ticket(ticket).assignee_id is None


@pytest.mark.parametrize("shape", ["{0}\n{1}\n", "#{0}\n#{1}\n", "[{0}, {1}]", '[{{"id": {0}}}, {{"id": {1}}}]'])
def test_ticket_numbers_come_from_standard_input(shop: House, supportdesk: Run, shape: str) -> None:
    first, second = shop.customer_writes(), shop.customer_writes(sender="ugo@example.com")
    done = supportdesk("ticket", "tag", "-", "--tags", "vip", "--json", stdin=shape.format(first, second))
    assert done.json()["tickets"] == [first, second]
    assert shop.desk.read.tags(second) == ("vip",)


def test_the_table_of_one_command_can_be_piped_into_the_next(shop: House, supportdesk: Run) -> None:
    ticket = shop.customer_writes()
    listed = supportdesk("ticket", "list").out
    assert supportdesk("ticket", "take", "-", "--json", stdin=listed).json()["tickets"] == [ticket]


def test_a_dry_run_changes_nothing_and_tells_what_would_be_left_alone(shop: House, supportdesk: Run) -> None:
    ticket = shop.customer_writes()
    result = supportdesk("ticket", "spam", str(ticket), "4711", "--dry-run", "--json")
    assert result.code == 5
    assert result.json()["tickets"] == [ticket] and list(result.json()["left_alone"]) == ["4711"]
    assert shop.ticket(ticket).status == "new"


def test_a_conflict_on_one_of_several_tickets_is_listed_and_exits_5(shop: House, supportdesk: Run) -> None:
    ticket = shop.customer_writes()
    result = supportdesk("ticket", "take", str(ticket), "4711", "--json")
    assert result.code == 5
    assert result.json()["tickets"] == [ticket]
    assert [conflict["ticket"] for conflict in result.json()["conflicts"]] == [4711]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("ticket", "show", "4711"), 4),
        (("ticket", "show", "abc"), 2),
        (("ticket", "assign", "1"), 2),
        (("ticket", "priority", "1", "--priority", "sky-high"), 2),
        (("ticket", "nonsense"), 2),
        (("nonsense",), 2),
        (("ticket", "list", "--nonsense"), 2),
        (("ticket", "list", "--limit", "many"), 2),
    ],
)  # fmt: skip
def test_a_wrong_call_ends_in_one_line_and_its_exit_code(
    shop: House, supportdesk: Run, arguments: tuple[str, ...], code: int
) -> None:
    shop.customer_writes()
    result = supportdesk(*arguments)
    assert result.code == code
    assert result.out == "" and result.err.startswith("supportdesk: ")
    assert "Traceback" not in result.err


def test_a_waiting_ticket_is_solved_only_with_a_reason_and_the_hint_lists_them(shop: House, supportdesk: Run) -> None:
    ticket = shop.customer_writes()
    refused = supportdesk("ticket", "solve", str(ticket))
    assert refused.code == 2 and "--dismiss thanks|" in refused.err
    assert supportdesk("ticket", "solve", str(ticket), "--dismiss", "no_action").code == 0
    assert shop.ticket(ticket).status == "solved"


def test_a_reply_takes_its_text_from_the_argument_a_file_or_standard_input(
    shop: House, supportdesk: Run, tmp_path: object
) -> None:
    from pathlib import Path

    file = Path(str(tmp_path)) / "reply.txt"
    file.write_text("Arriva domani.\n", "utf-8")
    for arguments, stdin in (
        (("Arriva domani.",), ""),
        (("--file", str(file)), ""),
        (("-",), "Arriva domani."),
        ((), "Arriva domani."),
    ):
        ticket = shop.customer_writes(sender=f"c{len(arguments)}{len(stdin)}@example.com")
        done = supportdesk("ticket", "reply", str(ticket), *arguments, "--anyway", "--json", stdin=stdin)
        assert done.code == 0, done.err
        assert shop.desk.outbox_row(done.json()["outbox_id"]).body == "Arriva domani."


def test_a_reply_stops_when_something_new_arrived_and_says_what(shop: House, supportdesk: Run) -> None:
    ticket = shop.customer_writes()
    seen = shop.ticket(ticket).seq
    shop.customer_writes("Anzi, annullo!", ticket=ticket)
    stopped = supportdesk("ticket", "reply", str(ticket), "Arriva.", "--seen", str(seen), "--json")
    assert stopped.code == 5
    assert stopped.json()["stopped"] is True
    assert [item["excerpt"] for item in stopped.json()["newcomers"]] == ["Anzi, annullo!"]
    draft, now = str(stopped.json()["draft"]), str(stopped.json()["seq"])
    assert supportdesk("ticket", "reply", str(ticket), "Annullato.", "--seen", now).code == 5  # the draft is not lost
    again = supportdesk("draft", "send", draft, "--seen", now, "--anyway", "--json")
    assert again.code == 0, again.err
    assert shop.desk.outbox_row(again.json()["outbox_id"]).body == "Arriva."


def test_seen_zero_means_that_nothing_was_seen(shop: House, supportdesk: Run) -> None:
    ticket = shop.customer_writes()
    assert supportdesk("ticket", "reply", str(ticket), "Ciao", "--seen", "0").code == 5


def test_a_reply_is_sent_later_in_the_hours_of_its_mailbox(shop: House, supportdesk: Run) -> None:
    ticket = shop.customer_writes("Dove è il mio ordine?")
    wrong = supportdesk("ticket", "reply", str(ticket), "Arriva lunedì.", "--at", "when pigs fly", "--anyway")
    assert wrong.code != 0 and shop.desk.drafts(shop.giulia) == [], "a time that is none leaves no draft behind"
    when = datetime.now(UTC) + timedelta(days=3)
    at = f"{when:%Y-%m-%dT%H:%M+00:00}"
    sent = supportdesk("ticket", "reply", str(ticket), "Arriva lunedì.", "--at", at, "--anyway")
    assert sent.code == 0, sent.err
    [row] = shop.desk.read.outbox(states=("held",))
    assert row.not_before == when.replace(second=0, microsecond=0)


def test_a_canned_reply_names_what_it_asks_for(shop: House, supportdesk: Run) -> None:
    from supportdesk.desk.canned_folder import starter_set

    shop.desk.import_canned(shop.giulia, starter_set())
    ticket = shop.customer_writes(language="de", text="Wie kann ich die Schuhe zurückschicken?")
    missing = supportdesk("ticket", "reply", str(ticket), "--canned", "return-instructions")
    assert missing.code == 1 and "--ask return_address=…" in missing.err
    assert "order_number" not in missing.err  # the mailbox's pattern found it in the ticket
    done = supportdesk(
        "ticket", "reply", str(ticket), "--canned", "return-instructions", "--ask", "return_address=Via Roma 1",
        "--anyway", "--json",
    )  # fmt: skip
    assert done.code == 0, done.err
    assert "Via Roma 1" in shop.desk.outbox_row(done.json()["outbox_id"]).body


def test_a_new_conversation_goes_to_whom_it_is_addressed(shop: House, supportdesk: Run) -> None:
    done = supportdesk(
        "ticket",
        "new",
        "Hans Meier <hans@example.com>",
        "--subject",
        "Ihre Bestellung",
        "Sie ist da.",
        "--lang",
        "de",
        "--json",
    )
    assert done.code == 0, done.err
    row = shop.desk.outbox_row(done.json()["outbox_id"])
    assert [one.address for one in row.recipients] == ["hans@example.com"] and row.kind == "new"


def test_an_attachment_is_listed_and_written_to_a_pipe(shop: House, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    ticket = shop.customer_writes()
    draft = shop.draft(ticket)
    shop.desk.attach(shop.giulia, draft.id, "etichetta.pdf", "application/pdf", b"%PDF \x00\xff")
    shop.desk.send(shop.giulia, draft.id, seen_seq=shop.ticket(ticket).seq)
    from supportdesk.__main__ import main

    assert main(["ticket", "attachment", str(ticket), "--json"]) == 0
    assert b"etichetta.pdf" in capsysbinary.readouterr().out
    assert main(["ticket", "attachment", str(ticket), "1"]) == 0
    assert capsysbinary.readouterr().out == b"%PDF \x00\xff"
    assert main(["ticket", "attachment", str(ticket), "1", "--json"]) == 0
    assert b64decode(json.loads(capsysbinary.readouterr().out)["content_base64"]) == b"%PDF \x00\xff"
    assert main(["ticket", "attachment", str(ticket), "2"]) == 4


def test_a_file_from_the_agents_own_machine_is_attached_to_the_draft(shop: House, supportdesk: Run) -> None:
    ticket = shop.customer_writes()
    done = supportdesk("draft", "attach", str(ticket), "../../label.pdf", "--json", stdin=b"%PDF")
    assert done.code == 0, done.err
    [item] = done.json()["attachments"]
    assert (item["name"], item["content_type"], item["size"]) == ("label.pdf", "application/pdf", 4)
    assert supportdesk("draft", "attach", str(ticket), "empty.pdf").code == 2


def test_replies_in_doubt_are_listed_and_decided_upon(shop: House, supportdesk: Run) -> None:
    first = shop.reply(shop.customer_writes(sender="a@example.com"))
    second = shop.reply(shop.customer_writes(sender="b@example.com"))
    third = shop.reply(shop.customer_writes(sender="c@example.com"))
    shop.deliver(first.id, "uncertain")
    shop.deliver(second.id, "failed")
    listed = {row["id"]: row["state"] for row in supportdesk("outbox", "list", "--json").json()}
    assert listed == {first.id: "uncertain", second.id: "failed", third.id: "held"}
    assert supportdesk("outbox", "mark-sent", str(first.id)).code == 0
    assert supportdesk("outbox", "retry", str(second.id)).code == 0
    assert supportdesk("outbox", "cancel", str(third.id)).code == 0
    states = [shop.desk.outbox_row(row.id).state for row in (first, second, third)]
    assert states == ["sent", "deferred", "draft"]
    assert supportdesk("outbox", "mark-sent", str(third.id)).code == 5
    assert supportdesk("outbox", "list", "--state", "lost").code == 2


def test_a_reply_says_how_a_command_takes_it_back(shop: House, supportdesk: Run) -> None:
    ticket = shop.customer_writes()
    sent = supportdesk("ticket", "reply", str(ticket), "Arriva domani.")
    assert sent.code == 0 and sent.out == f"Reply to #{ticket} sent\n"
    [row] = shop.desk.read.outbox()
    assert "supportdesk undo " in sent.err and f"supportdesk outbox cancel {row.id}\n" in sent.err
    assert supportdesk("outbox", "cancel", str(row.id)).code == 0


@pytest.mark.parametrize("given", [("--canned", "nope"), ("--canned", "order-shipped"), ()], ids=str)
def test_a_reply_that_fails_leaves_no_empty_draft(shop: House, supportdesk: Run, given: tuple[str, ...]) -> None:
    ticket = shop.customer_writes()
    assert supportdesk("ticket", "reply", str(ticket), *given).code in (1, 2, 4)
    assert shop.desk.drafts(shop.giulia) == []


def test_a_conversation_whose_text_fails_leaves_no_draft(shop: House, supportdesk: Run) -> None:
    result = supportdesk("ticket", "new", "anna@example.com", "--subject", "Ordine", "--canned", "nope")
    assert result.code == 4 and "supportdesk canned list" in result.err
    assert shop.desk.drafts(shop.giulia) == []


@pytest.mark.parametrize(
    ("to", "text"), [("anna at example.com", "Ciao"), ("a@example.com, b@example.com", "Ciao"), ("a@example.com", " ")]
)
def test_a_conversation_that_cannot_be_sent_is_not_begun(shop: House, supportdesk: Run, to: str, text: str) -> None:
    refused = supportdesk("ticket", "new", to, "--subject", "Ordine", text)
    assert refused.code == 2 and refused.err
    assert shop.desk.read.rows("ticket") == [] and shop.desk.read.rows("customer") == []
    ticket = str(shop.customer_writes())
    assert supportdesk("ticket", "forward", ticket, "corriere", "Ecco").code == 2
    assert shop.desk.drafts(shop.giulia) == []


def test_a_forward_that_is_being_written_keeps_its_words(shop: House, supportdesk: Run) -> None:
    ticket = shop.customer_writes()
    row = shop.desk.open_draft(shop.giulia, ticket, kind="forward")
    shop.desk.save_draft(shop.giulia, row.id, row.version, body="Caro corriere,")
    refused = supportdesk("ticket", "forward", str(ticket), "corriere@example.net", "Ecco il pacco.")
    assert refused.code == 5 and str(row.id) in refused.err
    assert shop.desk.outbox_row(row.id).body == "Caro corriere,"


def test_what_is_so_already_is_said_and_no_conflict(shop: House, supportdesk: Run) -> None:
    ticket = str(shop.customer_writes())
    assert supportdesk("ticket", "take", ticket).code == 0
    again = supportdesk("ticket", "take", ticket)
    assert (again.code, again.out) == (0, f"#{ticket}: it is yours already\n")
    assert supportdesk("ticket", "priority", ticket, "--priority", "normal").out == "Nothing to change\n"


def test_what_was_done_names_whom_and_until_when(shop: House, supportdesk: Run) -> None:
    ticket = str(shop.customer_writes())
    assert supportdesk("ticket", "assign", ticket, "--assignee", "luca").out == f"Assigned #{ticket} to Luca Neri\n"
    slept = supportdesk("ticket", "snooze", ticket, "--until", "tomorrow 9:00", "--after-deadline")
    assert slept.out == f"#{ticket} sleeps until tomorrow, 9:00 AM\n"
    wakes = shop.ticket(TicketId(int(ticket))).snoozed_until
    assert wakes is not None
    told = supportdesk("why", ticket).out
    until = date_time(wakes, "en", ZoneInfo("Europe/Rome"), "full").replace("\u202f", " ")
    assert f"let it sleep until {until}" in told


def test_an_empty_list_says_so_and_a_long_last_column_is_whole(shop: House, supportdesk: Run) -> None:
    empty = supportdesk("ticket", "list", "--view", "spam")
    assert (empty.code, empty.out) == (0, "") and "nothing to show" in empty.err


def test_one_answer_for_many_is_sent_only_with_the_right_count(shop: House, supportdesk: Run) -> None:
    from supportdesk.desk.canned_folder import starter_set

    shop.desk.import_canned(shop.giulia, starter_set())
    ids = [shop.customer_writes(sender=f"{language}@example.com", language=language) for language in ("it", "de", "fi")]
    numbers = "\n".join(map(str, ids))
    shown = supportdesk("ticket", "reply-all", "-", "--canned", "thanks", "--dry-run", stdin=numbers)
    assert shown.code == 5
    assert f"3/3 · #{ids[2]}" in shown.out and "left out" in shown.out
    wrong = supportdesk("ticket", "reply-all", "-", "--canned", "thanks", "--count", "3", stdin=numbers)
    assert (wrong.code, shop.desk.read.outbox(states=("held",))) == (2, [])
    assert "--count 2" in wrong.err
    sent = supportdesk("--json", "ticket", "reply-all", "-", "--canned", "thanks", "--count", "2", stdin=numbers)
    assert (sent.code, sent.json()["tickets"]) == (0, ids[:2])
    assert supportdesk("undo", sent.json()["action_id"]).code == 0
    assert shop.desk.read.outbox(states=("held",)) == []


def test_a_forward_goes_to_a_third_party_and_the_customer_still_waits(shop: House, supportdesk: Run) -> None:
    ticket = shop.customer_writes()
    done = supportdesk("ticket", "forward", str(ticket), "Corriere <corriere@example.net>", "Dove si trova?")
    assert done.code == 0
    (row,) = shop.desk.read.outbox(states=("held",))
    assert (row.kind, [one.address for one in row.recipients]) == ("forward", ["corriere@example.net"])
    assert (shop.ticket(ticket).status, shop.ticket(ticket).waiting_since is not None) == ("on_hold", True)


def test_a_draft_can_be_sent_later(shop: House, supportdesk: Run) -> None:
    row = shop.draft(shop.customer_writes())
    assert supportdesk("draft", "send", str(row.id), "--at", "3d", "--anyway").code == 0
    held = shop.desk.outbox_row(row.id)
    assert held.state == "held" and held.not_before is not None
    assert (held.not_before - shop.clock.now()).days >= 1


# What a key does with a draft, the outbox or parked mail, and the verb that does the same.
VERBS = {
    "reply": "ticket reply", "new": "ticket new", "forward": "ticket forward", "note": "ticket note",
    "attach": "draft attach", "discard": "draft discard", "send": "draft send", "send_and_solve": "draft send",
    "send_later": "draft send", "send_and_ask_again": "draft send", "send_and_snooze": "ticket snooze",
    "save_note": "ticket note", "cancel_send": "outbox cancel", "deliver_again": "outbox retry",
    "mark_sent": "outbox mark-sent", "release": "mail parked release",
    "fetch_junk": "mail fetch", "fetch_whole": "mail fetch",
}  # fmt: skip


def test_every_key_that_writes_or_sends_has_its_verb() -> None:
    from supportdesk.tui.default_keys import DEFAULT_BINDINGS

    bound = {binding.action for binding in DEFAULT_BINDINGS}
    assert set(VERBS) <= bound
    for line in VERBS.values():
        noun, *names = line.split()
        found = command_named(noun)
        for name in names:
            assert name in found.commands, line
            found = found.commands[name]


def test_a_command_that_is_run_again_sends_no_second_copy(shop: House, supportdesk: Run) -> None:
    from supportdesk.desk.canned_folder import starter_set

    shop.desk.import_canned(shop.giulia, starter_set())
    single, *many = [str(shop.customer_writes(sender=f"{one}@example.com", language="it")) for one in "abcd"]
    reply = ("ticket", "reply", single, "Buongiorno, il pacco arriva domani.\n\nCordiali saluti")
    assert supportdesk(*reply).code == 0
    again = supportdesk(*reply)
    assert again.code == 5 and "same text is on its way already" in again.err and "--anyway" in again.err
    assert len(shop.desk.read.rows("outbox")) == 1
    assert supportdesk(*reply, "--anyway").code == 0

    canned = ("ticket", "reply", many[0], "--canned", "thanks")
    assert [supportdesk(*canned).code for _ in "12"] == [0, 5]

    to_all = ("ticket", "reply-all", *many, "--canned", "thanks")
    rest = supportdesk(*to_all, "--count", "2")
    assert rest.code == 5 and f"left out #{many[0]}" in rest.err and "Sent 2" in rest.out
    assert supportdesk(*to_all, "--count", "3").code == 5
    assert supportdesk(*to_all, "--count", "3", "--anyway").code == 0
    assert len(shop.desk.read.outbox(states=("held",))) == 8

    new = ("ticket", "new", "hans@example.com", "--subject", "Ihre Bestellung", "--lang", "de", "Sie ist da.")
    assert supportdesk(*new).code == 0
    again = supportdesk(*new)
    assert again.code == 5 and "same text is on its way already" in again.err and "--anyway" in again.err
    assert supportdesk(*new, "--anyway").code == 0

    row = shop.draft(TicketId(int(single)), body="Buongiorno, il pacco arriva domani.\n\nCordiali saluti")
    assert supportdesk("draft", "send", str(row.id)).code == 5
    assert supportdesk("draft", "send", str(row.id), "--anyway").code == 0
