"""A mail server that takes everything and keeps nothing: what a sender is measured against.

`python -m tests.bench.smtp_sink` prints its port, serves until its stdin ends, then prints what it took as JSON.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

_PROJECT: Final = Path(__file__).resolve().parents[2]
_LONGEST: Final = 64 * 2**20
_REPLIES: Final = {
    b"EHLO": b"250-sink\r\n250-SIZE 50000000\r\n250 8BITMIME\r\n",
    b"DATA": b"354 go on\r\n",
    b"QUIT": b"221 bye\r\n",
}


@dataclass
class Taken:
    """What came in."""

    connections: int = 0
    mails: int = 0
    bytes: int = 0


class Sink:
    """A running sink in a process of its own; `taken` is complete after the `with` block of `running_sink`."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.taken = Taken()


@contextmanager
def running_sink() -> Iterator[Sink]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.smtp_sink"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        cwd=_PROJECT,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        sink = Sink(int(process.stdout.readline()))
        yield sink
        output, _ = process.communicate(timeout=30)
        sink.taken = Taken(**json.loads(output))
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


async def serve(taken: Taken) -> None:
    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        taken.connections += 1
        writer.write(b"220 sink\r\n")
        while verb := (await reader.readline())[:4].upper():
            writer.write(_REPLIES.get(verb, b"250 ok\r\n"))
            if verb == b"DATA":
                taken.bytes += len(await reader.readuntil(b"\r\n.\r\n"))
                taken.mails += 1
                writer.write(b"250 taken\r\n")
            elif verb == b"QUIT":
                break
        writer.close()

    server = await asyncio.start_server(client, "127.0.0.1", 0, limit=_LONGEST)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    counted = Taken()
    asyncio.run(serve(counted))
    print(json.dumps(asdict(counted)))
