"""`supportdesk mailbox`: the support addresses, their servers and their manners."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from supportdesk.cli.inputs import assignments, find_mailbox, is_interactive, read_credential
from supportdesk.cli.login import (
    CLIENT_ID,
    CLIENT_SECRET_FILE,
    OAUTH,
    PASSWORD_COMMAND,
    PASSWORD_FILE,
    TENANT,
    LoginOptions,
    ask_login,
)
from supportdesk.cli.session import Session
from supportdesk.cli.verb import group, verb
from supportdesk.desk import labels
from supportdesk.desk.model import Mailbox
from supportdesk.desk.providers import read_server, write_server
from supportdesk.errors import NotFound, UsageError
from supportdesk.l10n.catalog import N_, _

app = group()

IMAP = typer.Option(
    "--imap", metavar="HOST[:PORT][/TLS]", help=N_("The IMAP server; TLS is implicit, starttls or none")
)
SMTP = typer.Option("--smtp", metavar="HOST[:PORT][/TLS]", help=N_("The SMTP server"))
LOGIN = typer.Option("--login", metavar="NAME", help=N_("The user name, where it is not the address"))
CA_FILE = typer.Option("--ca-file", metavar="FILE", help=N_("Certificates to trust, for a private authority"))
ORDER_PATTERN = typer.Option("--order-pattern", metavar="REGEX", help=N_("How an order number looks: IT-[0-9]{6}"))
NO_TEST = typer.Option("--no-test", help=N_("Save without trying to log in and to send"))
ENTER = typer.Option("--enter", metavar="yes|no", help=N_("Whether conversations that wait for us enter the queue"))
START = typer.Option("--start", metavar="now|all|30d", help=N_("Which mail enters the queue; what is older is history"))


@verb(app, "list", N_("List the mailboxes"), restricted=True)
def list_mailboxes(session: Session) -> None:
    boxes = session.desk.mailboxes()
    session.out.table(
        boxes,
        ("id", _("address"), _("name"), _("shop"), "IMAP", "SMTP", _("state"), _("start")),
        (
            (
                box.id,
                box.address,
                box.name,
                box.shop_name,
                write_server(box.imap) if box.imap else "—",
                write_server(box.smtp) if box.smtp else "—",
                labels.word(labels.MAILBOX, box.state),
                session.time(box.start_at, box.id),
            )
            for box in boxes
        ),
    )


@verb(app, "add", N_("Add a mailbox: find its servers, try them, save, fetch"))
def add(
    session: Session,
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help=N_("The support address"))],
    name: Annotated[str, typer.Option("--name", help=N_("The sender's name that customers see"))] = "",
    shop: Annotated[str, typer.Option("--shop", help=N_("The shop's name"))] = "",
    imap: Annotated[str, IMAP] = "",
    smtp: Annotated[str, SMTP] = "",
    login: Annotated[str, LOGIN] = "",
    ca_file: Annotated[str, CA_FILE] = "",
    password_command: Annotated[str, PASSWORD_COMMAND] = "",
    password_file: Annotated[str, PASSWORD_FILE] = "",
    oauth: Annotated[str, OAUTH] = "",
    client_id: Annotated[str, CLIENT_ID] = "",
    client_secret_file: Annotated[str, CLIENT_SECRET_FILE] = "",
    tenant: Annotated[str, TENANT] = "",
    start: Annotated[str, START] = "now",
    language: Annotated[
        str, typer.Option("--default-language", metavar="TAG", help=N_("When nothing tells the customer's"))
    ] = "",
    formal: Annotated[bool | None, typer.Option("--formal/--informal", help=N_("Lei or tu, Sie or du"))] = None,
    order_pattern: Annotated[str, ORDER_PATTERN] = "",
    no_test: Annotated[bool, NO_TEST] = False,
    enter: Annotated[str, ENTER] = "",
) -> int:
    from supportdesk.cli.setup import Wanted, known_guess, set_up_mailbox

    others = session.desk.mailboxes()
    model = others[0] if others else None
    options = LoginOptions(password_command, password_file, oauth, client_id, client_secret_file, tenant)
    guess = known_guess(address, imap) if is_interactive() else None
    wanted = Wanted(
        address=address,
        name=name or (model.name if model else ""),
        shop=shop or (model.shop_name if model else ""),
        imap=imap,
        smtp=smtp,
        login=login,
        ca_file=ca_file,
        login_by=ask_login(session, address, options, guess, interactive=is_interactive()),
        options=options,
        start=start,
        language=language or (model.language if model else ""),
        register=_register(formal, language, model),
        order_pattern=order_pattern,
        zone=model.zone if model else "UTC",
        calendar_id=model.calendar_id if model else None,
        test=not no_test,
        enter=enter or "ask",
    )
    return set_up_mailbox(session, session.desk, session.actor, wanted)


@verb(app, "set", N_("Change a mailbox"))
def set_mailbox(
    session: Session,
    mailbox: Annotated[str, typer.Argument(metavar="MAILBOX", help=N_("Its address or number"))],
    name: Annotated[str, typer.Option("--name", help=N_("The sender's name that customers see"))] = "",
    shop: Annotated[str, typer.Option("--shop", help=N_("The shop's name"))] = "",
    alias: Annotated[
        list[str] | None,
        typer.Option("--alias", metavar="ADDRESS", help=N_("Another address of it; replaces the list")),
    ] = None,
    imap: Annotated[str, IMAP] = "",
    smtp: Annotated[str, SMTP] = "",
    login: Annotated[str, LOGIN] = "",
    ca_file: Annotated[str, CA_FILE] = "",
    password_command: Annotated[str, PASSWORD_COMMAND] = "",
    password_file: Annotated[str, PASSWORD_FILE] = "",
    password: Annotated[bool, typer.Option("--password", help=N_("Ask for a new password"))] = False,
    language: Annotated[
        str, typer.Option("--default-language", metavar="TAG", help=N_("When nothing tells the customer's"))
    ] = "",
    order_pattern: Annotated[str, ORDER_PATTERN] = "",
    signature: Annotated[
        list[str] | None, typer.Option("--signature", metavar="LANG=TEXT", help=N_("The signature in a language"))
    ] = None,
    setting: Annotated[
        list[str] | None,
        typer.Option(
            "--setting", metavar="NAME=JSON", help=N_("A manner: quote_last, sent_copy, processed, watch_sent, folders")
        ),
    ] = None,
    formal: Annotated[bool | None, typer.Option("--formal/--informal", help=N_("Lei or tu, Sie or du"))] = None,
    acknowledge: Annotated[
        str, typer.Option("--acknowledge", metavar="on|off", help=N_("Whether first mails are acknowledged"))
    ] = "",
    automatic_language: Annotated[
        str,
        typer.Option(
            "--automatic-language",
            metavar="TAG|none",
            help=N_("Automatic mail for customers in whose language none is written"),
        ),
    ] = "",
    reply_language: Annotated[
        list[str] | None,
        typer.Option(
            "--reply-language",
            metavar="TAG=TAG",
            help=N_("Answer customers of a language in another: nl=en, *=en for all not served, nl=none"),
        ),
    ] = None,
    serves: Annotated[
        str, typer.Option("--languages", metavar="TAGS", help=N_("The languages that the shop serves: it,de,en"))
    ] = "",
    market: Annotated[str, typer.Option("--market", metavar="CODE|none", help=N_("The market of its tickets"))] = "",
    canned_set: Annotated[
        str,
        typer.Option(
            "--canned-set",
            metavar="NAME|none",
            help=N_("Offer the canned responses of this set and those of none; none: all"),
        ),
    ] = "",
) -> None:
    from supportdesk.bootstrap import save_login
    from supportdesk.desk.arguments import clean_language
    from supportdesk.desk.delivery import bring_forward
    from supportdesk.desk.mailbox_settings import check_manners, check_order_pattern
    from supportdesk.desk.markets import find_market
    from supportdesk.desk.reply_language import REPLY_LANGUAGES

    box = find_mailbox(session.desk, mailbox)
    user = login or (box.imap.login if box.imap else box.address)
    authority = ca_file or (box.imap.ca_file if box.imap else "")
    changes: dict[str, Any] = {}
    check_order_pattern(order_pattern)
    texts = {"name": name, "shop_name": shop, "order_pattern": order_pattern}
    changes |= {key: value for key, value in texts.items() if value}
    if imap or (login and box.imap):
        changes["imap"] = read_server(imap or write_server(box.imap), "imap", user, authority)  # type: ignore[arg-type]
    if smtp or (login and box.smtp):
        changes["smtp"] = read_server(smtp or write_server(box.smtp), "smtp", user, authority)  # type: ignore[arg-type]
    if alias is not None:
        changes["aliases"] = tuple(alias)
    if language:
        changes["language"] = clean_language(language)
    if serves:
        changes["languages"] = tuple(clean_language(tag) for tag in serves.replace(",", " ").split())
    if formal is not None:
        changes["register"] = "formal" if formal else "informal"
    if market:
        changes["market_id"] = None if market == "none" else find_market(session.desk.read, market).id
    if canned_set:
        changes["canned_set"] = "" if canned_set == "none" else _known_set(session, canned_set)
    if signature:
        changes["signatures"] = {**box.signatures, **assignments(signature)}
    given = {**_settings(setting or []), **_automatic_mail(acknowledge, automatic_language)}
    if reply_language:
        given[REPLY_LANGUAGES] = _reply_languages(box, reply_language)
    if given:
        check_manners(given)
        changes["settings"] = {**box.settings, **given}
    prompt = _("Password of {address}").format(address=box.address) if password else ""
    credential = read_credential(password_command, password_file, prompt=prompt)
    if not changes and credential is None:
        raise UsageError(_("say what to change"), hint="supportdesk mailbox set --help")
    if credential is not None:
        path = save_login(session.config, box.address, credential, None)
        session.out.say(_("the login is in {file}").format(file=path))
    _save(session, box, changes)
    if credential is not None or "smtp" in changes:
        bring_forward(session.desk, [box.id])


def _known_set(session: Session, name: str) -> str:
    known = sorted({one for entry in session.desk.canned_entries() for one in entry.response.sets})
    if name not in known:
        raise NotFound(_("no canned response belongs to the set {name}").format(name=name), hint=", ".join(known))
    return name


@verb(app, "test", N_("Log in, send a mail to oneself and find it again"))
def try_out(
    session: Session,
    mailbox: Annotated[str, typer.Argument(metavar="MAILBOX", help=N_("Its address or number"))] = "",
    no_send: Annotated[bool, typer.Option("--no-send", help=N_("Only log in"))] = False,
) -> None:
    from supportdesk.bootstrap import open_secret
    from supportdesk.cli.setup import try_servers

    box = find_mailbox(session.desk, mailbox)
    if box.imap is None or box.smtp is None:
        raise UsageError(_("{address} has no servers yet").format(address=box.address), hint="supportdesk mailbox set")
    secret = open_secret(session.config, box.address)
    found = try_servers(session, session.desk, box.address, box.imap, box.smtp, secret, send=not no_send)
    value = {"mailbox": box.address, "imap": True, "smtp": True, "self_test": found}
    session.out.answer(value, [_("{address}: all is well").format(address=box.address)])


@verb(app, "confirm", N_("Say whether what the first fetch found enters the queue"))
def confirm_first_mail(
    session: Session,
    mailbox: Annotated[str, typer.Argument(metavar="MAILBOX", help=N_("Its address or number"))] = "",
    enter: Annotated[
        str, typer.Option("--enter", metavar="yes|no", help=N_("The answer; without it you are asked"))
    ] = "",
) -> None:
    from supportdesk.cli.inputs import is_interactive
    from supportdesk.cli.mail import process_mail
    from supportdesk.cli.setup import decide_what_enters

    if enter not in ("yes", "no") and (enter or not is_interactive()):
        raise UsageError(
            _("say whether the conversations that wait for us enter the queue"), hint="--enter yes, --enter no"
        )
    box = find_mailbox(session.desk, mailbox)
    first = decide_what_enters(session, session.desk, session.actor, box, enter or "ask")
    if first is None:
        session.out.say(_("{address} is confirmed already").format(address=box.address))
    process_mail(session)
    session.out.answer({"mailbox": session.desk.mailbox(box.id), "first_mail": first})


@verb(app, "pause", N_("Fetch no more from a mailbox; what is on its way out still goes"))
def pause(
    session: Session,
    mailbox: Annotated[str, typer.Argument(metavar="MAILBOX", help=N_("Its address or number"))] = "",
) -> None:
    _save(session, find_mailbox(session.desk, mailbox), {"state": "paused"})


@verb(app, "resume", N_("Fetch again"))
def resume(
    session: Session,
    mailbox: Annotated[str, typer.Argument(metavar="MAILBOX", help=N_("Its address or number"))] = "",
) -> None:
    _save(session, find_mailbox(session.desk, mailbox), {"state": "active"})


def _register(formal: bool | None, language: str, model: Mailbox | None) -> str:
    """The form of address: what was asked for, else that of the first mailbox, else the language's habit."""
    from supportdesk.cli.countries import FORMS

    if formal is not None:
        return "formal" if formal else "informal"
    if model is not None:
        return model.register
    return "formal" if language.partition("-")[0] in FORMS else ""


def _reply_languages(box: Mailbox, words: list[str]) -> dict[str, str]:
    """What was chosen before with what is chosen now; `none` takes a choice away."""
    from supportdesk.desk.arguments import clean_language
    from supportdesk.desk.reply_language import REPLY_LANGUAGES

    chosen = dict(box.settings.get(REPLY_LANGUAGES) or {})
    for name, target in assignments(words).items():
        language = name if name == "*" else clean_language(name)
        chosen.pop(language, None)
        if target != "none":
            chosen[language] = clean_language(target)
    return chosen


def _automatic_mail(acknowledge: str, language: str) -> dict[str, Any]:
    """What the two options say, as manners of the mailbox."""
    from supportdesk.desk.arguments import clean_language

    if acknowledge not in ("", "on", "off"):
        raise UsageError(
            _("{value} is no choice for {name}").format(value=acknowledge, name="--acknowledge"), hint="on, off"
        )
    given: dict[str, Any] = {"acknowledge": acknowledge == "on"} if acknowledge else {}
    if language:
        given["automatic_language"] = "" if language == "none" else clean_language(language)
    return given


def _save(session: Session, box: Mailbox, changes: dict[str, Any]) -> None:
    saved = box
    if changes:
        saved = session.desk.save_mailbox(session.actor, {"id": box.id, "version": box.version, **changes})
    session.out.answer(saved, [f"{saved.address}: {labels.word(labels.MAILBOX, saved.state)}"])


def _settings(words: list[str]) -> dict[str, Any]:
    import json

    found = {}
    for name, text in assignments(words).items():
        try:
            found[name] = json.loads(text)
        except ValueError:
            found[name] = text
    return found
