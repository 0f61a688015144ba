"""`supportdesk db`: the schema of the database."""

from __future__ import annotations

from supportdesk.cli.session import Session
from supportdesk.cli.verb import group, verb
from supportdesk.l10n.catalog import N_, _

app = group()


@verb(app, "upgrade", N_("Bring the schema up to date; a verified backup is taken first"))
def upgrade(session: Session) -> None:
    from supportdesk.bootstrap import upgrade as bring_up_to_date

    saved = bring_up_to_date(session.config)
    line = _("upgraded; the backup is {file}").format(file=saved) if saved else _("the schema is up to date")
    session.out.answer({"backup": saved}, [line])


@verb(app, "facts", N_("What the database is: kind, version, driver, schema"))
def facts(session: Session) -> None:
    from supportdesk.bootstrap import database_facts

    found = database_facts(session.config)
    session.out.answer(found, [f"{found.kind} {found.version} ({found.driver}), {found.shown}, {found.revision}"])
