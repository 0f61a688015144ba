"""Threads: the real matching with its participant guards off, against Dovecot's REFERENCES (RFC 5256).

RFC 5256 joins conversations of the same subject in its last step, and a subject alone never threads here (domain.md
section 6): those pairs are left out of the recall, and the bare figure is told beside it. That nothing else is left out
is shown by Dovecot itself: its REFS is the same without that step, and the recall of REFS is that of all its pairs.
A pair that we join and Dovecot does not is judged by eye (`judgements.toml` has the reasons of the others; these few
stand here).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import Final

from supportdesk.mail.model import ParsedMail
from supportdesk.mail.signed import SigningKey, SigningKeys
from supportdesk.mail.thread import Home, ThreadContext, TicketFacts, match, root_id
from tests.corpus.findings import Finding, Group
from tests.corpus.folder import Folder

SETS: Final = ("aerc-jwz", "easy-ham-1", "notmuch-lkml", "notmuch-threading")
PRECISION: Final = 0.999
RECALL: Final = 0.99
BEGINNING: Final = datetime(2026, 1, 1, tzinfo=UTC)
# An id by which we join and Dovecot does not, and why we are right.
JUDGED: Final = {
    "<m2fzw8zn3t.fsf@maya.dyndns.org>": (
        "In-Reply-To reads: Message from Gary <garym@canada.com> of ... <m2fzw8zn3t...>; Dovecot takes the address, "
        "which comes first, for the id"
    ),
    "<B00-root@example.org>": (
        "In-Reply-To names the root, References has a typing mistake in the id (the test data says so); Dovecot reads "
        "References alone"
    ),
}
Pairs = set[tuple[str, str]]


@dataclass
class Conversations:
    """A lookup that knows nothing but the mails it was given: one ticket a conversation."""

    tickets: dict[int, TicketFacts] = field(default_factory=dict)
    homes: dict[str, list[Home]] = field(default_factory=lambda: defaultdict(list))
    roots: dict[str, list[Home]] = field(default_factory=lambda: defaultdict(list))

    def ticket(self, ticket: int) -> TicketFacts | None:
        return self.tickets.get(ticket)

    def home_of_outbox(self, outbox_id: int) -> Home | None:
        return None

    def homes_of_message_ids(self, message_ids: Sequence[str]) -> Sequence[Home]:
        return [home for one in message_ids for home in self.homes.get(one, ())]

    def homes_of_roots(self, roots: Sequence[str]) -> Sequence[Home]:
        return [home for one in roots for home in self.roots.get(one, ())]

    def tickets_by_order(self, number: str, customer: str) -> Sequence[int]:
        return []

    def tickets_of(self, customer: str) -> Sequence[int]:
        return []

    def open_ticket_of(self, customer: str, since: datetime) -> int | None:
        return None

    def take(self, mail: ParsedMail, at: datetime) -> tuple[int, str]:
        """The conversation of a mail, and the id that decided."""
        keys = SigningKeys(SigningKey(1, b"k" * 32))
        found = match(mail, self, ThreadContext(keys, "corpus", at, None, sender_is_agent=True))
        ticket = found.ticket or len(self.tickets) + 1
        self.tickets[ticket] = TicketFacts(ticket, "open", mail.subject, frozenset(), at, at)
        if mail.message_id:
            self.homes[mail.message_id].append(Home(mail.message_id, ticket, at, ours=False))
        if root := root_id(mail):
            self.roots[root].append(Home(root, ticket, at, ours=False))
        return ticket, found.evidence[-1].value if found.evidence else ""


def measure(folder: Folder, mails: Mapping[str, ParsedMail]) -> Group:
    ours: Pairs = set()
    theirs: Pairs = set()
    reachable: Pairs = set()
    without_subjects: Pairs = set()
    joined_by: dict[str, str] = {}
    for name in SETS:
        threads_of = folder.expected(f"threads-{name}")
        expected = threads_of["REFERENCES"]
        without_subjects |= _pairs(threads_of["REFS"])
        given = sorted((one for thread in expected for one in thread), key=lambda one: (_sent(mails[one]), one))
        threads, conversations = defaultdict(list), Conversations()
        for number, one in enumerate(given):
            ticket, joined_by[one] = conversations.take(mails[one], BEGINNING + timedelta(minutes=number))
            threads[ticket].append(one)
        ours |= _pairs(threads.values())
        theirs |= _pairs(expected)
        reachable |= _pairs(_by_ids(given, mails))
    wrong = sorted(pair for pair in ours - theirs if not _is_judged(pair, ours, joined_by))
    missed, missed_refs = sorted((theirs & reachable) - ours), sorted(without_subjects - ours)
    agreed = len(ours) - len(wrong)
    by_ids = len(theirs & reachable)
    return Group(
        "threads",
        f"{len(joined_by):,} mails of {len(SETS)} sets, participant guards off",
        (
            _share("pairs of ours that are one conversation", agreed, len(ours), PRECISION, wrong),
            _share("pairs of Dovecot's (REFERENCES) that ids join", by_ids - len(missed), by_ids, RECALL, missed),
            _share(
                "all pairs of Dovecot's REFS, which joins by no subject",
                len(without_subjects) - len(missed_refs),
                len(without_subjects),
                RECALL,
                missed_refs,
            ),
            Finding("pairs that we join and Dovecot does not, judged", f"{len(ours - theirs) - len(wrong)}"),
            Finding("pairs that Dovecot joins by the subject alone", f"{len(theirs - reachable):,}"),
            _share("bare, nothing judged: pairs of ours", len(ours & theirs), len(ours)),
            _share("bare, with those by the subject alone: pairs of Dovecot's", len(ours & theirs), len(theirs)),
        ),
    )


def _share(measure: str, met: int, of: int, least: float = 0.0, pairs: Sequence[tuple[str, str]] = ()) -> Finding:
    """A `least` of 0 is no limit: a figure that is only told."""
    details = tuple(f"{one} and {other}" for one, other in pairs)
    share = met / of if of else 0.0
    limit = f"≥ {least}" if least else ""
    return Finding(measure, f"{share:.4f} ({met:,} of {of:,})", limit, share >= least, details)


def _sent(mail: ParsedMail) -> datetime:
    return mail.date or datetime(1970, 1, 1, tzinfo=UTC)


def _pairs(threads: Iterable[Iterable[str]]) -> Pairs:
    return {pair for thread in threads for pair in combinations(sorted(thread), 2)}


def _by_ids(names: Sequence[str], mails: Mapping[str, ParsedMail]) -> list[list[str]]:
    """The mails that any chain of ids connects: what no subject is needed for."""
    parent: dict[str, str] = {}

    def root(one: str) -> str:
        while parent.setdefault(one, one) != one:
            parent[one] = one = parent[parent[one]]
        return one

    for name in names:
        mail = mails[name]
        # Old programs write "Message from Rosa <rosa@…> of … <id>" there: only the last one is sure to be an id.
        for one in (mail.message_id, *mail.in_reply_to[-1:], *mail.references):
            if "@" in one:
                parent[root(one)] = root(name)
    groups: dict[str, list[str]] = defaultdict(list)
    for name in names:
        groups[root(name)].append(name)
    return list(groups.values())


def _is_judged(pair: tuple[str, str], ours: Pairs, joined_by: Mapping[str, str]) -> bool:
    """Whether the conversation of that pair was made one by an id that was judged."""
    family = {one for other in ours if pair[0] in other for one in other}
    return any(joined_by.get(one) in JUDGED for one in family)
