"""Part `console`: the real console in a pseudo-terminal, on a small desk and on a large one, beside a minimal app.

What an agent feels (the start, a key, fifty keys, a colleague's action) in milliseconds, what the line carries in
bytes, what the process holds in memory. The console runs without a worker of its own, which starts after the list.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from supportdesk.desk.model import TicketId
from tests.bench.desks import BenchDesk, described, filled_desk
from tests.bench.measure import Options, memory_mib, percentile, say
from tests.bench.pty_program import PtyProgram
from tests.bench.report import Part, Row

SIZE: Final = 20_000
SMALL: Final = 1_000
KEYS: Final = 40
BURST: Final = 50
SETTLE: Final = 0.06
"""Seconds of silence after which a key has done all it does at once; the preview follows later."""
REST: Final = 0.6
WHOLE: Final = 1.0
"""Seconds of silence after which the rest of a list is read, too."""
BURSTS: Final = 3
IDLE: Final = 3.0
GROWTH: Final = 1.3
"""A large desk may take this much more than a small one."""
SHOWN: Final = 10
"""Letters of a subject by which its ticket is known on the screen."""

OURS: Final = (
    "import sys; from supportdesk.config import load_config; from supportdesk.tui.app import run_console;"
    "sys.exit(run_console(load_config(), start_worker=False))"
)
PEER: Final = """
from textual.app import App
from textual.widgets import Static


class Minimal(App):
    count = 0

    def compose(self):
        yield Static("ready", id="line")

    def on_key(self, event):
        self.count += 1
        self.query_one("#line", Static).update(f"key {self.count}")


Minimal().run()
"""


@dataclass
class Figures:
    """What was heard of one program, in ms, bytes and MiB; lists are medians later."""

    frame: list[float] = field(default_factory=list)
    usable: list[float] = field(default_factory=list)
    first: list[float] = field(default_factory=list)
    last: list[float] = field(default_factory=list)
    burst: list[float] = field(default_factory=list)
    moves: list[int] = field(default_factory=list)
    others: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Place:
    """A desk to look at: how to come in, and how the first, the newest and the oldest of its tickets read."""

    tickets: int
    environment: Mapping[str, str]
    first: bytes
    newest: bytes
    oldest: bytes

    @classmethod
    def of(cls, made: BenchDesk, home: Path, agent: int = 0) -> Place:
        read, who = made.desk.read, made.agents[agent]
        [first] = read.queue_ids("needs_reply", agent_id=who.id, now=datetime.now(UTC), limit=1)
        [newest] = read.queue_ids("all", agent_id=who.id, now=datetime.now(UTC), limit=1)
        subjects = [read.ticket(ticket).subject[:SHOWN].encode() for ticket in (first, newest, TicketId(1))]
        return cls(made.tickets, environment(made.url, who.login, home), *subjects)


def environment(url: str, login: str, home: Path) -> dict[str, str]:
    """Nobody's settings, one language, our source."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SUPPORTDESK_", "TEXTUAL_"))}
    source = str(Path(__file__).resolve().parents[2] / "src")
    ours = {"SUPPORTDESK_DATABASE": url, "SUPPORTDESK_AGENT": login, "PYTHONPATH": source, "LC_ALL": "C.UTF-8"}
    return {**kept, **ours, "HOME": str(home), "XDG_CONFIG_HOME": str(home), "XDG_DATA_HOME": str(home)}


def run(options: Options) -> Part:
    """Fill one desk to the size and one to a thousand; look at both in turns, so that a slow moment meets both."""
    size = options.sized(SIZE)
    sizes = sorted({min(SMALL, size), size})
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="supportdesk-bench-")))
        scratch = replace(options, desk="")
        desks = [stack.enter_context(filled_desk(scratch if n < size else options, n)) for n in sizes]
        places = [Place.of(made, home) for made in desks]
        seen = seconds_to_a_colleague(desks[-1], home, options.runs)
        kind = "PostgreSQL" if desks[-1].store.address.is_postgres else "SQLite"
        return part_of(places, options.runs, home, seen, kind, described(desks[-1]))


def part_of(places: list[Place], runs: int, home: Path, seen: list[float], kind: str, given: str) -> Part:
    """Measure the console at each place, and the peer; `places` from small to large."""
    figures = {place.tickets: Figures() for place in places}
    peer = Figures()
    for number in range(runs):
        say(f"console: start {number + 1} of {runs}")
        for place in places:
            start_console(place, figures[place.tickets])
        start_peer(home, peer)
    say("console: keys")
    use_consoles(places, figures, showings=2 * runs - 1)
    large, small = figures[places[-1].tickets], figures[places[0].tickets]
    rows = [
        Row("start to the first frame", _mid(large.frame), "ms", "minimal app", _mid(peer.frame)),
        Row("start to a usable list", _mid(large.usable), "ms", "minimal app", _mid(peer.usable),
            "≤ 303 ms (0.3× aerc, 0.8× alot)"),
        Row("key to first byte, p50", _mid(large.first), "ms", "minimal app", _mid(peer.first), "≤ 3 ms"),
        Row("key to first byte, p95", percentile(large.first, 0.95), "ms", "minimal app",
            percentile(peer.first, 0.95), "≤ 8 ms"),
        Row("key to last byte, p50", _mid(large.last), "ms", "minimal app", _mid(peer.last)),
        Row(f"{BURST} keys at once", _mid(large.burst), "ms", "minimal app", _mid(peer.burst),
            "≤ 25 ms (0.5× neomutt)"),
        Row("bytes: cursor move, p50", _mid(large.moves), "bytes", aim="≤ 450, never over 600", limit=600),
        *(
            Row(name, value, _unit(name), aim=_AIMS.get(name, ""), limit=_LIMITS.get(name))
            for name, value in large.others.items()
        ),
        *seen_rows(seen, kind),
    ]  # fmt: skip
    if small is not large:
        rows += _growth(small, large, places[0].tickets)
    given = f"{given}, 120x40; peer: a Textual app with one line"
    return Part("console", given, tuple(rows), why=_why(large, peer))


_LIMITS: Final = {
    "bytes: start": 40_000,
    "bytes: idle, a second": 0,
    "bytes: half a page": 13_700,
    "bytes: open a ticket at 120x40": 15_000,
    "bytes: open a ticket at 80x24": 7_000,
}
_AIMS: Final = {"memory with the list": "≤ 76 MiB (80 MB)"}
_SEEN_WITHIN: Final = {"SQLite": 1_000, "PostgreSQL": 300}


def seen_rows(seconds: Sequence[float], kind: str) -> list[Row]:
    """How soon what one agent did stood on the screen of another, with the promise for that kind of database."""
    return [
        Row("a colleague's action on the screen", _mid(seconds) * 1000, "ms"),
        Row(
            f"a colleague's action, the slowest of {len(seconds)}", max(seconds) * 1000, "ms", limit=_SEEN_WITHIN[kind]
        ),
    ]


def _why(ours: Figures, peer: Figures) -> dict[str, str]:
    key, framework = _mid(ours.first), _mid(peer.first)
    return {
        "start to a usable list": (
            f"a Textual app with one line needs {_mid(peer.usable):.0f} ms of its {_mid(ours.usable):.0f}. Half of the"
            " whole is importing, of that a third making dataclasses; the other half is Textual laying the screen out,"
            " a quarter of it matching the style sheet. Next: import what opens over the list when it is opened first."
        ),
        "key to first byte, p50": (
            f"{framework:.2f} ms of {key:.2f} is what Textual takes in an app that prints one line. Of ours more than"
            " half is its compositor at two rows of the list, a fifth our making of those rows, a tenth the way from"
            " the key to the action. Next: keep a row's strip for both of its looks, marked and not."
        ),
        f"{BURST} keys at once": (
            "half of it paints two or three frames, a quarter hands fifty keys to the list one after the other, each"
            " through Textual's queue, and the frames wait for its timer of 1/60 s. Next: take the keys that are"
            " already there together, and paint once."
        ),
        "growth: view `all` to its first page": (
            "both read two hundred numbers and sixty rows, and take the same few milliseconds; Textual paints at most"
            " sixty times a second, so that one of them may be seen a whole frame (17 ms) later, and at the same size"
            " every time. Next: paint a first page at once, without the timer."
        ),
        "bytes: cursor move, p50": (
            "a move sends two rows of 120 cells, some 245 bytes; the rest is colours, each written whole and taken back"
            " before the next. Next: no reset between two colours (some 20 bytes), and the blanks at the end of a row"
            " as one erasure (some 30)."
        ),
    }


def _unit(name: str) -> str:
    return "bytes" if name.startswith("bytes") else "MiB" if name.startswith("memory") else "ms"


def _growth(small: Figures, large: Figures, tickets: int) -> list[Row]:
    pairs = {
        "start to a usable list": (small.usable, large.usable),
        "key to first byte, p50": (small.first, large.first),
        f"{BURST} keys at once": (small.burst, large.burst),
    }
    found = [(name, "ms", _mid(ours), _mid(theirs)) for name, (theirs, ours) in pairs.items()]
    others = ("view `all` to its first page", "memory with the list")
    found += [(name, _unit(name), large.others[name], small.others[name]) for name in others]
    return [
        Row(f"growth: {name}", ours, unit, f"at {tickets:,}", theirs, "≤ 1.3×", GROWTH * theirs)
        for name, unit, ours, theirs in found
    ]


# ---- what is done to the programs ------------------------------------------------------------------------------------


def console(place: Place, *, columns: int = 120, rows: int = 40) -> PtyProgram:
    return PtyProgram([sys.executable, "-c", OURS], place.environment, columns=columns, rows=rows)


def start_console(place: Place, found: Figures) -> None:
    """From the start of the process to the skeleton, and to the first ticket."""
    with console(place) as program:
        found.frame.append(program.wait_for(b"supportdesk").last * 1000)
        listed = program.wait_for(place.first)
        found.usable.append(found.frame[-1] + listed.last * 1000)


def start_peer(home: Path, found: Figures) -> None:
    with PtyProgram([sys.executable, "-c", PEER], environment("", "", home)) as program:
        started = program.wait_for(b"ready").last * 1000
        found.frame.append(started)
        found.usable.append(started)
        program.hear(REST)
        press_keys([(program, found)], b"x")
        press_at_once([(program, found)], b"x")


def use_consoles(places: Sequence[Place], figures: Mapping[int, Figures], *, showings: int) -> None:
    """Keys, views and tickets, on a console each that stays open, in turns: a slow moment meets both of them."""
    with ExitStack() as stack:
        open_at = [(place, stack.enter_context(console(place)), figures[place.tickets]) for place in places]
        for place, program, found in open_at:
            start = program.wait_for(place.first).data + program.hear(1.0).data
            found.others["bytes: start"] = len(start)
            found.others["memory with the list"] = memory_mib(program.pid)
            program.listen(REST)
        press_keys([(program, found) for _place, program, found in open_at], b"jk")
        for _place, program, found in open_at:
            found.others["bytes: half a page"] = len(program.press(b"\x04", REST).data)
            found.others["bytes: idle, a second"] = len(program.listen(IDLE)) / IDLE
            found.others["bytes: open a ticket at 120x40"] = len(program.press(b"\r", REST).data)
            program.press(b"q", REST)
        show_all(open_at, showings)
        for place, program, found in open_at:
            program.send(b"G")
            found.others["view `all` to its last ticket"] = program.wait_for(place.oldest).last * 1000
            program.hear(REST)
            found.others["memory with the view `all`"] = memory_mib(program.pid)
            program.send(b"gg")
            program.wait_for(place.newest)
            program.hear(REST)
        press_at_once([(program, found) for _place, program, found in open_at], b"j")
    for place in places:
        with console(place, columns=80, rows=24) as program:
            program.wait_for(place.first)
            program.hear(1.0)
            opened = len(program.press(b"\r", REST).data)
            figures[place.tickets].others["bytes: open a ticket at 80x24"] = opened


def show_all(open_at: Sequence[tuple[Place, PtyProgram, Figures]], showings: int) -> None:
    """From the first view to `all` and back, some times; it is left open."""
    taken: list[list[float]] = [[] for _ in open_at]
    for turn in range(showings):
        for times, (place, program, _found) in zip(taken, open_at, strict=True):
            if turn:
                program.send(b"1")
                program.wait_for(place.first)
                program.hear(WHOLE)
            program.send(b"ga")
            times.append(program.wait_for(place.newest).last * 1000)
            program.hear(WHOLE)
    for times, (_place, _program, found) in zip(taken, open_at, strict=True):
        found.others["view `all` to its first page"] = _mid(times)


def press_keys(programs: Sequence[tuple[PtyProgram, Figures]], keys: bytes) -> None:
    """Single keys with a rest after each."""
    for number in range(KEYS):
        for program, found in programs:
            heard = program.press(keys[number % len(keys) :][:1], SETTLE)
            found.first.append(heard.first * 1000)
            found.last.append(heard.last * 1000)
            found.moves.append(len(heard.data))
            program.listen(0.15)


def press_at_once(programs: Sequence[tuple[PtyProgram, Figures]], key: bytes) -> None:
    """One key many times at once: in a list that is longer than that."""
    for _ in range(BURSTS):
        for program, found in programs:
            found.burst.append(program.press(key * BURST, SETTLE).last * 1000)
            program.listen(REST)


def seconds_to_a_colleague(made: BenchDesk, home: Path, runs: int) -> list[float]:
    """How long it takes until what one agent does in a console stands on the screen of another."""
    giulia, luca = Place.of(made, home), Place.of(made, home, agent=1)
    names = [agent.name.split()[0].encode() for agent in made.agents[:2]]
    [ticket] = made.desk.read.queue_ids("needs_reply", agent_id=None, now=datetime.now(UTC), limit=1)
    made.desk.perform("assign", made.agents[0].actor(), [ticket], {"assignee": made.agents[1].login})
    taken: list[float] = []
    with console(giulia) as one, console(luca) as other:
        for program, place in ((one, giulia), (other, luca)):
            program.wait_for(place.first)
            program.hear(1.0)
        for _ in range(runs):  # each takes it from the other
            for acting, watching, name in ((one, other, names[0]), (other, one, names[1])):
                acting.send(b"i")
                taken.append(watching.wait_for(name).last)
                acting.listen(REST)
                watching.listen(REST)
    return taken


def _mid(values: Sequence[float]) -> float:
    return statistics.median(values)
