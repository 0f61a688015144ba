"""Setting up a mailbox: find the servers, try them, save, take over the first mail, ask what enters the queue."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Any

from supportdesk.cli.failures import complain
from supportdesk.cli.inputs import ask, confirm, is_interactive
from supportdesk.cli.login import Login, LoginOptions, ask_login
from supportdesk.cli.output import Meter
from supportdesk.cli.probe import find_guess, look_up
from supportdesk.desk.calendar import load_zone
from supportdesk.desk.providers import Guess, Kind, guess_servers, provider_at, read_server, write_server
from supportdesk.errors import Conflict, ConnectionFailed, LoginRefused, SupportdeskError, UsageError
from supportdesk.l10n.catalog import _, ngettext

if TYPE_CHECKING:
    from supportdesk.bootstrap import Secret
    from supportdesk.cli.session import Session
    from supportdesk.desk.desk import Desk
    from supportdesk.desk.first_mail import FirstMail
    from supportdesk.desk.model import Actor, Mailbox, Server
    from supportdesk.desk.self_test import SelfTest


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be set up. Servers are as typed, "" to be guessed; `enter` is yes, no or ask."""

    address: str
    name: str
    shop: str
    login_by: Login | None
    imap: str = ""
    smtp: str = ""
    login: str = ""
    ca_file: str = ""
    start: str = "now"
    language: str = ""
    register: str = ""
    order_pattern: str = ""
    zone: str = "UTC"
    calendar_id: int | None = None
    test: bool = True
    enter: str = "ask"
    options: LoginOptions = field(default_factory=LoginOptions)


def set_up_mailbox(session: Session, desk: Desk, actor: Actor, wanted: Wanted) -> int:
    """All the steps. Nothing is saved before the servers have been tried. Returns 0."""
    from supportdesk.bootstrap import save_login

    check_wanted(desk, wanted)
    start_at = read_start(wanted.start, desk.clock.now(), load_zone(wanted.zone))
    while True:
        try:
            login_by, secret = _secret(session, wanted)
            imap, smtp = find_servers(session, wanted, secret)
            tested = try_servers(session, desk, wanted.address, imap, smtp, secret) if wanted.test else None
            break
        except (ConnectionFailed, UsageError) as error:
            if not is_interactive():
                raise
            wanted = ask_again(session, wanted, error)
    asks = wanted.start != "now"
    # First: a login without a mailbox does no harm, a mailbox without a login is an error in every pass.
    path = save_login(session.config, wanted.address, login_by.credential, login_by.tokens)
    box = desk.save_mailbox(
        actor,
        {
            "address": wanted.address, "name": wanted.name, "shop_name": wanted.shop, "imap": imap, "smtp": smtp,
            "state": "active", "language": wanted.language, "register": wanted.register, "zone": wanted.zone,
            "calendar_id": wanted.calendar_id, "order_pattern": wanted.order_pattern,
            "start_at": start_at, "settings": {"unconfirmed": True} if asks else {},
        },
    )  # fmt: skip
    session.out.say(_("{address} is saved; its login is in {file}").format(address=box.address, file=path))
    session.reread()  # the login that was just saved is part of the settings
    first = take_over_first_mail(session, desk, actor, box, wanted.enter)
    value = {"mailbox": desk.mailbox(box.id), "self_test": tested, "first_mail": first}
    session.out.answer(value, [_("{address} is ready").format(address=box.address)])
    return 0


def ask_again(session: Session, wanted: Wanted, error: SupportdeskError) -> Wanted:
    """What was wrong, and once more the questions that it depends on; every other answer is kept."""
    complain(error.message, error.hint)
    if isinstance(error, ConnectionFailed):
        wanted = replace(
            wanted, imap=_ask_server("imap", _("IMAP server"), wanted.imap),
            smtp=_ask_server("smtp", _("SMTP server"), wanted.smtp),
        )  # fmt: skip
    if not isinstance(error, ConnectionFailed) or isinstance(error, LoginRefused):
        login = ask(_("User name"), wanted.login or wanted.address)
        # What was given on the command line has failed: only how a browser is asked is still worth knowing.
        options = replace(wanted.options, password_command="", password_file="")
        guess = known_guess(wanted.address, wanted.imap)
        login_by = ask_login(session, wanted.address, options, guess, interactive=True)
        wanted = replace(wanted, login="" if login == wanted.address else login, login_by=login_by)
    return wanted


def _ask_server(kind: Kind, question: str, before: str) -> str:
    look = "" if before else " ({})".format(_("HOST[:PORT][/TLS]; Enter to look for it"))
    return ask(question + look, before, lambda text: read_server(text, kind, "") if text else None)


def known_guess(address: str, imap: str) -> Guess | None:
    """What is known of the provider before anything is tried: by the server that was named, else by the address."""
    if imap:
        return provider_at(read_server(imap, "imap", "").host, address)
    return look_up(address)


def check_wanted(desk: Desk, wanted: Wanted) -> None:
    """What can be refused before anything is tried."""
    from supportdesk.desk.providers import domain_of

    domain_of(wanted.address)
    if any(wanted.address.casefold() in box.addresses for box in desk.mailboxes()):
        raise Conflict(
            _("there is a mailbox {address} already").format(address=wanted.address),
            hint=f"supportdesk mailbox set {wanted.address}",
        )
    if wanted.start != "now" and wanted.enter == "ask" and not is_interactive():
        raise UsageError(
            _("say whether the conversations that wait for us enter the queue"), hint="--enter yes, --enter no"
        )


def read_start(text: str, now: datetime, zone: tzinfo) -> datetime | None:
    """`now`, `all` (no start), `30d` or a day; mail older than that is history."""
    word = text.strip().casefold()
    if word in ("now", ""):
        return now
    if word == "all":
        return None
    if match := re.fullmatch(r"(\d{1,4})d?", word):
        return now - timedelta(days=int(match[1]))
    try:
        at = datetime.fromisoformat(word)
    except ValueError:
        raise UsageError(_("{text} is no start").format(text=text), hint="now, all, 30d, 2026-11-01") from None
    return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)


def find_servers(session: Session, wanted: Wanted, secret: Secret) -> tuple[Server, Server]:
    """The two servers that were named, else the guessed ones that let us in. Raises what the last try raised."""
    from supportdesk.bootstrap import open_source, open_transport

    user = wanted.login or wanted.address
    if wanted.imap and wanted.smtp:
        found = (
            read_server(wanted.imap, "imap", user, wanted.ca_file),
            read_server(wanted.smtp, "smtp", user, wanted.ca_file),
        )
        if not wanted.test:
            return found
    session.out.say(_("looking for the servers of {address} …").format(address=wanted.address))
    guess = None if wanted.imap and wanted.smtp else find_guess(wanted.address)
    if guess is not None and guess.provider:
        session.out.say(_("this is an address of {provider}").format(provider=guess.provider))
    if guess is not None and guess.outside:
        _confirm_outside(wanted.address, guess)
    imap = _first_that_lets_in(
        session, wanted, "imap", guess.imap if guess else (), lambda one: open_source(one, secret)
    )
    smtp = _first_that_lets_in(
        session, wanted, "smtp", guess.smtp if guess else (), lambda one: open_transport(one, secret)
    )
    return imap, smtp


def try_servers(
    session: Session, desk: Desk, address: str, imap: Server, smtp: Server, secret: Secret, *, send: bool = True
) -> SelfTest | None:
    """Log in to both; send a mail to oneself and find it again."""
    from supportdesk.bootstrap import open_source, open_transport
    from supportdesk.desk.self_test import send_to_oneself

    with closing(open_source(imap, secret)) as source:
        session.out.say(_("IMAP {server}: logged in").format(server=write_server(imap)))
        with closing(open_transport(smtp, secret)) as transport:
            session.out.say(_("SMTP {server}: logged in").format(server=write_server(smtp)))
            if not send:
                return None
            session.out.say(_("sending a mail to {address} itself …").format(address=address))
            found = send_to_oneself(desk, address, source, transport)
    session.out.say(
        _("it arrived in {folder} after {seconds} s").format(folder=found.folder, seconds=round(found.seconds, 1))
    )
    return found


def log_in_anew(
    session: Session,
    box: Mailbox,
    options: LoginOptions,
    *,
    name: str = "",
    by_password: bool = False,
    test: bool = True,
) -> None:
    """`mail login`: ask how, try it on both servers, save it; the worker sees the file change and goes on by itself."""
    from supportdesk.bootstrap import save_login
    from supportdesk.desk.delivery import bring_forward

    if box.imap is None or box.smtp is None:
        raise UsageError(_("{address} has no servers yet").format(address=box.address), hint="supportdesk mailbox set")
    imap, smtp = (replace(server, login=name or server.login) for server in (box.imap, box.smtp))
    guess = provider_at(imap.host, box.address)
    while True:
        login_by = ask_login(
            session, box.address, options, guess, interactive=is_interactive(), by_password=by_password
        )
        if login_by is None:
            raise UsageError(_("a password is needed"), hint="--password-command --password-file --oauth")
        secret = secret_of(session, box.address, login_by)
        try:
            if test:
                try_servers(session, session.desk, box.address, imap, smtp, secret, send=False)
            break
        except LoginRefused as error:
            if not is_interactive() or options.password_command or options.password_file:
                raise
            complain(error.message, error.hint)
    path = save_login(session.config, box.address, login_by.credential, login_by.tokens)
    if name and (imap, smtp) != (box.imap, box.smtp):
        changed = {"id": box.id, "version": box.version, "imap": imap, "smtp": smtp}
        session.desk.save_mailbox(session.actor, changed)
    bring_forward(session.desk, [box.id])  # a worker that does not run now sees no change later
    way = "tokens" if login_by.credential.oauth is not None else "password"
    lines = [
        _("{address}: logged in; the login is in {file}").format(address=box.address, file=path),
        _("a worker that runs on this machine goes on with it within seconds"),
    ]
    session.out.answer({"mailbox": box.address, "way": way, "file": path, "tested": test}, lines)


def take_over_first_mail(session: Session, desk: Desk, actor: Actor, box: Mailbox, enter: str) -> FirstMail | None:
    """Fetch everything once, Sent too, and let it into the desk; interrupted, the worker goes on from there."""
    from supportdesk.cli.mail import process_mail, take_over

    try:
        taken = take_over(session, box)
        session.out.say(
            ngettext("{count} mail was taken over", "{count} mails were taken over", taken["fetched"]).format(
                count=taken["fetched"]
            )
        )
        first = decide_what_enters(session, desk, actor, box, enter)
        process_mail(session)
    except KeyboardInterrupt:
        session.out.say(_("interrupted: what was taken over stays; the worker goes on"))
        if box.settings.get("unconfirmed"):
            session.out.say(_("then say what enters the queue: supportdesk mailbox confirm"))
        return None
    return first


def decide_what_enters(session: Session, desk: Desk, actor: Actor, box: Mailbox, enter: str) -> FirstMail | None:
    """Count the conversations that wait for us, ask, and let them in or make them history."""
    from supportdesk.bootstrap import open_parser
    from supportdesk.desk.first_mail import UNCONFIRMED, count_waiting, finish_decisions
    from supportdesk.desk.first_mail import confirm as let_in

    finish_decisions(desk)
    if not desk.mailbox(box.id).settings.get(UNCONFIRMED):
        return None
    with closing(open_parser()) as parser, Meter(_("counting")) as meter:
        first = count_waiting(desk, parser, box, meter.show)
    session.out.say(
        _("{conversations} conversations since the start, {waiting} of them wait for us").format(
            conversations=first.conversations, waiting=first.waiting
        )
    )
    enters = enter == "yes" or first.waiting == 0
    if enter == "ask" and first.waiting:
        question = ngettext(
            "Shall this conversation enter the queue?",
            "Shall these {count} conversations enter the queue?",
            first.waiting,
        )
        enters = confirm(question.format(count=first.waiting))
    let_in(desk, actor, box, enter=enters)
    if not enters:
        session.out.say(_("all of it is history; mail that comes from now on enters the queue"))
    return first


def _confirm_outside(address: str, guess: Guess) -> None:
    """DNS can be forged, and the password goes where it says: what is outside the domain is shown first (RFC 6186)."""
    hosts = ", ".join(guess.outside)
    words = _("the domain of {address} names servers elsewhere: {hosts}").format(address=address, hosts=hosts)
    if not is_interactive():
        raise UsageError(words, hint=_("name them if they are right: {options}").format(options="--imap --smtp"))
    if not confirm(_("{fact}. Shall the password go there?").format(fact=words)):
        raise UsageError(words, hint=_("name others: {options}").format(options="--imap --smtp"))


def _first_that_lets_in(
    session: Session, wanted: Wanted, kind: Kind, guessed: tuple[Server, ...], connect: Callable[[Server], Any]
) -> Server:
    refused: LoginRefused | None = None
    tried: list[str] = []
    for server in _candidates(wanted, kind, guessed):
        try:
            connect(server).close()
        except LoginRefused as error:
            refused = refused or error
            continue
        except ConnectionFailed as error:
            tried.append(f"{write_server(server)}: {error.message}")
            continue
        session.out.say(f"{kind.upper()}: {write_server(server)} ({server.login})")
        return server
    option = f"--{kind} HOST[:PORT][/TLS]"
    if refused is not None:
        raise LoginRefused(
            f"{kind.upper()}: {refused.message}", hint=f"{refused.hint}; {option} --login NAME".lstrip("; ")
        )
    if not tried:  # none of the guessed ones answered the probe: these they were
        guess = guess_servers(wanted.address)
        tried = [write_server(server) for server in (guess.imap if kind == "imap" else guess.smtp)]
    raise ConnectionFailed(
        _("no {kind} server answers for {address}; tried: {servers}").format(
            kind=kind.upper(), address=wanted.address, servers="; ".join(dict.fromkeys(tried))
        ),
        hint=_("name another: {option}").format(option=option),
    )


def _candidates(wanted: Wanted, kind: Kind, guessed: tuple[Server, ...]) -> Iterator[Server]:
    """The named server alone; else the guesses, and each once more with the name before the @ as the login."""
    named = wanted.imap if kind == "imap" else wanted.smtp
    if named:
        yield read_server(named, kind, wanted.login or wanted.address, wanted.ca_file)
        return
    for server in guessed:
        server = replace(server, ca_file=wanted.ca_file)
        if wanted.login:
            yield replace(server, login=wanted.login)
            continue
        yield server
        if "@" in server.login:
            yield replace(server, login=server.login.rpartition("@")[0])


def _secret(session: Session, wanted: Wanted) -> tuple[Login, Secret]:
    """What the login gives now: a command that prints nothing is found out before it is saved."""
    if wanted.login_by is None:
        raise UsageError(_("a password is needed"), hint="--password-command --password-file --oauth")
    return wanted.login_by, secret_of(session, wanted.address, wanted.login_by)


def secret_of(session: Session, address: str, login_by: Login) -> Secret:
    """What a login that is not saved yet gives. Raises ConfigError."""
    from supportdesk.bootstrap import open_secret

    config = replace(session.config, credentials={address.casefold(): login_by.credential})
    return open_secret(config, address, login_by.tokens)
