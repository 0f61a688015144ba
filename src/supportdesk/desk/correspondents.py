"""Who wrote: the customer behind an address, made on first sight, and the language he is answered in."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from supportdesk.desk.customers import Person, person_of
from supportdesk.desk.model import DECIDED
from supportdesk.desk.ports import Insert, NewRef, Plan, Row, Transaction, Update
from supportdesk.l10n.tags import same_language
from supportdesk.mail.model import Address

LOOKED_BACK = 20  # a customer's newest tickets


@dataclass(frozen=True, slots=True)
class Language:
    """A BCP 47 tag with its evidence: hand, order, confirmed, header, detected, mailbox; both "" where unknown."""

    tag: str
    source: str


@dataclass(frozen=True, slots=True)
class Correspondent:
    """An address with its customer; the ids are NewRefs while `plan` still has to be applied."""

    address: Address
    identity_id: int | NewRef
    customer_id: int | NewRef
    person: Person | None
    verdict: str
    plan: Plan

    @property
    def known(self) -> bool:
        return self.person is not None

    @property
    def customer(self) -> Row | None:
        """What is known of him."""
        return self.person.row if self.person is not None else None


def find_correspondent(tx: Transaction, address: Address, now: datetime, *, ref: str = "sender") -> Correspondent:
    """The customer who has that address, or the plan that makes one."""
    rows = tx.rows("customer_identity", {"kind": "email", "value_norm": address.norm}, limit=1)
    if rows:
        identity = rows[0]
        person = person_of(tx, identity["customer_id"])
        plan = Plan()
        if address.name and not person.row["name"]:
            named = Update("customer", {"id": person.id}, {"name": ""}, {"name": address.name})
            plan = Plan(silent=(named,))
        return Correspondent(address, identity["id"], person.id, person, identity["verdict"], plan)
    customer_ref, identity_ref = NewRef(f"{ref}-customer"), NewRef(f"{ref}-identity")
    made = (
        Insert("customer", {"name": address.name, "created_at": now}, customer_ref),
        Insert(
            "customer_identity",
            {"customer_id": customer_ref, "kind": "email", "value": address.addr, "value_norm": address.norm},
            identity_ref,
        ),
    )
    return Correspondent(address, identity_ref, customer_ref, None, "", Plan(silent=made))


def decide_language(
    customer: Row | None, *, header: str, detected: str | None, mailbox: str, answered: Collection[str] = ()
) -> Language:
    """The customer's language by the best evidence; a text that tells nothing leaves an earlier finding as it is.

    Who was `answered` in a language and goes on in it has confirmed it: what a later text looks like changes nothing.
    """
    if customer is not None and customer["language"] and customer["language_source"] in DECIDED:
        return Language(customer["language"], customer["language_source"])
    known = customer["language"] if customer is not None else ""
    seen = detected or header
    if known and seen and same_language(seen, known) and any(same_language(one, known) for one in answered):
        return Language(known, "confirmed")
    if header:
        return Language(header, "header")
    if detected:
        return Language(detected, "detected")
    if customer is not None and customer["language"]:
        return Language(customer["language"], customer["language_source"])
    return Language(mailbox, "mailbox") if mailbox else Language("", "")


def answered_languages(tx: Transaction, person: Person | None) -> frozenset[str]:
    """The languages in which agents have answered a customer whose language is not decided yet."""
    if person is None or not person.row["language"] or person.row["language_source"] in DECIDED:
        return frozenset()
    tickets = tx.rows("ticket", {"customer_id": person.members}, order="-id", limit=LOOKED_BACK, columns=("id",))
    homes = [row["id"] for row in tickets]
    where = {"ticket_id": homes, "kind": ["reply", "new"], "state": "sent"}
    rows = tx.rows("outbox", where, columns=("language",)) if homes else []
    return frozenset(row["language"] for row in rows)


def remember_language(correspondent: Correspondent, language: Language) -> Plan:
    """The person's plan with the language on the customer, if the evidence is more than the mailbox's default."""
    plan = correspondent.plan
    after: Mapping[str, Any] = {"language": language.tag, "language_source": language.source}
    if language.source in ("", "mailbox"):
        return plan
    if correspondent.person is None:
        made, *others = plan.silent
        assert isinstance(made, Insert), "somebody new is made by the plan"
        return replace(plan, silent=(replace(made, values={**made.values, **after}), *others))
    person = correspondent.person
    if after == {name: person.row[name] for name in after}:
        return plan
    before = {name: person.stored[name] for name in after}
    return plan + Plan(silent=(Update("customer", {"id": correspondent.customer_id}, before, after),))


def language_of_header(value: str | None) -> str:
    """The first tag of a Content-Language field (RFC 3282), where it is one."""
    tag = (value or "").split(",")[0].strip()
    primary = tag.partition("-")[0]
    return tag if 2 <= len(primary) <= 3 and primary.isascii() and primary.isalpha() and len(tag) <= 35 else ""
