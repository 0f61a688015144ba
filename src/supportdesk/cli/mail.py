"""`supportdesk mail`: fetch now, log in anew, audit, parked mail, a sender's verdict. Importing is in `cli.archive`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from supportdesk.cli.archive import import_mail
from supportdesk.cli.automatic import add_automatic
from supportdesk.cli.inputs import find_mailbox
from supportdesk.cli.login import (
    CLIENT_ID,
    CLIENT_SECRET_FILE,
    OAUTH,
    PASSWORD_COMMAND,
    PASSWORD_FILE,
    TENANT,
    LoginOptions,
)
from supportdesk.cli.output import Meter
from supportdesk.cli.session import Session
from supportdesk.cli.verb import group, verb
from supportdesk.desk.model import OUTCOMES, SENDER_VERDICTS, Mailbox, TicketId
from supportdesk.errors import ConfigError, ConnectionFailed, NotFound, SupportdeskError, UsageError
from supportdesk.l10n.catalog import N_, _

app = group()
parked = group(alone=True)
PARKED_COLUMNS = ("delivery_id", "reason", "sender", "subject", "received_at", "looked_at")


@verb(app, "fetch", N_("Take over what is new, once, and turn it into tickets"))
def fetch(
    session: Session,
    mailbox: Annotated[str, typer.Argument(metavar="MAILBOX", help=N_("Only this one"))] = "",
    renumbered: Annotated[
        bool,
        typer.Option("--renumbered", help=N_("Take over a folder that its server numbers anew")),
    ] = False,
    junk: Annotated[
        bool, typer.Option("--junk", help=N_("Also what lies in the Junk folder; it is never acknowledged"))
    ] = False,
    whole: Annotated[
        int, typer.Option("--whole", metavar="TICKET", help=N_("Only what is missing of this ticket's cut mails"))
    ] = 0,
) -> int:
    if whole:
        return _fetch_whole(session, TicketId(whole))
    boxes = [find_mailbox(session.desk, mailbox)] if mailbox else _active(session)
    results, code = [], 0
    for box in boxes:
        try:
            results.append({"mailbox": box.address, **take_over(session, box, accept_renumbered=renumbered, junk=junk)})
        except (ConnectionFailed, ConfigError) as error:
            # One mailbox that cannot be reached must not keep the others' mail waiting.
            session.out.say(f"{box.address}: {error.message}")
            results.append({"mailbox": box.address, "fetched": 0, "gone": 0, "complete": False, "error": error.message})
            code = max(code, error.exit_code)
            continue
        for folder in session.desk.read.rows("folder", {"mailbox_id": box.id}, order="id"):
            if folder["error"] and (junk or folder["role"] != "junk"):
                session.out.say(f"{box.address}: {folder['error']}")
                code = max(code, ConnectionFailed.exit_code)
    processed = process_mail(session)
    lines = [_("{mailbox}: {fetched} fetched").format(**result) for result in results]
    session.out.answer(
        {"mailboxes": results, "processed": processed},
        [*lines, _("{count} brought to their outcome").format(count=processed)],
    )
    return code


verb(app, "import", N_("Take over an archive of mbox files, Maildirs or .eml files as history"))(import_mail)


@verb(app, "login", N_("Log a mailbox in anew: a changed password, an app password, or with a browser"))
def login(
    session: Session,
    mailbox: Annotated[str, typer.Argument(metavar="MAILBOX", help=N_("Its address or number"))] = "",
    password: Annotated[bool, typer.Option("--password", help=N_("Ask for a password"))] = False,
    password_command: Annotated[str, PASSWORD_COMMAND] = "",
    password_file: Annotated[str, PASSWORD_FILE] = "",
    oauth: Annotated[str, OAUTH] = "",
    client_id: Annotated[str, CLIENT_ID] = "",
    client_secret_file: Annotated[str, CLIENT_SECRET_FILE] = "",
    tenant: Annotated[str, TENANT] = "",
    name: Annotated[
        str, typer.Option("--login", metavar="NAME", help=N_("The user name, where it is not the address"))
    ] = "",
    no_test: Annotated[bool, typer.Option("--no-test", help=N_("Save without trying to log in"))] = False,
) -> None:
    from supportdesk.cli.setup import log_in_anew

    options = LoginOptions(password_command, password_file, oauth, client_id, client_secret_file, tenant)
    box = find_mailbox(session.desk, mailbox)
    log_in_anew(session, box, options, name=name, by_password=password, test=not no_test)


@verb(app, "audit", N_("Prove that no mail was dropped: asks the servers; exits 1 if one was"))
def audit(
    session: Session,
    mailbox: Annotated[str, typer.Argument(metavar="MAILBOX", help=N_("Only this one"))] = "",
) -> int:
    from supportdesk.bootstrap import ServerConnections
    from supportdesk.desk.audit import audit as audit_mailbox

    desk = session.desk
    servers = ServerConnections(desk, session.config)
    boxes = [find_mailbox(desk, mailbox)] if mailbox else [box for box in desk.mailboxes() if box.imap is not None]
    folders = [item for box in boxes for item in audit_mailbox(desk, box, lambda one: servers.source(one.id))]
    sound = all(item.sound for item in folders)
    headings = (
        _("mailbox"), _("folder"), "UIDVALIDITY", _("on server"), _("rows"), *OUTCOMES, _("unprocessed"),
        _("without row"),
    )  # fmt: skip
    value = {"sound": sound, "folders": [{**_plain(item), "sound": item.sound} for item in folders]}
    session.out.table(
        value,
        headings,
        (
            (item.mailbox, item.folder, item.uidvalidity, "—" if item.on_server is None else item.on_server, item.rows,
             *item.outcomes.values(), item.unprocessed, item.without_row_count)
            for item in folders
        ),
    )  # fmt: skip
    if not folders:
        session.out.say(_("there is no mailbox to audit"))
    session.out.say(_("nothing was dropped") if sound else _("not everything has its outcome: see above"))
    return 0 if sound else 1


@verb(app, "sender", N_("Decide what mail of a sender becomes"), restricted=True)
def sender(
    session: Session,
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help=N_("Who writes"))],
    verdict: Annotated[
        str, typer.Argument(metavar="|".join(SENDER_VERDICTS), help=N_("What it becomes; rules decides again"))
    ],
) -> None:
    if verdict not in SENDER_VERDICTS:
        raise UsageError(_("{value} is no verdict").format(value=verdict), hint=", ".join(SENDER_VERDICTS))
    session.desk.set_sender_verdict(session.actor, address, "" if verdict == "rules" else verdict)
    session.out.answer({"sender": address, "verdict": verdict}, [f"{address}: {verdict}"])


@parked.callback(invoke_without_command=True)
def _parked(
    ctx: typer.Context, json: Annotated[bool, typer.Option("--json", help=N_("Answer as JSON"))] = False
) -> None:
    session: Session = ctx.obj
    if json:
        session.choose("json", value=True)
    if ctx.invoked_subcommand is None:
        show_parked(session)


@verb(parked, "list", N_("List parked mail"), restricted=True)
def list_parked(session: Session) -> None:
    show_parked(session)


@verb(parked, "look", N_("Note that you have looked at parked mail; without numbers, at all of it"), restricted=True)
def look(
    session: Session,
    numbers: Annotated[list[int] | None, typer.Argument(metavar="NUMBERS", help=N_("Which"))] = None,
) -> None:
    from supportdesk.desk.parked import list_parked as read_parked
    from supportdesk.desk.parked import look_at

    rows = read_parked(session.desk.read)
    shown = [row for row in rows if (row["delivery_id"] in numbers if numbers else row["looked_at"] is None)]
    ids = numbers or [row["delivery_id"] for row in shown]
    if ids:
        look_at(session.desk, session.actor, ids)
    lines = [f"{row['delivery_id']}: {row['sender']}: {row['subject']}" for row in shown]
    session.out.answer({"looked_at": ids}, [*lines, _("{count} looked at").format(count=len(ids))])


@verb(parked, "release", N_("Make tickets of parked mail"), restricted=True)
def release(
    session: Session,
    numbers: Annotated[list[int], typer.Argument(metavar="NUMBERS", help=N_("Which"))],
    dry_run: Annotated[bool, typer.Option("--dry-run", help=N_("Only say what would be changed"))] = False,
) -> None:
    from supportdesk.desk.parked import list_parked as read_parked
    from supportdesk.desk.parked import release as release_mail

    if dry_run:
        found = [row for row in read_parked(session.desk.read) if row["delivery_id"] in numbers]
        if missing := set(numbers) - {row["delivery_id"] for row in found}:
            hint = "supportdesk mail parked list"
            raise NotFound(_("there is no parked mail {id}").format(id=min(missing)), hint=hint)
        lines = [f"{row['delivery_id']}: {row['sender']}: {row['subject']}" for row in found]
        session.out.answer({"dry_run": True, "release": [row["delivery_id"] for row in found]}, lines)
        return
    release_mail(session.desk, session.actor, numbers)
    process_mail(session)
    rows = session.desk.read.rows("delivery", {"id": list(numbers)})
    messages = session.desk.read.rows("message", {"id": [row["message_id"] for row in rows if row["message_id"]]})
    tickets = sorted({message["ticket_id"] for message in messages})
    session.out.answer({"released": numbers, "tickets": tickets}, [f"#{ticket}" for ticket in tickets])


add_automatic(app)
app.add_typer(parked, name="parked", help=N_("Parked mail: list, look, release"))


def show_parked(session: Session) -> None:
    from supportdesk.desk.parked import list_parked as read_parked

    rows = read_parked(session.desk.read)
    session.out.table(
        [{key: row[key] for key in PARKED_COLUMNS} for row in rows],
        (_("number"), _("reason"), _("from"), _("subject"), _("received"), _("looked at")),
        (
            (row["delivery_id"], row["reason"], row["sender"], row["subject"], session.time(row["received_at"]),
             session.time(row["looked_at"]))
            for row in rows
        ),
    )  # fmt: skip


def take_over(session: Session, box: Mailbox, *, accept_renumbered: bool = False, junk: bool = False) -> dict[str, Any]:
    """One pass over a mailbox, with progress; its health is noted whichever way it ends."""
    from supportdesk.engine import Engine

    engine = Engine(session.config, session.desk)
    try:
        source = engine.servers.source(box.id)
        try:
            with Meter(_("fetching")) as meter:
                fetcher = engine.fetcher(
                    box,
                    stop=lambda: False,
                    progress=lambda at: meter.show(at.done, at.total, at.folder),
                    accept_renumbered=accept_renumbered,
                    take_junk=junk,
                )
                done = fetcher.run_pass(source)
                engine.grant_wishes(box, fetcher, source)
        finally:
            source.close()
    except SupportdeskError as error:
        engine.note_mailbox_health(box.id, error.message)
        raise
    engine.note_mailbox_health(box.id, "")
    return {"fetched": done.fetched, "gone": done.gone, "complete": done.complete}


def _fetch_whole(session: Session, ticket_id: TicketId) -> int:
    from supportdesk.desk.cut_mail import find_cut
    from supportdesk.engine import Engine

    found = find_cut(session.desk.read, ticket_id)
    engine, sizes = Engine(session.config, session.desk), []
    try:
        for mail in found:
            source = engine.servers.source(mail.mailbox_id)
            try:
                sizes.append(engine.fetch_whole(source, mail.delivery_id))
            finally:
                source.close()
    finally:
        engine.close()
    lines = [_("#{ticket}: {size} bytes, whole").format(ticket=ticket_id, size=size) for size in sizes]
    session.out.answer({"ticket": ticket_id, "whole": sizes}, lines)
    return 0


def process_mail(session: Session) -> int:
    """Bring everything that was taken over to its outcome; how much that was."""
    from supportdesk.bootstrap import open_parser
    from supportdesk.desk.intake import Intake

    store = session.desk.store
    if not store.ledger.unprocessed(1):
        return 0
    total = len(store.read.rows("delivery", {"outcome": "", "imported": False}))
    parser, done = open_parser(), 0
    try:
        intake = Intake(session.desk, parser)
        with Meter(_("reading")) as meter:
            while some := intake.process():
                done += some
                meter.show(done, max(total, done))
    finally:
        parser.close()
    return done


def _active(session: Session) -> list[Mailbox]:
    return [box for box in session.desk.mailboxes() if box.state == "active" and box.imap is not None]


def _plain(item: object) -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(item)  # type: ignore[call-overload,no-any-return]
