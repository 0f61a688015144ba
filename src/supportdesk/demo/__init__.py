"""The demo: an invented Italian shop with real mail servers on this machine, its customers, and a desk to answer them.

Like `bootstrap` it is a place of composition and may import every room; no room imports it but the command line.
Nothing here leaves the machine: the servers listen on 127.0.0.1, and take mail for example domains only (RFC 2606).
"""

from __future__ import annotations


def run_demo(
    *,
    headless: bool = False,
    seconds_between_mails: float = 20.0,
    language: str = "",
    keep: bool = False,
    as_json: bool = False,
) -> int:
    """Run the demo and return its exit code: 0, or 1 when the headless run found something that does not hold.

    Raises ConfigError when the demo's own servers (the extra `demo`) are not installed.
    """
    from supportdesk.demo.run import run

    return run(
        headless=headless,
        seconds_between_mails=seconds_between_mails,
        language=language,
        keep=keep,
        as_json=as_json,
    )
