"""How a mailbox logs in: asking for it, in one place for `init`, `mailbox add` and `mail login`.

A password by command, by file or typed, an app password where the provider wants one, else a login in a browser:
by a code that is entered on any machine (Microsoft), or on this machine with the address pasted back over SSH (Google).
"""

from __future__ import annotations

import getpass
import io
import select
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import typer

from supportdesk.cli.failures import complain
from supportdesk.cli.inputs import ask, ask_password, is_interactive, read_credential
from supportdesk.config import Credential, find_credential
from supportdesk.errors import ConfigError, LoginRefused, UsageError
from supportdesk.l10n.catalog import N_, _

if TYPE_CHECKING:
    from supportdesk.bootstrap import LoginService
    from supportdesk.cli.session import Session
    from supportdesk.desk.providers import Guess
    from supportdesk.mail.model import Consent, OAuthClient, Tokens

PASSWORD_COMMAND = typer.Option("--password-command", metavar="COMMAND", help=N_("A command that prints the password"))
PASSWORD_FILE = typer.Option(
    "--password-file", metavar="FILE", help=N_("A file (0600) with the password; - is standard input")
)
OAUTH = typer.Option(
    "--oauth", metavar="microsoft|google|URL", help=N_("Log in with a browser: at this service, or at your own")
)
CLIENT_ID = typer.Option("--client-id", metavar="ID", help=N_("The id that the service gave to your supportdesk"))
CLIENT_SECRET_FILE = typer.Option(
    "--client-secret-file", metavar="FILE", help=N_("A file (0600) with the client's secret, where it has one")
)
TENANT = typer.Option("--tenant", metavar="ID", help=N_("Microsoft: your directory, where the client is for it alone"))
CONSENT_SECONDS = 900.0
OWN_SCOPE = "openid email offline_access"
MICROSOFT_CLIENT = N_(
    "Microsoft wants to know the program by an id of your own. Once, as an administrator:\n"
    "  1. https://entra.microsoft.com → App registrations → New registration; the name is free\n"
    "  2. Authentication → Allow public client flows: Yes\n"
    "  3. API permissions → APIs my organization uses → Office 365 Exchange Online → Delegated:\n"
    "     IMAP.AccessAsUser.All and SMTP.Send; then Grant admin consent\n"
    "  4. Overview: copy the Application (client) ID, and the Directory (tenant) ID for --tenant"
)
GOOGLE_CLIENT = N_(
    "Google wants to know the program by an id of your own. Once:\n"
    "  1. https://console.cloud.google.com → APIs & Services → OAuth consent screen: Internal,\n"
    "     or External and published (a client that is only being tested logs out after 7 days)\n"
    "  2. Data access: add the scope https://mail.google.com/\n"
    "  3. Clients → Create client → Desktop app: copy its client ID and client secret"
)


@dataclass(frozen=True, slots=True)
class LoginOptions:
    """What the command line said about how to log in."""

    password_command: str = ""
    password_file: str = ""
    oauth: str = ""
    client_id: str = ""
    client_secret_file: str = ""
    tenant: str = ""


@dataclass(frozen=True, slots=True)
class Login:
    """How a mailbox logs in; `tokens` where a browser has just been used for it."""

    credential: Credential
    tokens: Tokens | None = None


def ask_login(
    session: Session,
    address: str,
    options: LoginOptions,
    guess: Guess | None,
    *,
    interactive: bool,
    by_password: bool = False,
) -> Login | None:
    """What was given, else the browser of the login before, else what a person answers; None where none of them is."""
    given = read_credential(options.password_command, options.password_file)
    if given is not None:
        return Login(given)
    if options.oauth:
        return _log_in_with_browser(session, address, _client(session, options, options.oauth))
    if not by_password and (known := _client_of_before(session, address)) is not None:
        return _log_in_with_browser(session, address, known)
    if not interactive:
        return None
    service = guess.service if guess is not None else ""
    if guess is not None and guess.hint:
        where = f" {guess.app_passwords}" if guess.app_passwords else ""
        session.out.say(_("{provider}: {hint}").format(provider=guess.provider, hint=_(guess.hint)) + where)
    if service and not by_password and guess is not None and guess.takes_passwords:
        question = _("Log in with an app password (1) or with a browser (2)")
        with_browser = ask(question, "1", _check_choice) == "2"
        service = service if with_browser else ""
    if service and not by_password:
        return _log_in_with_browser(session, address, _client(session, options, service))
    return Login(ask_password(_("Password of {address}").format(address=address)))


def _check_choice(answer: str) -> None:
    if answer not in ("1", "2"):
        raise UsageError(_("{value} is no choice").format(value=repr(answer)), hint="1, 2")


def _log_in_with_browser(session: Session, address: str, client: OAuthClient) -> Login:
    from supportdesk.bootstrap import LoginService

    at = LoginService(client)
    tokens = _with_code(session, address, at) if client.device_url else _with_redirect(session, address, at)
    return Login(Credential(oauth=client), tokens)


def _client_of_before(session: Session, address: str) -> OAuthClient | None:
    with suppress(ConfigError):
        return find_credential(session.config, address).oauth
    return None


def _client(session: Session, options: LoginOptions, service: str) -> OAuthClient:
    from supportdesk.bootstrap import LoginService
    from supportdesk.desk.providers import oauth_client

    words = {"microsoft": MICROSOFT_CLIENT, "google": GOOGLE_CLIENT}.get(service, "")
    if not words and "://" not in service:
        raise UsageError(
            _("{value} is no login service").format(value=repr(service)), hint="microsoft, google, https://…"
        )
    client_id, secret = options.client_id, _secret(options)
    if not client_id:
        if not is_interactive():
            raise UsageError(_("{option} is missing").format(option="--client-id"), hint=_(words))
        if words:
            for line in _(words).splitlines():
                session.out.say(line)
        client_id = ask(_("Client id"), check=_check_client_id)
        if service == "google" and not secret:
            secret = getpass.getpass(_("Client secret") + ": ", stream=None).strip()
    if words:
        return oauth_client(service, client_id, secret, options.tenant)
    return LoginService.discovered(service, client_id, secret, OWN_SCOPE).client


def _check_client_id(answer: str) -> None:
    if not answer or any(letter.isspace() for letter in answer):
        raise UsageError(_("{value} is no client id").format(value=repr(answer)))


def _secret(options: LoginOptions) -> str:
    if not options.client_secret_file:
        return ""
    from supportdesk.config import read_private

    return read_private(options.client_secret_file)


# ---- a code that is entered on any machine


def _with_code(session: Session, address: str, service: LoginService) -> Tokens:
    code = service.ask_for_code()
    session.out.say(_("Open {url} on any machine and enter the code {code}").format(
        url=code.verification_url, code=code.user_code))  # fmt: skip
    session.out.say(
        _("Sign in as a person who may open {address}: a shared mailbox has no login of its own.").format(
            address=address
        )
    )
    session.out.say(_("waiting for the code to be entered …"))
    return service.wait_for_entry(code)


# ---- a browser that comes back to this machine


def _with_redirect(session: Session, address: str, service: LoginService) -> Tokens:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        consent = service.begin_consent(f"http://127.0.0.1:{listening.getsockname()[1]}/", address)
        session.out.say(_("Open this address in a browser and sign in:"))
        session.out.say(consent.url)
        session.out.say(
            _("Is the browser on another machine? It ends with a page that cannot be shown: paste its address here.")
        )
        for redirected in _redirects(listening, consent):
            try:
                return service.redeem(consent, redirected)
            except LoginRefused as error:
                if error.code != "wrong redirect":
                    raise
                complain(error.message, error.hint)
    raise LoginRefused.because("code expired", issuer="127.0.0.1")


def _redirects(listening: socket.socket, consent: Consent) -> Iterator[str]:
    """Addresses that a browser on this machine was sent to, and lines that somebody pasted, until the time is up."""
    typed = _selectable_stdin()
    if typed is None:
        yield sys.stdin.readline()
    deadline = time.monotonic() + CONSENT_SECONDS
    visits = listening.fileno()
    while (left := deadline - time.monotonic()) > 0:
        waiting = [visits] if typed is None else [visits, typed]
        for ready in select.select(waiting, [], [], left)[0]:
            if ready == visits:
                if (target := _visited(listening)) is not None:
                    yield consent.redirect_url + target
                continue
            line = sys.stdin.readline()
            if not line:
                typed = None  # no more answers: only the browser is waited for
            elif line.strip():
                yield line


def _selectable_stdin() -> int | None:
    try:
        return sys.stdin.fileno()
    except (io.UnsupportedOperation, ValueError):
        return None


def _visited(listening: socket.socket) -> str | None:
    """The query of one visit; None for a visit that is none of a login (the browser asks for an icon, too)."""
    with suppress(OSError):
        connection, _address = listening.accept()
        with connection:
            connection.settimeout(5)
            words = connection.makefile("rb").readline(8192).decode("latin-1").split()
            target = words[1] if len(words) == 3 and words[0] == "GET" else ""
            login = target.startswith("/?")
            page = _("You can close this page and go back to supportdesk.") if login else ""
            body = f"<!doctype html><meta charset=utf-8><p>{page}".encode()
            status = "200 OK" if login else "404 Not Found"
            head = f"HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nConnection: close\r\n"
            connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            return target[1:] if login else None
    return None
