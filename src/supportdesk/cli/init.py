"""`supportdesk init`: from nothing to a desk with a mailbox, asking what was not given."""

from __future__ import annotations

import getpass
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from supportdesk.cli import countries
from supportdesk.cli.inputs import ask, is_interactive
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
from supportdesk.cli.mailbox import CA_FILE, ENTER, IMAP, LOGIN, NO_TEST, ORDER_PATTERN, SMTP, START
from supportdesk.cli.session import Session
from supportdesk.cli.verb import group, verb
from supportdesk.desk.week import EXAMPLE, read_week
from supportdesk.errors import UsageError
from supportdesk.l10n.catalog import N_, _, ngettext

if TYPE_CHECKING:
    from supportdesk.desk.desk import Desk
    from supportdesk.desk.model import Actor

app = group()


@dataclass(frozen=True, slots=True)
class _Questions:
    """What was given on the command line; what is missing is asked for, or named when nobody can be asked."""

    interactive: bool
    defaults: bool

    def answer(
        self, given: str, option: str, question: str, default: str = "", check: Callable[[str], Any] | None = None
    ) -> str:
        if given:
            if check is not None:
                check(given)
            return given
        if self.interactive and not self.defaults:
            return ask(question, default, check)
        if default:
            return default
        raise UsageError(_("{option} is missing").format(option=option), hint=question)


@verb(app, "init", N_("Set up a desk: mailbox, servers, hours, first agent, first mail"))
def init(
    session: Session,
    address: Annotated[str, typer.Option("--address", help=N_("The support address"))] = "",
    shop: Annotated[str, typer.Option("--shop", help=N_("The shop's name"))] = "",
    name: Annotated[str, typer.Option("--name", help=N_("Your name, as customers see it"))] = "",
    country: Annotated[str, typer.Option("--country", metavar="CODE", help=N_("Where the shop is: IT"))] = "",
    zone: Annotated[str, typer.Option("--zone", metavar="ZONE", help=N_("The time zone: Europe/Rome"))] = "",
    hours: Annotated[
        str, typer.Option("--hours", metavar="WEEK", help=N_("Opening hours: mon-fri 9:00-13:00 15:00-19:00"))
    ] = "",
    form: Annotated[str, typer.Option("--form", metavar="tu|Lei", help=N_("How customers are addressed"))] = "",
    language: Annotated[
        str, typer.Option("--default-language", metavar="TAG", help=N_("When nothing tells the customer's"))
    ] = "",
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
    order_pattern: Annotated[str, ORDER_PATTERN] = "",
    start: Annotated[str, START] = "",
    enter: Annotated[str, ENTER] = "",
    no_test: Annotated[bool, NO_TEST] = False,
    no_mailbox: Annotated[
        bool, typer.Option("--no-mailbox", help=N_("Only make the desk and its first agent"))
    ] = False,
    defaults: Annotated[bool, typer.Option("--defaults", help=N_("Take what is offered instead of asking"))] = False,
) -> int:
    from supportdesk.bootstrap import create_desk
    from supportdesk.cli.setup import Wanted, check_wanted, known_guess, read_start, set_up_mailbox
    from supportdesk.desk.arguments import clean_language
    from supportdesk.desk.calendar import Calendar, load_zone, validate
    from supportdesk.desk.mailbox_settings import check_order_pattern
    from supportdesk.desk.providers import domain_of

    if enter not in ("", "yes", "no"):
        raise UsageError(_("{value} is no choice for {name}").format(value=enter, name="--enter"), hint="yes, no")
    questions = _Questions(is_interactive(), defaults)
    if defaults or not questions.interactive:
        _refuse_missing({
            "--address": bool(address or no_mailbox),
            "--shop": bool(shop or address),
            "--country": bool(country or countries.country_of(address)),
            "--password-command": bool(
                password_command or password_file or oauth or no_mailbox or questions.interactive
            ),
        })  # fmt: skip
    if not no_mailbox:
        address = questions.answer(address, "--address", _("The support address"), check=domain_of).strip()
    shop = questions.answer(
        shop, "--shop", _("The shop's name"), domain_of(address).partition(".")[0].title() if address else ""
    )
    name = questions.answer(name, "--name", _("Your name, as customers see it"), _own_name())
    country = countries.read_country(
        questions.answer(
            country, "--country", _("Country"), countries.country_of(address),
            lambda text: validate(Calendar("UTC", read_week(EXAMPLE), countries.read_country(text))),
        )
    )  # fmt: skip
    zone = questions.answer(zone, "--zone", _("Time zone"), countries.zone_of(country), load_zone)
    hours = questions.answer(hours, "--hours", _("Opening hours"), EXAMPLE, read_week)
    calendar = Calendar(zone, read_week(hours), country)
    tag = clean_language(language or countries.language_of(country))
    register = ""
    if form or tag.partition("-")[0] in countries.FORMS:
        forms = countries.FORMS.get(tag.partition("-")[0], ("informal", "formal"))
        typed = questions.answer(
            form, "--form", _("How do you address customers: {forms}").format(forms=" / ".join(forms)), forms[1],
            lambda text: countries.read_form(text, tag.partition("-")[0]),
        )  # fmt: skip
        register = countries.read_form(typed, tag.partition("-")[0])
    if not no_mailbox:
        if questions.interactive and not defaults:
            example = _("How an order number looks, such as {example} (Enter: none)").format(example="IT-[0-9]{6}")
            order_pattern = order_pattern or ask(example, check=check_order_pattern)
        check_order_pattern(order_pattern)
        start = questions.answer(
            start, "--start", _("Which mail enters the queue: now, all, or the last days (30d)"), "now",
            lambda text: read_start(text, datetime.now(UTC), load_zone(zone)),
        )  # fmt: skip
        options = LoginOptions(password_command, password_file, oauth, client_id, client_secret_file, tenant)
        asks = questions.interactive and not (password_command or password_file)
        guess = known_guess(address, imap) if asks else None
        login_by = ask_login(session, address, options, guess, interactive=questions.interactive)

    desk = create_desk(session.config)
    session.adopt(desk)
    actor = _first_agent(session, desk, name)
    desk.update_settings(actor, shop_name=shop)
    calendar_id = desk.save_calendar(actor, shop, calendar)
    _import_starter_responses(session, desk, actor)
    if no_mailbox:
        session.out.answer({"database": session.config.database, "agent": actor.name}, [_("the desk is ready")])
        return 0
    wanted = Wanted(
        address=address, name=shop, shop=shop, login_by=login_by, options=options, imap=imap, smtp=smtp, login=login,
        ca_file=ca_file,
        start=start, language=tag, register=register, order_pattern=order_pattern,
        zone=zone, calendar_id=calendar_id, test=not no_test,
        enter=enter or "ask",
    )  # fmt: skip
    check_wanted(desk, wanted)
    code = set_up_mailbox(session, desk, actor, wanted)
    session.out.say(_("Now: `supportdesk worker install` keeps mail going, `supportdesk` opens the console."))
    return code


def _refuse_missing(given: dict[str, bool]) -> None:
    """All that is missing at once: who runs this from a script wants one round."""
    missing = [option for option, there in given.items() if not there]
    if missing:
        raise UsageError(
            ngettext("{options} is missing", "{options} are missing", len(missing)).format(options=", ".join(missing)),
            hint="supportdesk init --help",
        )


def _first_agent(session: Session, desk: Desk, name: str) -> Actor:
    """The admin: who runs this, unless the desk has agents already."""
    from supportdesk.desk.model import WORKER

    if desk.agents():
        return session.actor
    login = session.config.agent or getpass.getuser()
    agent = desk.add_agent(WORKER, login, name=name, role="admin")
    session.out.say(_("{name} ({login}) is the first agent, and admin").format(name=agent.name, login=agent.login))
    return agent.actor()


def _import_starter_responses(session: Session, desk: Desk, actor: Actor) -> None:
    """The starter set, into a desk that has no responses yet: never over what somebody has edited."""
    from supportdesk.desk.canned_folder import starter_set

    if desk.canned_entries():
        return
    desk.import_canned(actor, starter_set())
    session.out.say(_("{count} canned responses are ready: supportdesk canned list").format(count=len(desk.canned())))


def _own_name() -> str:
    """The full name of this machine's user, where it is noted (GECOS)."""
    import pwd

    try:
        full = pwd.getpwnam(getpass.getuser()).pw_gecos.partition(",")[0].strip()
    except (KeyError, OSError):
        full = ""
    return full or getpass.getuser()
