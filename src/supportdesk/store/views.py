"""Which tickets each view of the queue holds, as SQL conditions on the ticket's own row.

`desk.model.standing_views` says the same as a pure function for the counters; a test compares the two. Each condition
is also the WHERE of a partial index, which a query uses only when it repeats it word for word; NOT IN, because SQLite
would rather search the index of states for an IN and then sort. Who is asleep changes
with time alone and is never part of an index.
"""

from __future__ import annotations

from dataclasses import dataclass

HOME = "merged_into IS NULL"
NEEDS_REPLY = f"waiting_since IS NOT NULL AND {HOME} AND status <> 'spam' AND kind = 'human'"
IN_HAND = f"{HOME} AND status NOT IN ('pending', 'solved', 'closed', 'spam')"
OPEN = f"{HOME} AND status NOT IN ('solved', 'closed', 'spam')"
NOTIFICATION = f"{HOME} AND kind = 'notification' AND status NOT IN ('solved', 'closed', 'spam')"
SNOOZED = f"snoozed_until IS NOT NULL AND {HOME}"
AWAKE = "(snoozed_until IS NULL OR snoozed_until <= ?)"


@dataclass(frozen=True, slots=True)
class Listing:
    """One view. Each of `branches` is a condition that an index answers in the order of the list.

    `due` lists are in order of what is due next, without a deadline last; the others newest ticket first.
    `awake` adds one parameter (now), `mine` one before it (the agent).
    """

    branches: tuple[str, ...]
    due: bool = False
    awake: bool = False
    mine: bool = False


LISTINGS: dict[str, Listing] = {
    "needs_reply": Listing((NEEDS_REPLY,), due=True, awake=True),
    "unassigned": Listing((f"{NEEDS_REPLY} AND assignee_id IS NULL",), due=True, awake=True),
    "mine": Listing((f"{IN_HAND} AND assignee_id = ?",), due=True, awake=True, mine=True),
    "with_customer": Listing((f"status = 'pending' AND {HOME}",)),
    "notifications": Listing((NOTIFICATION,)),
    "all_open": Listing((OPEN,), due=True),
    "solved": Listing((f"status = 'solved' AND {HOME}", f"status = 'closed' AND {HOME}")),
    "spam": Listing((f"status = 'spam' AND {HOME}",)),
    "all": Listing((HOME,)),
}
