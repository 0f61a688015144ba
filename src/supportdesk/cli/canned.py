"""`supportdesk canned`: the canned responses, and the folder of files by which they are reviewed and translated."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Annotated

import typer

from supportdesk.cli.actions import say_how_to_ask, tell_done
from supportdesk.cli.agreement import YES, is_agreed
from supportdesk.cli.inputs import assignments, confirm, is_interactive, one_ticket, text_from
from supportdesk.cli.session import Session
from supportdesk.cli.verb import group, verb
from supportdesk.desk.canned import CannedResponse, Entry
from supportdesk.errors import EXIT_INTERRUPTED, MissingValue, NotFound
from supportdesk.l10n.catalog import N_, _, current_language, ngettext

app = group()
CHANGE = {"new": N_("{key}: new"), "changed": N_("{key}: changed"), "gone": N_("{key}: gone")}


@verb(app, "list", N_("List the canned responses"), restricted=True)
def list_canned(
    session: Session,
    words: Annotated[list[str] | None, typer.Argument(metavar="WORDS", help=N_("Only those with these words"))] = None,
) -> None:
    from supportdesk.desk.canned import search
    from supportdesk.textfold import fold

    entries = {entry.response.key: entry for entry in session.desk.canned_entries()}
    if words:
        found = search((entry.response for entry in entries.values()), " ".join(words), fold)
        entries = {response.key: entries[response.key] for response in found}
    session.out.table(
        [{**_as_value(one.response), "uses": one.uses, "edited": one.edited} for one in entries.values()],
        (_("key"), _("shortcut"), _("title"), _("used"), _("edited"), _("variants")),
        (
            (
                one.response.key,
                one.response.shortcut,
                one.response.title(current_language()),
                one.uses,
                edited_share(one),
                [str(item.tag) for item in one.response.variants],
            )
            for one in entries.values()
        ),
    )


@verb(app, "show", N_("Print a canned response as it is written"), restricted=True)
def show(
    session: Session,
    key: Annotated[str, typer.Argument(metavar="KEY", help=N_("Which one"))],
    variant: Annotated[str, typer.Option("--variant", metavar="TAG", help=N_("Only this variant: it, de@formal"))] = "",
) -> None:
    response = _entry(session, key).response
    chosen = [response.variant(variant)] if variant else list(response.variants)
    tags = ", ".join(str(one.tag) for one in response.variants)
    if None in chosen:
        raise NotFound(_("{key} has no variant {tag}").format(key=key, tag=variant), hint=tags)
    if session.json:
        session.out.document(_as_value(response, *(one for one in chosen if one is not None)))
        return
    session.out.line(f"{response.key}: {response.title(current_language())}")
    for field in response.ask:
        choices = f": {', '.join(choice.key for choice in field.choices)}" if field.choices else ""
        session.out.line(f"  --ask {field.name}=…  ({field.type}{choices}) {field.label(current_language())}")
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


@verb(app, "coverage", N_("Show which response is written in which language and form of address"), restricted=True)
def coverage(session: Session) -> None:
    from supportdesk.desk.canned_coverage import matrix

    found = matrix([entry.response for entry in session.desk.canned_entries()])
    words = {"": _("missing"), "written": _("written"), "outdated": _("outdated")}
    session.out.table(
        [{"key": row.key, **row.states} for row in found.rows],
        (_("key"), *found.tags),
        ((row.key, *(words[row.states[tag]] for tag in found.tags)) for row in found.rows),
    )


@verb(app, "set", N_("Write one text of a canned response"), restricted=True)
def set_variant(
    session: Session,
    key: Annotated[str, typer.Argument(metavar="KEY", help=N_("Which one"))],
    variant: Annotated[str, typer.Option("--variant", metavar="TAG", help=N_("Which variant: it, de@formal"))],
    file: Annotated[str, typer.Option("--file", "-F", metavar="FILE", help=N_("The text; - for standard input"))] = "-",
    subject: Annotated[str | None, typer.Option("--subject", metavar="TEXT", help=N_("Its subject"))] = None,
) -> int:
    from supportdesk.desk.canned_edit import with_text

    entry = _entry(session, key)
    text = text_from(session, "", file)
    changed = with_text(entry.response, variant, text, subject)
    return tell_done(session, session.desk.save_canned(session.actor, changed, entry.version))


@verb(app, "remove", N_("Remove a canned response; undo brings it back"), restricted=True)
def remove(session: Session, key: Annotated[str, typer.Argument(metavar="KEY", help=N_("Which one"))]) -> int:
    entry = _entry(session, key)
    return tell_done(session, session.desk.remove_canned(session.actor, entry.response.key, entry.version))


@verb(app, "export", N_("Write the canned responses as a folder of files"))
def export(
    session: Session,
    folder: Annotated[str, typer.Argument(metavar="FOLDER", help=N_("Where to"))],
    delete: Annotated[bool, typer.Option("--delete", help=N_("Delete there what the desk no longer has"))] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help=N_("Only show what would be changed"))] = False,
    yes: Annotated[bool, YES] = False,
) -> int:
    from supportdesk.desk.canned_folder import FolderChange, files_in, remove_folder, stale_folders, write_folder

    path, responses = Path(folder), [entry.response for entry in session.desk.canned_entries()]
    load = lru_cache(lambda file: session.desk.blobs.get(file.sha))
    changes = write_folder(path, responses, load, dry_run=True)
    lost = ", ".join(str(one.path) for one in changes if one.kind in ("changed", "gone"))
    question = _("Write over or remove what differs there: {files}?").format(files=lost)
    if lost and not dry_run and not is_agreed(question, yes=yes):
        return EXIT_INTERRUPTED
    stale = stale_folders(path, responses)
    names = [one.name for one in stale]
    question = _("Delete from the folder what the desk no longer has: {keys}?")
    removed = stale if (delete if dry_run else _may_delete(delete, question, names)) else ()
    if dry_run:
        changes += tuple(FolderChange("gone", file) for below in removed for file in files_in(below))
        told = [one for one in changes if one.kind != "same"]
        lines = [_(CHANGE[one.kind]).format(key=one.path) for one in told]
        session.out.answer({"dry_run": True, "changes": told, "kept": [] if removed else stale}, lines)
        if not told:
            session.out.say(_("nothing differs"))
    else:
        write_folder(path, responses, load)
        for below in removed:
            remove_folder(below)
        written = [one.path for one in changes if one.kind != "gone"]
        gone = [one for one in changes if one.kind == "gone"]
        value = {"files": written, "gone": [one.path for one in gone], "deleted": removed}
        session.out.answer(value, [str(file) for file in written])
        for one in gone:
            session.out.say(_(CHANGE[one.kind]).format(key=one.path))
    if len(removed) < len(stale):
        session.out.say(_("left in the folder: {keys} (--delete removes them)").format(keys=", ".join(names)))
    return 0


@verb(app, "import", N_("Take canned responses over from a folder of files"))
def import_folder(
    session: Session,
    folder: Annotated[str, typer.Argument(metavar="FOLDER", help=N_("Where from"))],
    dry_run: Annotated[bool, typer.Option("--dry-run", help=N_("Only show what would be changed"))] = False,
    delete: Annotated[bool, typer.Option("--delete", help=N_("Delete what the folder does not have"))] = False,
) -> None:
    from supportdesk.desk.canned_folder import read_attachment, read_folder

    path, desk = Path(folder), session.desk
    responses = read_folder(path)
    if not dry_run:
        gone = desk.import_canned(session.actor, responses, dry_run=True).gone
        delete = _may_delete(delete, _("Delete what the folder does not have: {keys}?"), gone)
    found = desk.import_canned(
        session.actor,
        responses,
        dry_run=dry_run,
        delete=delete,
        load=lambda key, file: read_attachment(path, key, file),
    )
    heads = [_(CHANGE[one.kind]).format(key=one.key) for one in found.changes]
    lines = heads
    if dry_run:
        changed = zip(heads, found.changes, strict=True)
        lines = [line for head, one in changed for line in (head, *one.diff.splitlines())]
    value = {"dry_run": dry_run, "changes": found.changes, "kept": found.gone}
    session.out.answer({**value, "action": found.done.action_id} if found.done else value, lines)
    if found.gone:
        keys = ", ".join(found.gone)
        session.out.say(_("not in the folder, and kept: {keys} (--delete removes them)").format(keys=keys))
    if not found.changes:
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
    stored = () if folder else (entry.response for entry in session.desk.canned_entries())
    responses = read_folder(Path(folder)) if folder else tuple(stored)
    findings = find_faults(responses, expect or ())
    lines = [f"{one.key}{'/' if one.variant else ''}{one.variant}: {one.message} [{one.code}]" for one in findings]
    session.out.answer(findings, lines)
    counted = ngettext("{count} response", "{count} responses", len(responses)).format(count=len(responses))
    session.out.say(f"{counted}, {len(findings)} !" if findings else f"{counted}, " + _("clean"))
    return 1 if findings else 0


def edited_share(entry: Entry) -> str:
    """How many of the replies were changed before they were sent, in percent; "" while there are none."""
    return f"{round(100 * entry.edited / entry.uses)} %" if entry.uses else ""


def _entry(session: Session, key: str) -> Entry:
    for entry in session.desk.canned_entries():
        if key in (entry.response.key, entry.response.shortcut):
            return entry
    raise NotFound(_("there is no canned response {key}").format(key=key), hint="supportdesk canned list")


def _may_delete(delete: bool, question: str, keys: Sequence[str]) -> bool:
    """What would be lost is asked for; where nobody can answer, it is kept."""
    if delete or not keys or not is_interactive():
        return delete
    return confirm(question.format(keys=", ".join(keys)), default=False)


def _as_value(response: CannedResponse, *variants: object) -> dict[str, object]:
    """A response as JSON: tags as they are written."""
    chosen = variants or response.variants
    return {
        "key": response.key,
        "kind": "fragment" if response.fragment else "response",
        "titles": response.titles,
        "group": response.group,
        "shortcut": response.shortcut,
        "sets": response.sets,
        "then": response.then,
        "attachments": response.files,
        "keywords": response.keywords,
        "source": response.source,
        "ask": response.ask,
        "variants": [
            {"tag": str(one.tag), "subject": one.subject, "body": one.body, "attachments": one.files}
            for one in response.variants
            if one in chosen
        ],
    }
