"""`mail import` as a user runs it: what it prints, how it ends, and Ctrl-C in the middle."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Run
    from tests.support.desk import House

LINE = "From MAILER-DAEMON Wed Mar  4 09:00:00 2026\n"


def mbox(path: Path, count: int) -> str:
    with path.open("w") as file:
        for n in range(count):
            file.write(f"{LINE}From: c{n}@example.com\nSubject: Ordine {n}\nMessage-ID: <{n}@example.com>\n")
            file.write(f"Date: Mon, 2 Mar 2020 10:00:00 +0100\n\nDove è il mio ordine {n}?\n\n")
    return str(path)


def test_an_import_says_what_it_did_and_doing_it_again_adds_nothing(
    supportdesk: Run, shop: House, tmp_path: Path
) -> None:
    box = mbox(tmp_path / "box", 3)
    looked = supportdesk("mail", "import", box, "--dry-run", "--json").json()
    assert (looked["new"], looked["dry_run"], shop.desk.read.rows("delivery")) == (3, True, [])
    done = supportdesk("mail", "import", box)
    assert done.code == 0
    assert "3 mails imported" in done.out
    assert "3/3" in done.err
    again = supportdesk("mail", "import", box, "--json").json()
    assert (again["new"], again["known"], again["outcomes"]) == (0, 3, {"message": 3})


def test_what_cannot_be_imported_is_said(supportdesk: Run, shop: House, tmp_path: Path) -> None:
    assert supportdesk("mail", "import", str(tmp_path / "nowhere")).code == 4
    assert supportdesk("mail", "import", mbox(tmp_path / "box", 1), "--since", "ieri").code == 2
    (tmp_path / "broken.eml").symlink_to(tmp_path / "nowhere")
    result = supportdesk("mail", "import", str(tmp_path))
    assert result.code == 1
    assert "broken.eml" in result.out
    assert len(shop.desk.read.rows("message")) == 1, "the others are imported"


def test_the_day_of_since_is_that_of_the_mailbox(supportdesk: Run, shop: House, tmp_path: Path) -> None:
    box = mbox(tmp_path / "box", 2)
    assert supportdesk("mail", "import", box, "--since", "2020-03-03", "--json").json()["older"] == 2
    assert supportdesk("mail", "import", box, "--since", "2020-03-02", "--mailbox", "aiuto@bottega.example").code == 0


def test_ctrl_c_leaves_nothing_half_done_and_the_same_command_goes_on(
    supportdesk: Run, shop: House, tmp_path: Path
) -> None:
    box = mbox(tmp_path / "box", 1500)
    process = subprocess.Popen(
        [sys.executable, "-m", "supportdesk", "mail", "import", box], env=dict(os.environ), stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 60
        while not shop.desk.read.rows("message", limit=1):
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130, out + err
    assert "Traceback" not in err
    assert 0 < len(shop.desk.read.rows("message")) < 1500
    rest = supportdesk("mail", "import", box, "--json").json()
    assert (rest["outcomes"], rest["waiting"]) == ({"message": 1500}, 0)
    assert not any(row["attempts"] for row in shop.desk.read.rows("delivery"))
