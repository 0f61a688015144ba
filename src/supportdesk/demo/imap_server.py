"""The demo's IMAP server: pymap with its mail in memory, on a free port of 127.0.0.1.

pymap keeps no custom keywords and knows neither SPECIAL-USE nor CONDSTORE; the Sent folder is found by its name.
"""

from __future__ import annotations

import asyncio
import os
import signal
from argparse import Namespace
from collections.abc import Mapping

from proxyprotocol.reader import ProxyProtocolReader
from pymap.backend.dict import Config, Identity, Login
from pymap.imap import IMAPServer
from pymap.user import Passwords, UserMetadata

from supportdesk.demo.children import say_ready

SENT = "Sent"


def serve_imap(accounts: Mapping[str, str]) -> None:
    """Serve these accounts (name → password), each with an INBOX and a folder Sent, until SIGTERM."""
    os.environ["FQDN"] = "localhost"  # else pymap asks the resolver who we are, at every connection
    asyncio.run(_serve(accounts))


async def _serve(accounts: Mapping[str, str]) -> None:
    options = Namespace(passlib_cfg=None, proxy_protocol=None, inherited_sockets=None)
    config = Config(
        options, host="127.0.0.1", port=0, tls_enabled=False, demo_data=False, demo_user="", demo_password=""
    )
    config.apply_context()
    login = Login(config)
    for name, password in accounts.items():
        identity = Identity(name, login, None, frozenset())
        hashed = await Passwords(config).hash_password(password)
        await identity.set(UserMetadata(config, name, password=hashed))
        async with identity.new_session() as session:
            await session.mailbox_set.add_mailbox(SENT)
    connect = ProxyProtocolReader(config.proxy_protocol).get_callback(IMAPServer(login, config))
    server = await asyncio.start_server(connect, host="127.0.0.1", port=0)
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    async with server:
        say_ready(port=server.sockets[0].getsockname()[1])
        await stopped.wait()
        os._exit(0)  # open connections in IDLE would keep the loop alive
