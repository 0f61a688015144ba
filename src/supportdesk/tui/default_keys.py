"""The keys as they come, as data: sequence → action id, place by place. `keymap` compiles them with the agent's own.

The ids of what changes a ticket are those of `desk.actions`; the others are the console's view actions. A key is
written as on the screen: `j`, `G`, `^d`, `enter`, `g m`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from supportdesk.l10n.catalog import N_

BROWSE: Final = ("list", "ticket")
LISTS: Final = ("outbox", "drafts", "parked", "views", "settings")
ROWS: Final = (*BROWSE, *LISTS)
TEXT: Final = ("compose", "note")
SCREENS: Final = (*ROWS, "calendar")
EVERYWHERE: Final = (*SCREENS, *TEXT, "review")


@dataclass(frozen=True, slots=True)
class Binding:
    """A key sequence in some places. `label` is a msgid; lower `priority` stays longer in the hint bar, 0 never is."""

    keys: str
    action: str
    label: str
    contexts: tuple[str, ...] = BROWSE
    priority: int = 0


DEFAULT_BINDINGS: Final[tuple[Binding, ...]] = (
    Binding("j", "down", N_("down"), ROWS),
    Binding("down", "down", N_("down"), ROWS),
    Binding("k", "up", N_("up"), ROWS),
    Binding("up", "up", N_("up"), ROWS),
    Binding("^d", "half_page_down", N_("half a page down"), ROWS),
    Binding("pagedown", "half_page_down", N_("half a page down"), ROWS),
    Binding("^u", "half_page_up", N_("half a page up"), ROWS),
    Binding("pageup", "half_page_up", N_("half a page up"), ROWS),
    Binding("g g", "first", N_("to the start"), ROWS),
    Binding("home", "first", N_("to the start"), ROWS),
    Binding("G", "last", N_("to the end"), ROWS),
    Binding("end", "last", N_("to the end"), ROWS),
    Binding("enter", "open", N_("open it"), ROWS, priority=1),
    Binding("o", "open", N_("open it"), ROWS),
    Binding("q", "back", N_("back"), SCREENS, priority=9),
    Binding("esc", "back", N_("back"), SCREENS),
    Binding("J", "next_ticket", N_("next ticket")),
    Binding("K", "previous_ticket", N_("previous ticket")),
    Binding("r", "reply", N_("reply"), priority=1),
    Binding("c", "new", N_("new conversation"), priority=8),
    Binding("N", "dismiss", N_("no reply needed"), priority=6),
    Binding("n", "note", N_("note"), priority=3),
    Binding("f", "forward", N_("forward"), priority=8),
    Binding("a", "assign", N_("assign"), priority=2),
    Binding("i", "take", N_("take"), priority=2),
    Binding("T", "take_next", N_("take the most urgent"), priority=7),
    Binding("s", "snooze", N_("snooze"), priority=3),
    Binding("e", "solve", N_("solve"), priority=2),
    Binding("t", "tag", N_("tag"), priority=4),
    Binding("p", "priority", N_("priority"), priority=7),
    Binding("S", "status", N_("status"), priority=7),
    Binding("m", "merge", N_("merge"), priority=8),
    Binding("!", "spam", N_("spam"), priority=8),
    Binding("W", "follow", N_("follow"), priority=9),
    Binding("u", "undo", N_("undo"), priority=3),
    Binding("z", "undo", N_("undo")),
    Binding("U", "cancel_send", N_("cancel the last send"), priority=7),
    Binding("x", "select", N_("select"), ("list",), priority=6),
    Binding("v", "select_range", N_("select a range"), ("list",), priority=8),
    Binding("* a", "select_all", N_("select all"), ("list",)),
    Binding("* n", "select_none", N_("select none"), ("list",)),
    Binding("/", "filter", N_("filter"), priority=2),
    Binding("g /", "search", N_("search all tickets")),
    Binding("g m", "go_mine", N_("mine")),
    Binding("g u", "go_unassigned", N_("unassigned")),
    Binding("g a", "go_all", N_("all")),
    Binding("g s", "go_snoozed", N_("snoozed")),
    Binding("g d", "go_drafts", N_("drafts")),
    Binding("g v", "go_views", N_("all views")),
    Binding("g V", "edit_views", N_("change the saved views"), ("list",)),
    Binding("g +", "save_view", N_("save the filter as a view"), ("list",)),
    Binding("g o", "go_outbox", N_("outbox")),
    Binding("g p", "go_parked", N_("parked")),
    Binding("g c", "go_calendar", N_("opening hours")),
    Binding("g ,", "go_settings", N_("settings")),
    *(Binding(str(number), f"view_{number}", N_("view")) for number in range(1, 10)),
    Binding("L", "language", N_("language")),
    Binding("R", "raw", N_("raw message")),
    Binding("E", "timeline", N_("timeline")),
    Binding("h", "history", N_("full history")),
    Binding("l", "links", N_("links")),
    Binding("@", "attachments", N_("attachments")),
    Binding("^f", "find", N_("find")),
    Binding("space", "fold", N_("open the folds"), ("ticket",), priority=6),
    Binding("y n", "copy_number", N_("copy the number")),
    Binding("y t", "copy_title", N_("copy the title")),
    Binding("y a", "copy_address", N_("copy the address")),
    Binding("|", "translate", N_("translate")),
    Binding("^l", "refresh", N_("show what is new"), priority=6),
    Binding("?", "help", N_("help"), SCREENS, priority=1),
    Binding(":", "command", N_("command"), priority=4),
    Binding("f1", "help", N_("help"), (*TEXT, "review"), priority=9),
    Binding("^p", "palette", N_("palette"), EVERYWHERE),
    Binding("^q", "quit", N_("quit"), EVERYWHERE, priority=9),
    Binding("^r", "canned", N_("canned response"), ("compose",), priority=2),
    Binding("^g", "editor", N_("external editor"), TEXT, priority=3),
    Binding("^t", "attach", N_("attach a file"), ("compose",), priority=4),
    Binding("^y", "detach", N_("take a file off"), ("compose",), priority=8),
    Binding("pageup", "half_page_up", N_("conversation up"), TEXT, priority=4),
    Binding("pagedown", "half_page_down", N_("conversation down"), TEXT, priority=5),
    Binding("^s", "review", N_("review and send"), ("compose",), priority=1),
    Binding("^s", "save_note", N_("save the note"), ("note",), priority=1),
    Binding("esc", "leave", N_("back, the text is kept"), TEXT, priority=2),
    Binding("y", "send", N_("send"), ("review",), priority=1),
    Binding("e", "send_and_solve", N_("send and solve"), ("review",), priority=1),
    Binding("s", "send_and_snooze", N_("send and snooze"), ("review",), priority=2),
    Binding("b", "send_and_ask_again", N_("send and ask again"), ("review",), priority=2),
    Binding("l", "send_later", N_("send later"), ("review",), priority=3),
    Binding("esc", "edit", N_("edit"), ("review",), priority=1),
    Binding("enter", "say_how_to_send", N_("how it is sent"), ("review",)),
    Binding("r", "deliver_again", N_("send again"), ("outbox",), priority=1),
    Binding("m", "mark_sent", N_("it was sent"), ("outbox",), priority=1),
    Binding("U", "cancel_send", N_("take back"), ("outbox",), priority=2),
    Binding("x", "discard", N_("discard"), ("drafts",), priority=2),
    Binding("u", "undo", N_("undo"), (*LISTS, "calendar"), priority=3),
    Binding("r", "rename_view", N_("rename"), ("views",), priority=1),
    Binding("e", "edit_query", N_("change the query"), ("views",), priority=1),
    Binding("J", "move_view_down", N_("further down"), ("views",), priority=3),
    Binding("K", "move_view_up", N_("further up"), ("views",), priority=3),
    Binding("S", "share_view", N_("share, or make it yours"), ("views",), priority=2),
    Binding("x", "remove_view", N_("remove"), ("views",), priority=2),
    Binding("h", "day_before", N_("a day back"), ("calendar",)),
    Binding("left", "day_before", N_("a day back"), ("calendar",)),
    Binding("l", "day_after", N_("a day on"), ("calendar",)),
    Binding("right", "day_after", N_("a day on"), ("calendar",)),
    Binding("j", "down", N_("a week on"), ("calendar",)),
    Binding("down", "down", N_("a week on"), ("calendar",)),
    Binding("k", "up", N_("a week back"), ("calendar",)),
    Binding("up", "up", N_("a week back"), ("calendar",)),
    Binding("pagedown", "month_after", N_("next month"), ("calendar",)),
    Binding("^d", "month_after", N_("next month"), ("calendar",), priority=6),
    Binding("pageup", "month_before", N_("month before"), ("calendar",)),
    Binding("^u", "month_before", N_("month before"), ("calendar",), priority=6),
    Binding("t", "today", N_("today"), ("calendar",), priority=7),
    Binding("c", "close_days", N_("close"), ("calendar",), priority=1),
    Binding("o", "open_days", N_("open specially"), ("calendar",), priority=1),
    Binding("x", "remove_planned", N_("remove"), ("calendar",), priority=2),
    Binding("w", "edit_week", N_("the week"), ("calendar",), priority=2),
    Binding("p", "edit_holidays", N_("public holidays"), ("calendar",), priority=4),
    Binding("z", "edit_zone", N_("time zone"), ("calendar",), priority=5),
    Binding("m", "other_hours", N_("whose hours"), ("calendar",), priority=4),
    Binding("r", "release", N_("make it a ticket"), ("parked",), priority=1),
    Binding("R", "raw", N_("raw message"), ("parked",), priority=2),
)
