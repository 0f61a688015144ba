"""An SMTP server that does as it is told, stage by stage, and keeps every byte that came (RFC 5321 by hand).

It records what it was given before it answers, so that a lost answer leaves the truth here.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.support.threaded_server import reset_connection, served_in_thread, stay_silent

if TYPE_CHECKING:
    from collections.abc import Callable

EHLO = "250-stub\r\n250-SIZE 100000000\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 ENHANCEDSTATUSCODES"
WITH_STARTTLS, WITH_AUTH = (
    EHLO.replace("250-SIZE", f"250-{extra}\r\n250-SIZE") for extra in ("STARTTLS", "AUTH PLAIN")
)
GOOD: Mapping[str, str] = {
    "banner": "220 stub", "ehlo": EHLO, "starttls": "220 2.0.0 go on", "ehlo-tls": WITH_AUTH, "auth": "235 2.7.0 Ok",
    "mail": "250 2.1.0 Ok", "rcpt": "250 2.1.5 Ok", "data": "354 go on",
    "dot": "250 2.0.0 Ok: queued as 7F", "rset": "250 Ok", "quit": "221 Bye",
}  # fmt: skip
EOF, RESET, SILENCE = "<eof>", "<reset>", "<silence>"


@dataclass
class SmtpStub:
    """A server on `port`. `script` maps a stage to its answer, `EOF`, `RESET` or `SILENCE`.

    `mid-data` is what is said after the first line of the mail; the server then reads on if it has not hung up. With
    `tls` it offers STARTTLS, and a login after that, whose EHLO is the stage `ehlo-tls`.
    """

    port: int = 0
    script: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)  # address → answer to its RCPT
    commands: list[str] = field(default_factory=list)
    mails: list[bytes] = field(default_factory=list)  # everything between DATA and the end, dots as they came
    envelopes: list[list[str]] = field(default_factory=list)
    connections: int = 0
    tls: ssl.SSLContext | None = None
    before: Callable[[str], None] = field(default=lambda stage: None)  # called at each stage before the answer

    def answer(self, stage: str) -> str:
        self.before(stage)
        good = WITH_STARTTLS if stage == "ehlo" and self.tls else GOOD[stage]
        return self.script.get(stage, good)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await self._talk(reader, writer)
            writer.close()
            with suppress(OSError, TimeoutError, asyncio.CancelledError):
                await asyncio.wait_for(writer.wait_closed(), 1)
        finally:
            writer.transport.abort()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not await self._say(writer, self.answer("banner")):
            return
        recipients: list[str] = []
        secure = False
        while line := await reader.readline():
            command = line.decode("utf-8", "replace").rstrip("\r\n")
            self.commands.append(command)
            verb = command.split(" ")[0].split(":")[0].casefold()
            stage = {"helo": "ehlo"}.get(verb, verb)
            if stage == "ehlo" and secure:
                stage = "ehlo-tls"
            if stage not in GOOD:
                reply = "500 what?"
            elif stage == "rcpt":
                address = command.partition("<")[2].partition(">")[0]
                reply = self.refused.get(address) or self.answer("rcpt")
                recipients += [address] if reply.startswith("250") else []
            else:
                reply = self.answer(stage)
            if stage in ("mail", "rset"):
                recipients = []
            if not await self._say(writer, reply):
                return
            if stage == "starttls" and self.tls is not None and reply.startswith("220"):
                await writer.start_tls(self.tls)
                secure = True
            if stage == "data" and reply.startswith("354"):
                if "mid-data" in self.script:
                    await reader.readline()
                    if not await self._say(writer, self.script["mid-data"]):
                        return
                self.mails.append(await _until_dot(reader))
                self.envelopes.append(recipients)
                if not await self._say(writer, self.answer("dot")):
                    return
            if stage == "quit":
                return

    async def _say(self, writer: asyncio.StreamWriter, text: str) -> bool:
        if text == SILENCE:
            writer.transport.pause_reading()  # type: ignore[attr-defined]
            await stay_silent()
        if text == EOF:
            return False
        if text == RESET:
            reset_connection(writer)
            return False
        writer.write(text.encode() + b"\r\n")
        await writer.drain()
        return not text.startswith("421")


async def _until_dot(reader: asyncio.StreamReader) -> bytes:
    lines = []
    while (line := await reader.readline()) != b".\r\n":
        if not line:
            raise ConnectionError("the mail has no end")
        lines.append(line)
    return b"".join(lines)


@contextmanager
def running_smtp_stub() -> Iterator[SmtpStub]:
    """The stub in a thread of its own; every connection is closed at the end."""
    stub = SmtpStub()
    with served_in_thread(stub.serve) as stub.port:
        yield stub
