"""Store calls in named threads: the event loop never waits for the database, and hears of the result as a message.

A lane is one thread that works in the order of the calls; writes have one of their own, so that what an agent does is
written in the order in which it was done. A call may replace one of the same key that has not begun.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, TypeVar

from textual.message import Message

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import App

    from supportdesk.tui.refusals import Refusals

Result = TypeVar("Result")

READ, WRITE, LOOK, PRESENCE = "read", "write", "look", "presence"
"""The lanes: what the screen waits for, what changes something, what may come later, who is where."""


class Finished(Message):
    """A call has ended; `deliver` hands its result over on the event loop."""

    def __init__(self, deliver: Callable[[], None]) -> None:
        super().__init__()
        self.deliver = deliver


class Calls:
    """The lanes of one console."""

    def __init__(self, app: App[object], refusals: Refusals | None = None) -> None:
        """`refusals` hears what becomes of every call, on the event loop, before the screen that asked."""
        self._app = app
        self._refusals = refusals
        self._lanes: dict[str, ThreadPoolExecutor] = {}
        self._newest: dict[str, tuple[Future[None], Callable[[], None]]] = {}
        self._closed = False

    def run(
        self,
        lane: str,
        work: Callable[[], Result],
        done: Callable[[Result], None],
        failed: Callable[[Exception], None],
        *,
        replaces: str = "",
        over: Callable[[], None] = lambda: None,
    ) -> None:
        """Do `work` in the lane's thread, then `done` with its result, or `failed`, on the event loop.

        `over` comes last, in any case; that of a call which was replaced when its replacement is over.
        """
        if self._closed:
            return
        if replaces and (waiting := self._newest.get(replaces)) is not None and waiting[0].cancel():
            over = _both(waiting[1], over)
        future = self._lane(lane).submit(self._work, work, done, failed, over, lane)
        if self._refusals is not None:
            self._refusals.begun(lane, future)
        if replaces:
            self._newest[replaces] = future, over

    def finish(self, lane: str, seconds: float) -> None:
        """Wait until everything in the lane has been done, at most so long: for the moment before the process ends."""
        if lane in self._lanes and not self._closed:
            wait([self._lanes[lane].submit(lambda: None)], timeout=seconds)

    def close(self) -> None:
        """Take no more calls; what has begun or was to be written is finished."""
        self._closed = True
        for name, lane in self._lanes.items():
            lane.shutdown(wait=True, cancel_futures=name not in (WRITE, PRESENCE))

    def _lane(self, name: str) -> ThreadPoolExecutor:
        if name not in self._lanes:
            self._lanes[name] = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"desk-{name}")
        return self._lanes[name]

    def _work(
        self,
        work: Callable[[], Result],
        done: Callable[[Result], None],
        failed: Callable[[Exception], None],
        over: Callable[[], None],
        lane: str,
    ) -> None:
        try:
            result = work()
        except Exception as error:  # noqa: BLE001 — whatever broke belongs to the screen that asked, which says so
            broken = error
            self._post(lambda: self._tell(broken, failed), over)
        else:
            self._post(lambda: self._hand_over(lane, result, done), over)

    def _hand_over(self, lane: str, result: Result, done: Callable[[Result], None]) -> None:
        if self._refusals is not None:
            self._refusals.went_well(lane)
        done(result)

    def _tell(self, error: Exception, failed: Callable[[Exception], None]) -> None:
        if self._refusals is not None:
            self._refusals.failed(error)
        failed(error)

    def _post(self, deliver: Callable[[], None], over: Callable[[], None]) -> None:
        def end() -> None:
            try:
                deliver()
            finally:
                over()

        if not self._closed:
            self._app.post_message(Finished(end))


def _both(first: Callable[[], None], second: Callable[[], None]) -> Callable[[], None]:
    def call() -> None:
        first()
        second()

    return call
