"""The console: wiring only. Screens are in screens/, what they show is made in present_*, what they do is the desk's.

The skeleton is painted first; the desk is opened in a thread, and the list is there before anything heavy is imported.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

from textual._compositor import ChopsUpdate
from textual.events import Key, Paste

from supportdesk.errors import SupportdeskError
from supportdesk.l10n.catalog import _, ngettext, use_language
from supportdesk.safetext import safe
from supportdesk.tui import crash
from supportdesk.tui.bell import BellRinger
from supportdesk.tui.calls import LOOK, READ, WRITE, Calls, Finished
from supportdesk.tui.command_history import CommandHistory
from supportdesk.tui.feed import Changed, Feed
from supportdesk.tui.glyphs import ASCII, UNICODE, Glyphs
from supportdesk.tui.keymap import Keymap, compile_keymap, read_keymap
from supportdesk.tui.painted import Painted
from supportdesk.tui.places import Places
from supportdesk.tui.presence import HEARTBEAT, Presence
from supportdesk.tui.present_queue import health, trouble, what_is_unsent
from supportdesk.tui.refusals import Refusals
from supportdesk.tui.screens.base import DeskScreen
from supportdesk.tui.screens.choose import DialogScreen
from supportdesk.tui.session import Session, open_session
from supportdesk.tui.themes import THEMES
from supportdesk.tui.typed_ahead import TypedAhead
from supportdesk.tui.undo_window import UndoWindow
from supportdesk.tui.widgets.bars import StatusPart

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import RenderableType
    from textual import events
    from textual.driver import Driver
    from textual.screen import Screen

    from supportdesk.config import Config
    from supportdesk.desk.results import DeskStatus, Done

MINUTE = 60.0
NOTICE_SECONDS = 5.0
NOTICE_STAYS = 0.7
"""Seconds that a notice outlives the keys of somebody who types on; then the next key takes it away."""

LAST_SAVE_SECONDS = 3.0

Answered = TypeVar("Answered")
Result = TypeVar("Result")


def run_console(
    config: Config, *, start_worker: bool = True, restricted: bool = False, ends_with_console: bool = False
) -> int:
    """Run the console until the agent leaves; the exit code.

    Raises ConfigError for a wrong keymap, and what opening the desk raises. `restricted`: no editor, files or worker.
    `ends_with_console`: the worker ends when the agent leaves (the demo).
    """
    if config.language:
        use_language(config.language)
    console = Console(
        config, keymap=read_keymap(config), start_worker=start_worker and not restricted, restricted=restricted
    )
    console.ends_with_console = ends_with_console
    code = console.run(mouse=config.mouse)
    if console.failure is not None:
        raise console.failure
    return code or console.return_code or 0


class Console(Places, inherit_bindings=False):
    """One console: its session, its threads, its screens."""

    CSS_PATH: ClassVar = [
        "console.tcss",
        "screens/queue.tcss",
        "screens/ticket.tcss",
        "screens/compose.tcss",
        "screens/dialogs.tcss",
    ]
    ENABLE_COMMAND_PALETTE = False

    def __init__(
        self, config: Config, *, keymap: Keymap | None = None, start_worker: bool = True, restricted: bool = False
    ) -> None:
        super().__init__()
        self.config = config
        self.keymap = keymap or compile_keymap()
        self.glyphs: Glyphs = ASCII if config.ascii else UNICODE
        self.restricted = restricted
        self.refusals = Refusals(self)
        self.calls = Calls(self, self.refusals)  # type: ignore[arg-type]
        self.session: Session | None = None
        self.counts: dict[str, int] = {}
        self.notices = -1  # what this agent is told and has not looked at; -1: not counted yet
        self.commands = CommandHistory()
        self.desk_status: DeskStatus | None = None
        self.failure: SupportdeskError | None = None
        self.painted = Painted()
        self.last_key = 0.0
        self._told = 0.0
        self.typed_ahead = TypedAhead(self, super().on_event)
        self._starting = self.typed_ahead.awaiting()
        self.undo_window = UndoWindow(self)
        self.presence = Presence(self)
        self.bell_ringer = BellRinger(self, config.bell)
        self.ends_with_console = False
        self._asks_to_leave = False
        self._has_listed = False
        self._start_worker = start_worker
        self._feed: Feed | None = None
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = config.theme
        self.set_class(config.ascii, "-ascii")

    # ---- start and end

    def get_driver_class(self) -> type[Driver]:
        """Our own, whatever the environment names."""
        from supportdesk.tui.driver import ConsoleDriver

        return ConsoleDriver

    def get_default_screen(self) -> Screen[Any]:
        from supportdesk.tui.screens.queue import QueueScreen

        return QueueScreen()

    def on_mount(self) -> None:
        self.app_resume_signal.subscribe(self, lambda _app: self.painted.forget())
        self.call_after_refresh(self._open_desk)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGHUP, signal.SIGTERM):
            loop.add_signal_handler(number, self.end_now, 128 + number)

    def _open_desk(self) -> None:
        self.run_awaited(
            READ,
            lambda: open_session(self.config, restricted=self.restricted),
            self._opened,
            self._failed_to_open,
        )
        self._starting.over()

    def _opened(self, session: Session) -> None:
        self.session = session
        for screen in self.desk_screens():
            screen.show_status()
            screen.on_session()
        self._feed = Feed(self, session.desk.read, session.feed_position)  # type: ignore[arg-type]
        self._feed.start()
        self.set_interval(MINUTE, self._minute)
        self.set_interval(HEARTBEAT, self.presence.repeat)

    def list_shown(self) -> None:
        """A list is there; after the first one the rest may load what it needs."""
        self.refresh_status()
        session = self.session
        if session is None or self._has_listed:
            return
        self._has_listed = True
        self.refresh_notices()
        if self._start_worker:
            from supportdesk.tui.companion import ensure_worker

            self.calls.run(LOOK, lambda: ensure_worker(session.desk, self.config), lambda _pid: None, self.tell_error)
        from supportdesk.tui.unsaved_edits import what_was_begun

        self.calls.run(LOOK, lambda: what_was_begun(session), self._offer_to_go_on, self.tell_error)

    def _offer_to_go_on(self, begun: list[str]) -> None:
        if begun:
            self.tell("\n".join(begun))

    def _failed_to_open(self, error: Exception) -> None:
        if isinstance(error, SupportdeskError):
            self.failure = error
            self.exit(error.exit_code, return_code=error.exit_code)
        else:
            self.tell_error(error)

    def end_now(self, code: int = 0) -> None:
        """The process is about to be ended from outside: write what is unsaved, then go."""
        self.save_everything()
        self.exit(code, return_code=code)

    def save_everything(self) -> None:
        """Hand what is unsaved to the write lane and wait for it."""
        for screen in self.desk_screens():
            screen.save_now()
        self.calls.finish(WRITE, LAST_SAVE_SECONDS)

    async def on_unmount(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGHUP, signal.SIGTERM):
            loop.remove_signal_handler(number)
        if self._feed is not None:
            self._feed.stop()
        session = self.session
        if session is not None:
            self.presence.leave()
        self.calls.close()
        if session is not None:
            session.desk.read.close()  # wakes the feed
        if self._feed is not None:
            self._feed.join(timeout=2)
        if session is not None:
            session.desk.store.close()

    def leave(self) -> None:
        """Quit; first name what cannot be saved, what is unsent, and who delivers it."""
        text = what_is_unsent(self.desk_status, ends_with_console=self.ends_with_console)
        if self.refusals.is_told and any(screen.is_unsaved for screen in self.desk_screens()):
            text = _("What you wrote cannot be saved now. Whoever leaves loses it.")
        if not text:
            self._quit()
            return
        if self._asks_to_leave:
            return
        self._asks_to_leave = True

        def pressed(key: str | None) -> None:
            self._asks_to_leave = False
            if key == "q":
                self._quit()

        self.show_at_once(DialogScreen(_("Leave?"), text, [("q", _("quit")), ("esc", _("stay"))]), pressed)

    def _quit(self) -> None:
        self.save_everything()
        self.exit(0)

    # ---- messages from threads

    def on_finished(self, message: Finished) -> None:
        if self.is_running:  # while all is taken down there is nothing left to show it in
            message.deliver()

    def on_changed(self, message: Changed) -> None:
        session = self.session
        if session is None or not self.is_running:
            return
        session.forget_changed(None if message.customers else message.tickets)
        self.refresh_status()
        if message.events:
            self.refresh_notices()
        self.undo_window.look()
        for screen in self.desk_screens():
            screen.on_news(message)

    def trouble(self) -> str:
        """What stands in red under the top line."""
        now = self.session.local_now() if self.session is not None else datetime.now(UTC)
        return trouble(self.desk_status, now, self.refusals.words)

    def _minute(self) -> None:
        self.refusals.forget()
        self.refresh_status()
        for screen in self.desk_screens():
            screen.on_minute()

    def refresh_status(self) -> None:
        """Read the counts and the desk's health, and show them where they have changed."""
        session = self.session
        if session is None:
            return

        def work() -> tuple[dict[str, int], DeskStatus]:
            read = session.desk.read
            return read.counts(agent_id=session.agent.id, now=session.now()), session.desk.status()

        def done(found: tuple[dict[str, int], DeskStatus]) -> None:
            self.counts, self.desk_status = found
            for screen in self.desk_screens():
                screen.show_status()

        self.calls.run(LOOK, work, done, self.tell_error, replaces="status")

    def refresh_notices(self) -> None:
        """Count what this agent has not looked at; ring for what is more than before."""
        session = self.session
        if session is None:
            return

        def done(count: int) -> None:
            if 0 <= self.notices < count:
                self.bell_ringer.ring(ngettext("{count} notice", "{count} notices", count).format(count=count))
            if count != self.notices:
                self.notices = count
                for screen in self.desk_screens():
                    screen.show_status()

        self.calls.run(
            LOOK, lambda: len(session.desk.notices(session.agent.id)), done, self.tell_error, replaces="told"
        )

    def status_parts(self) -> tuple[tuple[StatusPart, ...], tuple[StatusPart, ...]]:
        """The top line: the shop and its health, and who sits here."""
        session = self.session
        if session is None:
            return (StatusPart(safe("supportdesk"), "strong"),), ()
        agents = sum(agent.state == "available" for agent in session.agents.values())
        left = (
            StatusPart(safe(session.shop or "supportdesk"), "strong"),
            *health(self.desk_status, self.counts, agents, session.local_now()),
        )
        if self.notices > 0:
            text = ngettext("{count} notice: g n", "{count} notices: g n", self.notices).format(count=self.notices)
            left = (left[0], StatusPart(safe(text), "warning"), *left[1:])
        if (undo := self.undo_window.part()) is not None:
            left = (left[0], undo, *left[1:])
        languages = session.agent.languages[:1]
        return left, tuple(StatusPart(safe(word), "muted") for word in (session.agent.login, *languages))

    # ---- what any screen may ask for

    def desk_screens(self) -> list[DeskScreen[object]]:
        return [screen for screen in self.screen_stack if isinstance(screen, DeskScreen) and screen.is_ready]

    def on_key(self, event: events.Key) -> None:
        """The way out is open in dialogs too; the one that asks whether to leave is asked once."""
        if event.key == "ctrl+q":
            self.leave()

    async def on_event(self, event: events.Event) -> None:
        """A key takes away the notice of what was done before it."""
        if isinstance(event, Key) and self._notifications and time.monotonic() - self._told > NOTICE_STAYS:
            self.clear_notifications()
        leaves = isinstance(event, Key) and event.key == "ctrl+q"  # the way out waits for nothing
        if isinstance(event, Key | Paste) and not event.is_forwarded and not leaves:
            await self.typed_ahead.hear(event)
        else:
            await super().on_event(event)

    def key_pressed(self) -> None:
        self.last_key = time.monotonic()

    def tell(self, text: str, *, severity: str = "information") -> None:
        """A notice at the edge of the screen; the newest replaces the one before."""
        if severity != "information" and (dropped := self.typed_ahead.drop_unless_text()):
            text = f"{text} · {dropped}"
        self.clear_notifications()
        self._told = time.monotonic()
        self.notify(text, severity=severity, timeout=NOTICE_SECONDS)  # type: ignore[arg-type]

    def tell_sent(self, done: Done) -> None:
        """Say what was sent, and count down how long it can be taken back."""
        self.tell(done.notice)
        self.undo_window.watch(done.outbox_id)

    def tell_error(self, error: Exception) -> None:
        """A known error is told; an unknown one ends the console, which saves what was written (`_fatal_error`)."""
        if not isinstance(error, SupportdeskError):
            raise error
        self.tell(" · ".join(part for part in (error.message, error.hint) if part), severity="error")

    # ---- painting

    def on_resize(self) -> None:
        self.painted.forget()

    def _display(self, screen: Screen[object], renderable: RenderableType | None) -> None:
        """Send what a repaint changes, and nothing else."""
        if isinstance(renderable, ChopsUpdate) and len({span[0] for span in renderable.spans}) > self.size.height // 3:
            renderable = screen._compositor.render_full_update()
        super()._display(screen, cast("RenderableType", self.painted.sparing(renderable, self.size.width)))

    def show_at_once(self, screen: Screen[Answered], answered: Callable[[Answered | None], None] | None = None) -> None:
        """Put a screen in front and paint it once, when everything on it is in its place; the keys wait for it."""
        ahead = self.typed_ahead
        here = ahead.awaiting()

        def hear(answer: Answered | None) -> None:
            if answered is not None:
                with ahead.following():
                    answered(answer)

        async def put() -> None:
            with self.batch_update():
                await self.push_screen(screen, hear)
            here.over()

        self.call_next(put)

    def run_awaited(
        self,
        lane: str,
        work: Callable[[], Result],
        done: Callable[[Result], None],
        failed: Callable[[Exception], None],
        *,
        replaces: str = "",
        is_rows: bool = False,
    ) -> None:
        """Do `work` in a lane's thread, then `done` or `failed`; the keys wait for it, and for what these begin."""
        ahead = self.typed_ahead
        awaited = ahead.awaiting(is_rows=is_rows)

        def deliver(result: Result) -> None:
            with ahead.following(is_text=awaited.is_text):
                done(result)

        def fail(error: Exception) -> None:
            is_text = awaited.is_text
            awaited.fails()
            with ahead.following(is_text=is_text):
                failed(error)

        self.calls.run(lane, work, deliver, fail, replaces=replaces, over=awaited.over)

    # ---- the crash

    def _fatal_error(self) -> None:
        """Textual's own prints local variables: addresses, passwords. The story goes to a private log, after saving."""
        error, unsaved = sys.exception(), list[Exception]()
        is_saved = self._save_at_last(unsaved)
        self._exit_renderables.append(crash.report(self.config, error, unsaved, is_saved=is_saved))
        self._close_messages_no_wait()

    def _save_at_last(self, unsaved: list[Exception]) -> bool:
        """Save what can be saved of a console that broke; what goes wrong meanwhile is put with `unsaved`."""
        from supportdesk.tui.screens.writing import WritingScreen

        screens, stored = self.desk_screens(), list[bool]()
        steps: list[Callable[[], None]] = [
            *(screen.save_now for screen in screens),
            lambda: self.calls.finish(WRITE, LAST_SAVE_SECONDS),
            lambda: stored.extend(screen.is_stored for screen in screens if isinstance(screen, WritingScreen)),
        ]
        for step in steps:
            try:
                step()
            except Exception as error:  # noqa: BLE001 — it goes to the log beside what broke the console
                unsaved.append(error)
        return not unsaved and all(stored)
