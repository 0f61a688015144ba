"""Delivery to one SMTP account, through aiosmtplib. TLS always, stage by stage, so that each break has its verdict.

The connection is kept for the next mail and made anew after any error. `data_started` and `dot_sent` are announced
before they happen: whoever listens makes them durable first, and an exception from him stops the attempt there.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from aiosmtplib import (
    SMTP,
    SMTPAuthenticationError,
    SMTPConnectError,
    SMTPDataError,
    SMTPException,
    SMTPRecipientRefused,
    SMTPResponseException,
    SMTPServerDisconnected,
)

from supportdesk.errors import ConfigError, ConnectionFailed, LoginRefused
from supportdesk.mail.model import BuiltMail, RecipientResult, SendResult
from supportdesk.mail.sasl import bearer_dialogue
from supportdesk.mail.smtp_verdict import is_account_problem, judge_reply, judge_silence
from supportdesk.mail.tls import check_tls_mode, is_loopback, network_reason, tls_context

if TYPE_CHECKING:
    from supportdesk.desk.model import Server
    from supportdesk.mail.sasl import Secret

CONNECT_SECONDS = 30.0
COMMAND_SECONDS = 300.0  # RFC 5321 4.5.3.2: MAIL, RCPT 5 minutes
AFTER_DOT_SECONDS = 600.0  # RFC 5321 4.5.3.2.6
WRITE_CHUNK = 256 * 1024
REUSE_MAILS = 50
REUSE_IDLE_SECONDS = 60.0


class SmtpTransport:
    """One account's connection. Not for use by several threads at once."""

    def __init__(self, server: Server, secret: Secret, *, after_dot_seconds: float = AFTER_DOT_SECONDS) -> None:
        check_tls_mode(server)
        self._server = server
        self._secret = secret
        self._after_dot = after_dot_seconds
        self._loop = asyncio.new_event_loop()
        self._client: SMTP | None = None
        self._used = 0
        self._last_used = 0.0

    def send(self, mail: BuiltMail, recipients: Sequence[str], on_stage: Callable[[str], None]) -> SendResult:
        """Deliver to these envelope recipients; never raises for what a server or a network does."""
        return self._loop.run_until_complete(self._send(mail, recipients, on_stage))

    def check(self) -> str:
        """Connect and log in; returns the server's greeting to EHLO. Raises ConnectionFailed or LoginRefused."""

        async def connect() -> str:
            client = await self._connected()
            return str(client.last_ehlo_response.message if client.last_ehlo_response else "")

        try:
            return self._loop.run_until_complete(connect())
        except (SMTPException, OSError, ValueError) as error:
            raise self._failure(error, "log in") from None

    def close(self) -> None:
        if not self._loop.is_closed():
            self._loop.run_until_complete(self._disconnect())
            self._loop.close()

    async def _send(self, mail: BuiltMail, recipients: Sequence[str], on_stage: Callable[[str], None]) -> SendResult:
        attempt = _Attempt(on_stage)
        try:
            client = await self._connected()
            attempt.reach("connected")
            result = await self._deliver(client, mail, recipients, attempt)
        except SMTPAuthenticationError as error:
            await self._disconnect()
            failure = self._failure(error, "log in")
            refused = isinstance(failure, LoginRefused)
            return attempt.result("deferred", failure.message, account_problem=refused)
        except SMTPResponseException as error:
            await self._disconnect()
            verdict = judge_reply(error.code, error.message, stage=attempt.stage)
            problem = is_account_problem(error.code, error.message, stage=attempt.stage)
            words = f"{error.code} {error.message}" if error.code > 0 else error.message
            return attempt.result("deferred" if problem else verdict, words, account_problem=problem)
        except (SMTPException, OSError, TimeoutError) as error:
            await self._disconnect()
            failure = self._failure(error, "deliver" if attempt.stage else "log in")
            refused = isinstance(failure, LoginRefused)
            return attempt.result(judge_silence(attempt.stage), failure.message, account_problem=refused)
        except ValueError as error:  # what cannot be put into a command is no better the next time
            await self._disconnect()
            verdict = "uncertain" if judge_silence(attempt.stage) == "uncertain" else "failed"
            return attempt.result(verdict, str(error), refuse=recipients)
        except ConfigError as error:  # the certificate file that the mailbox names
            return attempt.result("deferred", error.message, account_problem=True)
        except ConnectionFailed as error:  # no token to log in with
            await self._disconnect()
            return attempt.result("deferred", error.message, account_problem=isinstance(error, LoginRefused))
        except BaseException:
            await self._disconnect()
            raise
        self._used += 1
        self._last_used = time.monotonic()
        return result

    async def _deliver(self, client: SMTP, mail: BuiltMail, recipients: Sequence[str], attempt: _Attempt) -> SendResult:
        limit = _size_limit(client)
        if limit and len(mail.data) > limit:
            words = f"the mail has {len(mail.data)} bytes, the server takes {limit} (SIZE, RFC 1870)"
            return attempt.result("failed", words, refuse=recipients)
        if mail.smtputf8 and not client.supports_extension("smtputf8"):
            return attempt.result(
                "failed", "the server does not take non-ASCII addresses (SMTPUTF8)", refuse=recipients
            )
        attempt.reach("mail")
        encoding = "utf-8" if mail.smtputf8 else "ascii"
        await client.mail(mail.sender, options=_mail_options(client, mail), encoding=encoding, timeout=COMMAND_SECONDS)
        attempt.reach("rcpt")
        notify = ["NOTIFY=FAILURE,DELAY"] if client.supports_extension("dsn") else []
        for address in recipients:
            try:
                reply = await client.rcpt(address, options=notify, encoding=encoding, timeout=COMMAND_SECONDS)
            except SMTPRecipientRefused as error:
                if error.code == 421:
                    raise
                state = judge_reply(error.code, error.message, stage="rcpt")
                attempt.recipients.append(RecipientResult(address, state, f"{error.code} {error.message}"))
            else:
                attempt.recipients.append(RecipientResult(address, "accepted", f"{reply.code} {reply.message}"))
        if not any(result.state == "accepted" for result in attempt.recipients):
            with contextlib.suppress(SMTPException, OSError):
                await client.rset()
            deferred = any(result.state == "deferred" for result in attempt.recipients)
            return attempt.result("deferred" if deferred else "failed", attempt.recipients[0].detail)
        return await self._data(client, mail.data, attempt)

    async def _data(self, client: SMTP, data: bytes, attempt: _Attempt) -> SendResult:
        """DATA with the final dot apart, which aiosmtplib writes together with the text."""
        protocol = client.protocol
        if protocol is None:
            raise SMTPServerDisconnected("Connection lost")
        attempt.reach("data_started")
        start = await client.execute_command(b"DATA", timeout=COMMAND_SECONDS)
        if start.code != 354:
            raise SMTPDataError(start.code, start.message)
        stuffed = stuff_dots(data)
        if isinstance(protocol.transport, asyncio.WriteTransport):
            # Drained means then: everything has left this process. Not 0: asyncio's TLS takes an empty buffer for full.
            protocol.transport.set_write_buffer_limits(high=1)
        for at in range(0, len(stuffed), WRITE_CHUNK):
            protocol.write(stuffed[at : at + WRITE_CHUNK])
            await asyncio.wait_for(protocol._drain_helper(), COMMAND_SECONDS)
        if not client.is_connected:
            raise SMTPServerDisconnected("Connection lost before the end of the mail")
        attempt.reach("dot_sent")
        protocol.write(b".\r\n")
        reply = await protocol.read_response(timeout=self._after_dot)
        if reply.code != 250:
            raise SMTPDataError(reply.code, reply.message)
        return attempt.result("sent", f"{reply.code} {reply.message}")

    async def _connected(self) -> SMTP:
        """The open connection if it is still good, else a new one; a client is never used again after an error."""
        if self._client is not None:
            fresh = time.monotonic() - self._last_used < REUSE_IDLE_SECONDS
            if self._client.is_connected and fresh and self._used < REUSE_MAILS:
                with contextlib.suppress(SMTPException, OSError):
                    await self._client.rset(timeout=CONNECT_SECONDS)
                    return self._client
            await self._disconnect()
        if isinstance(self._secret, str):
            return await self._open(self._secret)
        token = self._secret.current()
        try:
            return await self._open(token)
        except SMTPAuthenticationError:
            await self._disconnect()
            another = self._secret.renewed(token)
            if another == token:
                raise
            return await self._open(another)

    async def _open(self, secret: str) -> SMTP:
        server = self._server
        secure = server.tls != "none"
        client = SMTP(
            hostname=server.host,
            port=server.port,
            use_tls=server.tls == "implicit",
            start_tls=server.tls == "starttls",
            tls_context=tls_context(server) if secure else None,
            local_hostname="localhost" if is_loopback(server.host) else None,
            timeout=CONNECT_SECONDS,
        )
        self._client, self._used = client, 0
        await client.connect()
        await client.ehlo()
        if server.login and (secure or client.supports_extension("auth")):
            if isinstance(self._secret, str):
                await client.login(server.login, secret)
            else:
                await self._give_token(client, secret)
        self._last_used = time.monotonic()
        return client

    async def _give_token(self, client: SMTP, token: str) -> None:
        """AUTH with an access token (RFC 4954); raises SMTPAuthenticationError as `login` does."""
        server = self._server
        offered = {name.casefold() for name in client.server_auth_methods}
        dialogue = bearer_dialogue(
            lambda name: name.casefold() in offered, server.login, server.host, server.port, token
        )
        if dialogue is None:
            raise LoginRefused.because("no token login", server=server.host)
        reply = await client.execute_command(b"AUTH", dialogue.mechanism.encode(), dialogue.opening)
        if reply.code == 334:
            reply = await client.execute_command(dialogue.closing)
        if reply.code != 235:
            raise SMTPAuthenticationError(reply.code, reply.message)

    def _failure(self, error: Exception, doing: str) -> ConnectionFailed:
        """What went wrong, in words: a person must mend a refused login and a certificate that is not trusted."""
        server = f"SMTP {self._server.host}:{self._server.port}"
        if isinstance(error, SMTPAuthenticationError):
            # 454 is a login service that is away (RFC 4954 section 6), not an answer to this login.
            if 400 <= error.code < 500 and error.code not in (432, 435):
                return ConnectionFailed.because("login later", server=server, reason=f"{error.code} {error.message}")
            code = "login refused" if isinstance(self._secret, str) else "token refused"
            return LoginRefused.because(
                code, server=server, login=self._server.login, reason=f"{error.code} {error.message}"
            )
        cause: BaseException = error
        while cause.__cause__ is not None and not isinstance(cause, SMTPResponseException):
            cause = cause.__cause__
        if isinstance(cause, ssl.SSLCertVerificationError):
            return LoginRefused.because("certificate", server=server, reason=cause.verify_message)
        if isinstance(cause, SMTPServerDisconnected):
            reason = "broken off"
        elif isinstance(cause, SMTPResponseException):
            reason = f"{cause.code} {cause.message}" if cause.code > 0 else cause.message
        else:
            reason = network_reason(cause)
        step = "connect" if isinstance(error, SMTPConnectError) else doing
        return ConnectionFailed.because("broken", server=server, doing=step, reason=reason)

    async def _disconnect(self) -> None:
        client, self._client = self._client, None
        if client is None:
            return
        transport = client.transport
        with contextlib.suppress(SMTPException, OSError, TimeoutError):
            if client.is_connected:
                await client.quit(timeout=2)
        client.close()
        if isinstance(transport, asyncio.WriteTransport):
            # Without waiting for the server's part of the TLS farewell; the loop may be closed right after this.
            transport.abort()
            await asyncio.sleep(0)


class _Attempt:
    """How far one attempt has come, and what each recipient was told."""

    def __init__(self, on_stage: Callable[[str], None]) -> None:
        self.stage = ""
        self.recipients: list[RecipientResult] = []
        self._on_stage = on_stage

    def reach(self, stage: str) -> None:
        self._on_stage(stage)
        self.stage = stage

    def result(
        self, verdict: str, detail: str, *, account_problem: bool = False, refuse: Sequence[str] = ()
    ) -> SendResult:
        refused = tuple(RecipientResult(address, "failed", detail) for address in refuse)
        return SendResult(verdict, self.stage, detail, tuple(self.recipients) or refused, account_problem)


def stuff_dots(data: bytes) -> bytes:
    """The bytes between DATA and the final dot (RFC 5321 4.5.2): every newline CRLF, leading dots doubled.

    Lone CR and LF become CRLF here too, so that no server can be made to see an end that is not one (SMTP smuggling).
    """
    lines = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    if lines[-1] == b"":
        lines.pop()
    return b"".join(b"." + line + b"\r\n" if line.startswith(b".") else line + b"\r\n" for line in lines)


def _size_limit(client: SMTP) -> int:
    announced = client.esmtp_extensions.get("size", "")
    return int(announced) if announced.isdigit() else 0


def _mail_options(client: SMTP, mail: BuiltMail) -> list[str]:
    options = []
    if client.supports_extension("size"):
        options.append(f"SIZE={len(mail.data)}")
    if mail.smtputf8:
        options.append("SMTPUTF8")
    if client.supports_extension("dsn"):
        # The token before the @ of our Message-ID comes back as Original-Envelope-Id (RFC 3461 4.4).
        options += ["RET=HDRS", f"ENVID={mail.message_id.strip('<>').partition('@')[0]}"]
    return options
