"""`supportdesk settings`: what the whole team shares; what one process or one person prefers is in the config file."""

from __future__ import annotations

from typing import Annotated

import typer

from supportdesk.cli.actions import tell_done
from supportdesk.cli.inputs import assignments
from supportdesk.cli.session import Session
from supportdesk.cli.verb import group, verb
from supportdesk.desk.team_settings import TEAM_SETTINGS, read_value, shown_value, value_of
from supportdesk.errors import NotFound
from supportdesk.l10n.catalog import N_, _

app = group()


@verb(app, "show", N_("Print the settings that the team shares"), restricted=True)
def show(
    session: Session,
    name: Annotated[str, typer.Argument(metavar="NAME", help=N_("Only this one"))] = "",
) -> None:
    settings = session.desk.settings()
    shown = [setting for setting in TEAM_SETTINGS if name in ("", setting.name)]
    if not shown:
        raise NotFound(_("no setting is called {name}").format(name=name), hint="supportdesk settings show")
    cells = [(setting.name, shown_value(settings, setting.name), _(setting.help)) for setting in shown]
    values = {setting.name: value_of(settings, setting.name) for setting in shown}
    session.out.table(values, (_("name"), _("value"), _("what it does")), cells)


@verb(app, "set", N_("Change settings; undo takes it back"))
def set_settings(
    session: Session,
    changes: Annotated[
        list[str], typer.Argument(metavar="NAME=VALUE", help=N_("undo_seconds=30 avoided_words=purtroppo,impossibile"))
    ],
) -> int:
    values = {name: read_value(name, text) for name, text in assignments(changes).items()}
    return tell_done(session, session.desk.change_settings(session.actor, values))
