"""Delivery reports: the sets of Sisimai and flufl.bounce, and people's mail that must never be taken for one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from supportdesk.mail.classify import Facts, classify
from supportdesk.mail.model import ParsedMail
from supportdesk.mail.recipients import OwnAddresses
from tests.corpus.findings import Finding, Group, at_least, none_of
from tests.corpus.folder import Folder
from tests.corpus.judged import Comparison, judgements

NO_BOUNCE: Final = ("vacation",)
PEOPLE: Final = "sa-public/"
FACTS: Final = Facts(own=OwnAddresses.of(["support@shop.example"]))


def bounces(folder: Folder, mails: Mapping[str, ParsedMail]) -> Group:
    sisimai: dict[str, Any] = folder.expected("sisimai-set")
    flufl: dict[str, Any] = folder.expected("flufl-bounce")
    wanted = [name for name, rows in sisimai.items() if rows and rows[0]["reason"] not in NO_BOUNCE]
    wanted += [name for name, entry in flufl.items() if entry["permanent"] or entry["temporary"]]
    wanted = [name for name in wanted if name in mails]
    missed = [name for name in wanted if mails[name].report is None]
    right = Comparison("flufl", "recipient and kind", 0.92)
    kind = Comparison("sisimai", "hard or soft", 0.92)
    for name, entry in flufl.items():
        if name in wanted:
            theirs = {address.casefold(): "failed" for address in entry["permanent"]}
            theirs |= {address.casefold(): "delayed" for address in entry["temporary"]}
            right.add(name, theirs, _recipients(mails[name]))
    for name, rows in sisimai.items():
        if name in wanted:
            kind.add(name, _their_kinds(rows), _our_kinds(mails[name]))
    return Group(
        "bounces",
        f"{len(wanted):,} reports of Sisimai's and flufl.bounce's sets",
        (
            at_least("recognised", len(wanted) - len(missed), len(wanted), 0.98, missed),
            *right.findings(),
            *kind.findings(),
        ),
    )


def people(mails: Mapping[str, ParsedMail]) -> Group:
    """No human's mail is a bounce or an automatic answer; the notices that are in the set are named by judgement."""
    known = judgements("people", "notice")
    human = {name: mail for name, mail in mails.items() if name.startswith(PEOPLE)}
    called: list[str] = []
    true: list[str] = []
    for name, mail in human.items():
        verdict = classify(mail, FACTS)
        if verdict.kind not in ("bounce", "out_of_office", "note") and mail.report is None:
            continue
        line = f"{name}: {verdict.kind} by {verdict.rule}: {mail.subject[:70]!r}"
        (true if name in known else called).append(line)
    return Group(
        "people",
        f"{len(human):,} mails of SpamAssassin's public corpus",
        (
            none_of("people's mail called a bounce or an automatic answer", called),
            Finding("true notices among them", f"{len(true)}", details=tuple(true)),
        ),
    )


def _recipients(mail: ParsedMail) -> dict[str, str]:
    if mail.report is None:
        return {}
    return {
        one.address.casefold(): "delayed" if one.action == "delayed" else "failed" for one in mail.report.recipients
    }


def _their_kinds(rows: list[dict[str, Any]]) -> list[str]:
    kinds = {"feedback": "complaint", "delivered": "delivered"}
    return sorted({kinds.get(row["reason"], "hard" if row["hard"] else "soft") for row in rows})


def _our_kinds(mail: ParsedMail) -> list[str]:
    if mail.report is None:
        return []
    if mail.report.kind == "arf":
        return ["complaint"]
    delivered = {"delivered" for one in mail.report.recipients if one.action in ("delivered", "relayed", "expanded")}
    left = {one.address for one in mail.report.recipients if one.action in ("delivered", "relayed", "expanded")}
    verdict = classify(mail, FACTS)
    kinds = {"hard" if one.flags_address else "soft" for one in verdict.bounced if one.address not in left}
    return sorted(delivered | kinds)
