"""A server of the tests that speaks asyncio, run in a thread of its own beside the code it tries."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

LONGEST_LINE = 1 << 24
TURNS_OF_AN_ACCEPT = 5


@contextmanager
def served_in_thread(
    serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> Iterator[int]:
    """The loopback port on which `serve` answers; every connection is closed at the end."""
    connections: set[asyncio.Task[object] | None] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Of a connection that reads nothing the loop knows nothing: without this the collector would take it away.
        connections.add(asyncio.current_task())
        try:
            await serve(reader, writer)
        finally:
            connections.discard(asyncio.current_task())

    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(asyncio.start_server(connected, "127.0.0.1", 0, limit=LONGEST_LINE))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        asyncio.run_coroutine_threadsafe(_shut_down(server), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


async def stay_silent() -> None:
    """Keep the connection and say nothing more, until the server is shut down."""
    await asyncio.Event().wait()


def reset_connection(writer: asyncio.StreamWriter) -> None:
    """Break off with an RST: what was under way is lost on both sides."""
    linger = struct.pack("ii", 1, 0)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.transport.abort()


async def _shut_down(server: asyncio.Server) -> None:
    """End every connection, also one that is accepted just now: it has its task only some turns of the loop later."""
    server.close()
    for _again in range(TURNS_OF_AN_ACCEPT):
        for _turn in range(TURNS_OF_AN_ACCEPT):
            await asyncio.sleep(0)
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
