"""`supportdesk view`: the saved views, queries with a name: one's own and everybody's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from supportdesk.cli.actions import tell_done
from supportdesk.cli.inputs import check_limit, query_text, read_query
from supportdesk.cli.session import Session
from supportdesk.cli.verb import group, verb
from supportdesk.desk.model import COUNTED_TO
from supportdesk.desk.views import find_view
from supportdesk.errors import UsageError
from supportdesk.l10n.catalog import N_, _

if TYPE_CHECKING:
    from supportdesk.desk.model import SavedView

app = group()


@verb(app, "list", N_("List the saved views with their counts"), restricted=True)
def list_views(session: Session) -> None:
    desk, agent_id = session.desk, session.acting_agent.id
    views = desk.saved_views(agent_id)
    rows = [{**_as_value(view), "tickets": desk.count_view(view, agent_id)} for view in views]
    headings = ("#", _("name"), _("tickets"), _("whose"), _("query"))
    whose = {True: _("everybody's"), False: _("yours")}
    cells = ((row["id"], row["name"], _counted(row["tickets"]), whose[row["shared"]], row["query"]) for row in rows)
    session.out.table(rows, headings, cells)


@verb(app, "show", N_("List the tickets of a saved view"), restricted=True)
def show(
    session: Session,
    name: Annotated[str, typer.Argument(metavar="NAME", help=N_("Which view"))],
    limit: Annotated[int, typer.Option("--limit", help=N_("At most so many; 0 for all"))] = 100,
) -> None:
    from supportdesk.cli.ticket import show_queue, tickets_of_view

    view = find_view(session.desk.saved_views(session.acting_agent.id), name)
    show_queue(session, tickets_of_view(session, view.name, "", check_limit(limit)), session.desk.clock.now())


@verb(app, "add", N_("Save a query under a name"), restricted=True, queried=True)
def add(
    session: Session,
    name: Annotated[str, typer.Argument(metavar="NAME", help=N_("Its name"))],
    query: Annotated[list[str], typer.Argument(metavar="QUERY", help=N_("is:open tag:return lang:de sort:oldest"))],
    shared: Annotated[bool, typer.Option("--shared", help=N_("For everybody (leads and admins)"))] = False,
) -> None:
    text = query_text(query)
    read_query(session, text, typing=False)
    view = session.desk.add_view(session.actor, name, text, shared=shared)
    session.out.answer(_as_value(view), [_("saved the view {name}: {query}").format(name=view.name, query=view.query)])


@verb(app, "set", N_("Change a saved view"), restricted=True)
def set_view(
    session: Session,
    name: Annotated[str, typer.Argument(metavar="NAME", help=N_("Which view"))],
    rename: Annotated[str, typer.Option("--name", metavar="NAME", help=N_("Its new name"))] = "",
    query: Annotated[str, typer.Option("--query", metavar="QUERY", help=N_("Its new query"))] = "",
    position: Annotated[int, typer.Option("--position", help=N_("Its place among them; 1 is the first"))] = 0,
    shared: Annotated[bool, typer.Option("--shared", help=N_("Make it everybody's (leads and admins)"))] = False,
    own: Annotated[bool, typer.Option("--own", help=N_("Make it yours alone"))] = False,
) -> int:
    view = find_view(session.desk.saved_views(session.acting_agent.id), name)
    if shared and own:
        raise UsageError(_("everybody's or yours, not both"), hint="--shared --own")
    if query:
        read_query(session, query, typing=False)
    given = {"name": rename, "query": query, "position": position}
    changes: dict[str, Any] = {key: value for key, value in given.items() if value}
    if shared or own:
        changes["shared"] = shared
    if not changes:
        raise UsageError(_("say what to change"), hint="--name --query --position --shared --own")
    return tell_done(session, session.desk.change_view(session.actor, view.id, **changes))


@verb(app, "remove", N_("Remove a saved view; undo brings it back"), restricted=True)
def remove(session: Session, name: Annotated[str, typer.Argument(metavar="NAME", help=N_("Which view"))]) -> int:
    view = find_view(session.desk.saved_views(session.acting_agent.id), name)
    return tell_done(session, session.desk.remove_view(session.actor, view.id))


def _as_value(view: SavedView) -> dict[str, Any]:
    return {
        "id": view.id, "name": view.name, "query": view.query, "shared": view.agent_id is None,
        "position": view.position,
    }  # fmt: skip


def _counted(tickets: int | None) -> str:
    if tickets is None:
        return "?"
    return f"{COUNTED_TO}+" if tickets > COUNTED_TO else str(tickets)
