"""python -m supportdesk.demo NAME: a child process of the demo (imap, smtp, worker, customers); nothing for people."""

from __future__ import annotations

from supportdesk.demo.children import run_child

if __name__ == "__main__":
    run_child()
