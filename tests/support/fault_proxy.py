"""A TCP relay that breaks a conversation on purpose: after so many bytes of the server's, or after words of its."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from tests.support.threaded_server import reset_connection, served_in_thread, stay_silent

PIECE = 64 * 1024


@dataclass
class FaultProxy:
    """Relays `port` to `target`. The fault strikes what the server says, on each connection until it is taken away.

    `cut_at` counts bytes, from the start or, with `after`, from the end of those words. `by` is "reset", "end" or
    "silence", which keeps the connection and lets nothing more through.
    """

    target: int
    port: int = 0
    cut_at: int | None = None
    after: bytes = b""
    by: str = "reset"
    struck: int = 0
    connections: int = 0
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        upstream_reader, upstream = await asyncio.open_connection("127.0.0.1", self.target)
        sending = asyncio.ensure_future(_copy(reader, upstream))
        self._tasks.add(sending)
        try:
            with suppress(OSError, asyncio.CancelledError):
                await self._answer(upstream_reader, writer)
        finally:
            sending.cancel()
            self._tasks.discard(sending)
            upstream.transport.abort()
            writer.transport.abort()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """What the server says, up to the fault."""
        left, tail = (None if self.after else self.cut_at), b""
        while piece := await reader.read(PIECE):
            if left is None and self.after and self.cut_at is not None:
                at = (tail + piece).find(self.after)
                if at >= 0:
                    left = max(0, at + len(self.after) - len(tail)) + self.cut_at
                tail = (tail + piece)[-len(self.after) :]
            if left is not None:
                if len(piece) >= left:
                    self.struck += 1
                    writer.write(piece[:left])
                    await writer.drain()
                    await _break_off(writer, self.by)
                    return
                left -= len(piece)
            writer.write(piece)
            await writer.drain()
        writer.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while piece := await reader.read(PIECE):
            writer.write(piece)
            await writer.drain()
        writer.write_eof()


async def _break_off(writer: asyncio.StreamWriter, by: str) -> None:
    if by == "silence":
        await stay_silent()
    if by == "reset":
        reset_connection(writer)
    else:
        writer.close()


@contextmanager
def running_fault_proxy(target: int) -> Iterator[FaultProxy]:
    """The relay in a thread of its own; every connection is closed at the end."""
    proxy = FaultProxy(target)
    with served_in_thread(proxy.serve) as proxy.port:
        yield proxy
