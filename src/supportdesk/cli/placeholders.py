"""The words that stand in the help for what one types: `TICKET`, `NAME=VALUE`, in the language that is spoken.

Small letters are typed as they stand (`TAG|none`, `yes|no`); capitals that are not listed here have no other name
(URL, JSON, PID).
"""

from __future__ import annotations

import re
from typing import Final

from supportdesk.l10n.catalog import N_, _

WORDS: Final = frozenset(
    {
        N_("ACTION"), N_("ADDRESS"), N_("CODE"), N_("CODES"), N_("COMMAND"), N_("COUNTRY"), N_("CUSTOMER"),
        N_("DATABASE"), N_("DATE"), N_("DAY"), N_("DAYS"), N_("DRAFT"), N_("FILE"), N_("FOLDER"), N_("FROM"),
        N_("HOURS"), N_("IDENTITY"), N_("KEEP"), N_("KEY"), N_("LANG"), N_("LANGUAGE"), N_("LIMIT"), N_("LOGIN"),
        N_("MAILBOX"), N_("MESSAGE"), N_("MONTH"), N_("NAME"), N_("NUMBER"), N_("NUMBERS"), N_("OTHER"), N_("OUTBOX"),
        N_("PATH"), N_("PORT"), N_("POSITION"), N_("QUERY"), N_("SHOP"), N_("SPAN"), N_("STATUS"), N_("SUBJECT"),
        N_("TAG"), N_("TAGS"), N_("TEXT"), N_("TICKET"), N_("TICKETS"), N_("TIME"), N_("TO"), N_("VALUE"), N_("WEEK"),
        N_("WHEN"), N_("WORDS"), N_("ZONE"),
    }
)  # fmt: skip
NAMES: Final = frozenset({"HOST", "ID", "JSON", "MESSAGE-ID", "N", "PID", "REGEX", "SEQ", "TLS", "URL"})
"""Capitals that are the same in every language."""


def in_our_words(placeholder: str) -> str:
    """`NAME=VALUE` as the reader would write it: `NOME=VALORE`."""
    return re.sub(r"[A-Z]+(?:-[A-Z]+)*", lambda found: _(found[0]) if found[0] in WORDS else found[0], placeholder)
