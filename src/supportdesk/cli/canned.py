"""`supportdesk canned`: the canned responses, and the folder of files by which they are reviewed and translated."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from supportdesk.cli.actions import say_how_to_ask
from supportdesk.cli.inputs import assignments, one_ticket
from supportdesk.cli.session import Session
from supportdesk.cli.verb import group, verb
from supportdesk.desk.canned import CannedResponse
from supportdesk.errors import MissingValue, NotFound
from supportdesk.l10n.catalog import N_, _, current_language, ngettext

app = group()


@verb(app, "list", N_("List the canned responses"), restricted=True)
def list_canned(
    session: Session,
    words: Annotated[list[str] | None, typer.Argument(metavar="WORDS", help=N_("Only those with these words"))] = None,
) -> None:
    from supportdesk.desk.canned import search
    from supportdesk.textfold import fold

    found = session.desk.canned()
    if words:
        found = tuple(search(found, " ".join(words), fold))
    session.out.table(
        [_as_value(response) for response in found],
        (_("key"), _("title"), _("variants")),
        ((one.key, one.title(current_language()), [str(item.tag) for item in one.variants]) for one in found),
    )


@verb(app, "show", N_("Print a canned response as it is written"), restricted=True)
def show(
    session: Session,
    key: Annotated[str, typer.Argument(metavar="KEY", help=N_("Which one"))],
    variant: Annotated[str, typer.Option("--variant", metavar="TAG", help=N_("Only this variant: it, de@formal"))] = "",
) -> None:
    response = next((one for one in session.desk.canned() if one.key == key), None)
    if response is None:
        raise NotFound(_("there is no canned response {key}").format(key=key), hint="supportdesk canned list")
    chosen = [response.variant(variant)] if variant else list(response.variants)
    tags = ", ".join(str(one.tag) for one in response.variants)
    if None in chosen:
        raise NotFound(_("{key} has no variant {tag}").format(key=key, tag=variant), hint=tags)
    if session.json:
        session.out.document(_as_value(response, *(one for one in chosen if one is not None)))
        return
    session.out.line(f"{response.key}: {response.title(current_language())}")
    for field in response.ask:
        session.out.line(f"  --ask {field.name}=…  ({field.type}) {field.label(current_language())}")
    for one in chosen:
        assert one is not None
        session.out.line(f"── {one.tag} ── {one.subject}".rstrip())
        session.out.text(one.body.rstrip("\n"))


@verb(app, "render", N_("Print a canned response as the customer of a ticket would get it"), restricted=True)
def render(
    session: Session,
    key: Annotated[str, typer.Argument(metavar="KEY", help=N_("Which one"))],
    ticket: Annotated[str, typer.Option("--ticket", metavar="TICKET", help=N_("For which ticket"))],
    ask: Annotated[
        list[str] | None, typer.Option("--ask", metavar="NAME=VALUE", help=N_("A value that it asks for"))
    ] = None,
) -> None:
    try:
        rendered = session.desk.render_canned(session.actor, one_ticket(ticket), key, assignments(ask or ()))
    except MissingValue as missing:
        raise say_how_to_ask(missing) from None
    if session.json:
        session.out.document(rendered)
    else:
        session.out.text(rendered.text.rstrip("\n"))


@verb(app, "export", N_("Write the canned responses as a folder of files"))
def export(
    session: Session,
    folder: Annotated[str, typer.Argument(metavar="FOLDER", help=N_("Where to"))],
) -> None:
    from supportdesk.desk.canned_folder import write_folder

    written = write_folder(Path(folder), session.desk.canned())
    session.out.answer({"files": written}, [str(path) for path in written])


@verb(app, "import", N_("Take canned responses over from a folder of files"))
def import_folder(
    session: Session,
    folder: Annotated[str, typer.Argument(metavar="FOLDER", help=N_("Where from"))],
    dry_run: Annotated[bool, typer.Option("--dry-run", help=N_("Only say what would be changed"))] = False,
) -> None:
    from supportdesk.desk.canned_folder import read_folder

    lines = session.desk.import_canned(session.actor, read_folder(Path(folder)), dry_run=dry_run)
    session.out.answer({"dry_run": dry_run, "changes": lines}, lines)
    if not lines:
        session.out.say(_("nothing differs"))


@verb(app, "lint", N_("Say what is wrong with the canned responses; exits 1 if anything is"), restricted=True)
def lint(
    session: Session,
    folder: Annotated[
        str, typer.Option("--folder", metavar="FOLDER", help=N_("Check a folder instead of the desk"))
    ] = "",
    expect: Annotated[
        list[str] | None, typer.Option("--expect", metavar="TAG", help=N_("A variant that each must have"))
    ] = None,
) -> int:
    from supportdesk.desk.canned_folder import read_folder
    from supportdesk.desk.canned_lint import lint as find_faults

    if folder:
        session.refuse_if_restricted(_("reading a folder of this machine"))
    responses = read_folder(Path(folder)) if folder else session.desk.canned()
    findings = find_faults(responses, expect or ())
    lines = [f"{one.key}{'/' if one.variant else ''}{one.variant}: {one.message} [{one.code}]" for one in findings]
    session.out.answer(findings, lines)
    counted = ngettext("{count} response", "{count} responses", len(responses)).format(count=len(responses))
    session.out.say(f"{counted}, {len(findings)} !" if findings else f"{counted}, " + _("clean"))
    return 1 if findings else 0


def _as_value(response: CannedResponse, *variants: object) -> dict[str, object]:
    """A response as JSON: tags as they are written."""
    chosen = variants or response.variants
    return {
        "key": response.key,
        "titles": response.titles,
        "keywords": response.keywords,
        "source": response.source,
        "ask": response.ask,
        "variants": [
            {"tag": str(one.tag), "subject": one.subject, "body": one.body}
            for one in response.variants
            if one in chosen
        ],
    }
