"""`sort:relevance` puts first what holds the words best, and misses nothing that the query finds without it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from supportdesk.desk.model import MAIL, AllOf, AnyOf, Not, Property, TicketId, Words
from supportdesk.desk.ports import Insert, NewRef, Plan, PlannedEvent
from supportdesk.desk.query import QueryError, read_query
from supportdesk.store.read import relevance
from supportdesk.store.read.relevance import Ranking, ranking_of
from supportdesk.textfold import Term, fold_message
from tests.store.desk import SmallDesk, action, apply, set_ticket

if TYPE_CHECKING:
    from supportdesk.store import SqlStore

PADDING = "xyz " * 20


def write(store: SqlStore, subject: str, body: str, sender: str = "") -> TicketId:
    """A ticket with a message that has been indexed as mail is."""
    now = store.clock.now()
    ticket = {"subject": subject, "created_at": now, "updated_at": now}
    with store.transaction() as tx:
        plan = Plan((Insert("ticket", ticket, NewRef("new")),), (), (PlannedEvent(NewRef("new"), "created"),))
        ids = tx.apply(plan, MAIL, action()).ids
    number = TicketId(ids["new"])
    answer(store, number, body, subject=subject, sender=sender)
    return number


def answer(store: SqlStore, ticket: TicketId, body: str, *, subject: str = "", sender: str = "") -> None:
    now = store.clock.now()
    message = {"ticket_id": ticket, "seq": 1, "received_at": now, "created_at": now, "subject": subject, "body": body}
    with store.transaction() as tx:
        plan = Plan(silent=(Insert("message", message, NewRef("message")),), events=(PlannedEvent(ticket, "message"),))
        ids = tx.apply(plan, MAIL, action()).ids
        tx.index_message(ids["message"], fold_message(f"{subject}\n{body}\n{sender}", subject=subject, sender=sender))


def best(store: SqlStore, text: str, view: str = "all", *, limit: int = 0) -> list[TicketId]:
    """What a list shows; a search must say the same."""
    query, now = read_query(f"{text} sort:relevance", typing=False), store.clock.now()
    listed = list(store.read.queue_ids(view, agent_id=None, now=now, query=query, limit=limit))
    if view == "all":
        assert store.read.search(query, agent_id=None, now=now, limit=limit or 500) == listed
    if not limit:
        assert list(store.read.queue_spine(view, agent_id=None, now=now, query=query)) == listed
    return listed


def test_the_subject_goes_before_a_mention_and_many_mentions_before_one(store: SqlStore) -> None:
    subject = write(store, "Reso scarpe", f"buongiorno {PADDING}")
    often = write(store, "Domanda", f"reso e poi reso, ancora reso {PADDING}")
    once = write(store, "Domanda", f"vorrei un reso grazie mille {PADDING}")
    write(store, "Altro", PADDING)
    assert best(store, "reso") == [subject, often, once]
    assert best(store, "RÉSO") == [subject, often, once]
    assert best(store, "reso", limit=2) == [subject, often]


def test_a_short_message_about_it_goes_before_a_long_one_that_mentions_it(store: SqlStore) -> None:
    short = write(store, "Domanda", "dove trovo la fattura")
    long = write(store, "Domanda", f"dove trovo la fattura {PADDING * 10}")
    assert best(store, "fattura") == [short, long]


def test_of_equal_messages_the_newest_goes_first(store: SqlStore) -> None:
    tickets = [write(store, "Domanda", "dove trovo la fattura") for _number in range(5)]
    assert best(store, "fattura") == tickets[::-1]
    answer(store, tickets[2], "Domanda dove trovo la fattura")
    assert best(store, "fattura")[0] == tickets[2]


def test_a_ticket_is_as_good_as_its_best_message_and_a_merged_one_counts_as_its_survivor(store: SqlStore) -> None:
    about, mentions, survivor = (
        write(store, "Reso scarpe", PADDING), write(store, "Domanda", f"reso {PADDING}"), write(store, "Ciao", PADDING),
    )  # fmt: skip
    answer(store, about, f"reso {PADDING * 5}")
    assert best(store, "reso") == [about, mentions]
    apply(store, set_ticket(about, "merge", {}, {"merged_into": survivor}))
    assert best(store, "reso") == [survivor, mentions]


def test_of_several_words_the_rare_one_is_worth_more(store: SqlStore) -> None:
    rare = write(store, "Domanda", f"pallet {PADDING}")
    both = write(store, "Domanda", f"pacco pallet {PADDING}")
    frequent = [write(store, "Domanda", f"pacco {PADDING}") for _number in range(6)]
    assert best(store, "pacco OR pallet") == [both, rare, *frequent[::-1]]
    assert best(store, "pacco pallet") == [both]


FIRST = {
    '"scarpe rosse"': 0, "rosse scarpe": 1, "ord5521": 2, "5521": 2, "subject:scarpe": 1, "from:rossi": 3, "scar*": 1,
    "東京": 4, "東京都": 4, "grosse": 5, "طلب": 6,
}  # fmt: skip


def test_phrases_fields_beginnings_and_every_script_are_ranked(store: SqlStore) -> None:
    tickets = [
        write(store, "Ciao", "scarpe rosse, scarpe rosse e scarpe rosse"),
        write(store, "Rosse, scarpe", "scarpe verdi, scarpe e scarpe, rosse"),
        write(store, "Ciao", "ordine ORD5521"),
        write(store, "Ciao", "buongiorno", "Rossi rossi@example.it"),
        write(store, "商品", "商品が届きません 東京都"),
        write(store, "Größe", "falsche Größe"),
        write(store, "طلب", "أين طلبي"),
    ]
    write(store, "Altro", f"scarpe rosse ord5521 rossi 東京都 grosse طلب scarponi {PADDING * 5}")
    for text, first in FIRST.items():
        assert best(store, text)[0] == tickets[first], text


def test_conditions_and_views_narrow_what_is_ranked(store: SqlStore, desk: SmallDesk) -> None:
    now = store.clock.now()
    about = write(store, "Reso scarpe", PADDING)
    mentions = write(store, "Domanda", f"reso {PADDING}")
    other = write(store, "Domanda", f"un reso e reso {PADDING}")
    for ticket, language in ((about, "it"), (mentions, "it"), (other, "de")):
        apply(store, set_ticket(ticket, "language", {}, {"language": language}))
    assert best(store, "reso lang:it")[:2] == [about, mentions]
    assert best(store, "scarpe OR lang:de") == [about, other]
    apply(store, set_ticket(about, "status", {}, {"status": "solved"}))
    assert best(store, "reso in:solved") == best(store, "reso", "solved") == [about]
    assert about not in best(store, "reso is:open")
    apply(store, set_ticket(other, "snooze", {}, {"snoozed_until": now + timedelta(days=1)}))
    assert best(store, "reso", "snoozed") == [other]


def test_what_is_not_ranked_follows_in_its_usual_order(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relevance, "RANKED", 3)
    old = [write(store, "Reso", "reso reso") for _number in range(4)]
    [poor, good, fair] = [write(store, "Domanda", text) for text in ("ecco un reso", "Reso e reso", "reso, grazie")]
    apply(store, set_ticket(fair, "language", {}, {"language": "it"}))
    assert best(store, "reso") == [good, fair, poor, *old[::-1]]
    for limit in range(1, 8):
        assert best(store, "reso", limit=limit) == best(store, "reso")[:limit]
    assert best(store, "reso -lang:it") == [good, poor, *old[::-1]]
    assert best(store, "reso -lang:it", limit=4) == [good, poor, *old[:1:-1]]


def test_a_ticket_that_is_named_by_its_number_goes_first(store: SqlStore) -> None:
    first, second = write(store, "Domanda", "niente"), write(store, "Domanda", "niente")
    about = write(store, f"Biglietto {first}", f"il {first}, sempre il {first}")
    assert best(store, f"#{first}") == [first, about]
    assert best(store, f"#{second} OR niente") == [second, first]


def test_without_words_the_order_is_the_usual_one(store: SqlStore, desk: SmallDesk) -> None:
    now = store.clock.now()
    write(store, "Reso scarpe", PADDING)
    for text in ("", "lang:it", "-reso", "is:open", "customer:rossi", "-(reso OR lang:it)"):
        for view in ("all", "all_open", "needs_reply", "snoozed"):
            usual = store.read.queue_ids(view, agent_id=None, now=now, query=read_query(text))
            sorted_by = read_query(f"{text} sort:relevance")
            assert store.read.queue_ids(view, agent_id=None, now=now, query=sorted_by) == usual, (view, text)


def test_no_string_is_an_error_or_reaches_the_database_as_a_query(store: SqlStore, desk: SmallDesk) -> None:
    operators = r"""' " * ( ) AND OR NOT NEAR( ^ - + : folded: { } \ & | ! <-> % ? ; --""".split()
    for one in (*operators, "\0", "\ue000pacco", "\ud800", "%b", "x" * 300, "reso " * 16):
        for text in (one, f"{one} pacco", f"pacco OR {one}", f'"{one}"', f"{one}*"):
            try:
                read_query(f"{text} sort:relevance", typing=False)
            except QueryError:
                continue
            found = best(store, text)
            assert sorted(found) == sorted(set(found))


PACCO, RESO = Words((Term(("pacco",)),)), Words((Term(("reso",)),))
ABOUT, ITALIAN = Words((Term(("reso",)),), "subject"), Property("lang", "it")


@pytest.mark.parametrize(
    ("text", "ranking"),
    [
        ("", None),
        ("lang:it", None),
        ("-pacco", None),
        ("pacco", Ranking((PACCO,))),
        ("pacco lang:it", Ranking((PACCO,), rest=AllOf((ITALIAN,)))),
        ("subject:reso pacco", Ranking((PACCO,), rest=AllOf((ABOUT,)))),
        ("pacco OR reso", Ranking((PACCO, RESO))),
        ("pacco OR lang:it", Ranking((PACCO,))),
        ("(pacco OR reso) lang:it", Ranking((PACCO, RESO), rest=AllOf((ITALIAN,)))),
        ("pacco -reso", Ranking((PACCO,), rest=AllOf((Not(RESO),)))),
        (
            "pacco lang:it OR reso",
            Ranking((PACCO, RESO), rest=AnyOf((AllOf((PACCO, ITALIAN)), RESO))),
        ),
    ],
)  # fmt: skip
def test_what_a_query_is_ranked_by(text: str, ranking: Ranking | None) -> None:
    assert ranking_of(read_query(text, typing=False).condition) == ranking
