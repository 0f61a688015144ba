"""The canned responses of the desk: reading, changing, removing and importing them. Each change can be undone.

The texts live in the database; `canned.version` grows with each change, so that nobody writes over a colleague's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from supportdesk.desk.agents import check_actor
from supportdesk.desk.canned import CannedFile, CannedResponse, Entry
from supportdesk.desk.canned_folder import differences
from supportdesk.desk.canned_meta import build_response, response_meta, variant_meta
from supportdesk.desk.ports import Change, Delete, Insert, NewRef, Plan, PlannedEvent, Transaction, Update
from supportdesk.desk.results import Done
from supportdesk.desk.settings import new_action_id
from supportdesk.desk.turns import again_if_busy
from supportdesk.errors import Conflict, NotFound, UsageError
from supportdesk.l10n.catalog import _

if TYPE_CHECKING:
    from supportdesk.desk.canned_folder import Difference
    from supportdesk.desk.desk import Desk
    from supportdesk.desk.drafts import Rows
    from supportdesk.desk.model import Actor
    from supportdesk.desk.ports import Reader, Row

EVENTS = ("canned_saved", "canned_removed", "canned_imported")
LOOK_BACK = 50  # events: how far a conflict looks for who it was
_ORDER, _FILES = "_order", "_files"  # a JSON column keeps its keys sorted, and knows the files by their blobs

LoadFile = Callable[[str, CannedFile], bytes]


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import changes, or would change; `gone` are entries that the folder lacks and that were kept."""

    changes: tuple[Difference, ...]
    gone: tuple[str, ...] = ()
    done: Done | None = None


def list_canned(reader: Reader) -> tuple[CannedResponse, ...]:
    """Every entry by key, fragments and automatic texts too."""
    return tuple(entry.response for entry in _entries(reader))


def list_entries(reader: Reader) -> tuple[Entry, ...]:
    """Every entry by key, with how it is used."""
    used = reader.canned_uses()
    return tuple(
        Entry(entry.response, entry.version, *used.get(entry.response.key, (0, 0))) for entry in _entries(reader)
    )


def find_canned(source: Rows, key: str) -> CannedResponse:
    """The entry of that key or shortcut. Raises NotFound."""
    return find_entry(source, key).response


def find_entry(source: Rows, key: str) -> Entry:
    """The same with its version, without the counts."""
    found = source.rows("canned", {"key": key})
    if not found:
        found = [row for row in source.rows("canned") if (row["meta"] or {}).get("shortcut") == key]
    if not found:
        raise NotFound(_("there is no canned response {key}").format(key=key), hint="supportdesk canned list")
    return _entry(found[0], source.rows("canned_variant", {"canned_id": found[0]["id"]}))


def find_fragments(source: Rows, keys: Iterable[str]) -> dict[str, CannedResponse]:
    """The fragments among these keys."""
    found: dict[str, CannedResponse] = {}
    for key in keys:
        try:
            entry = find_canned(source, key)
        except NotFound:
            continue
        if entry.fragment and entry.key == key:
            found[key] = entry
    return found


@again_if_busy
def save(desk: Desk, actor: Actor, response: CannedResponse, version: int) -> Done:
    """Store a response that was read at `version`; 0: it is new. Raises Conflict naming who was faster, UsageError."""
    _check_whole(desk, (response,))
    with desk.store.transaction() as tx:
        check_actor(tx, actor, "lead")
        row = next(iter(tx.rows("canned", {"key": response.key})), None)
        if (row["version"] if row is not None else 0) != version:
            raise _conflict(desk, response.key, row)
        _check_shortcuts(tx, (response,))
        action_id = new_action_id()
        event = PlannedEvent(None, "canned_saved")
        tx.apply(Plan(changes=tuple(_replace(tx, response)), events=(event,)), actor, action_id)
    return Done(action_id, (), _("Saved the canned response {key}").format(key=response.key))


@again_if_busy
def remove(desk: Desk, actor: Actor, key: str, version: int) -> Done:
    """Remove a response that was read at `version`; an undo brings it back."""
    with desk.store.transaction() as tx:
        check_actor(tx, actor, "lead")
        row = next(iter(tx.rows("canned", {"key": key})), None)
        if row is None or row["version"] != version:
            raise _conflict(desk, key, row)
        action_id = new_action_id()
        tx.apply(
            Plan(changes=tuple(_removal(tx, row)), events=(PlannedEvent(None, "canned_removed"),)), actor, action_id
        )
    return Done(action_id, (), _("Removed the canned response {key}").format(key=key))


@again_if_busy
def import_responses(
    desk: Desk,
    actor: Actor,
    responses: Sequence[CannedResponse],
    *,
    dry_run: bool = False,
    delete: bool = False,
    load: LoadFile | None = None,
) -> Imported:
    """Insert or replace by key, all or nothing; with `delete` what is not among them goes.

    `load` reads a response's file, so that its bytes are durable before the row that names them.
    """
    stored = {response.key: response for response in list_canned(desk.read)}
    wanted = {response.key: response for response in responses}
    changed = [response for response in responses if stored.get(response.key) != response]
    gone = tuple(key for key in stored if key not in wanted)
    found = differences(stored, {**wanted, **({} if delete else {key: stored[key] for key in gone})})
    kept = () if delete else gone
    if dry_run or not found:
        return Imported(found, kept)
    _check_whole(desk, changed)
    for response in changed:
        _keep_files(desk, response, load)
    with desk.store.transaction() as tx:
        check_actor(tx, actor, "lead")
        changes: list[Change] = []
        for key in gone if delete else ():
            changes += _removal(tx, tx.rows("canned", {"key": key})[0])
        for response in changed:
            changes += _replace(tx, response)
        _check_shortcuts(tx, changed, without=gone if delete else ())
        action_id = new_action_id()
        tx.apply(Plan(changes=tuple(changes), events=(PlannedEvent(None, "canned_imported"),)), actor, action_id)
    return Imported(found, kept, Done(action_id, (), _("The canned responses were imported")))


# ---- rows ------------------------------------------------------------------------------------------------------------


def _entries(reader: Reader) -> list[Entry]:
    variants: dict[int, list[Row]] = {}
    for row in reader.rows("canned_variant", order="tag"):
        variants.setdefault(row["canned_id"], []).append(row)
    return [_entry(row, variants.get(row["id"], ())) for row in reader.rows("canned", order="key")]


def _entry(row: Row, variants: Sequence[Row]) -> Entry:
    files: dict[str, CannedFile] = {}
    stored = [(item["tag"], _from_column(item["meta"], files), item["body"]) for item in variants]
    return Entry(build_response(row["key"], _from_column(row["meta"], files), stored, files), row["version"])


def _replace(tx: Transaction, response: CannedResponse) -> list[Change]:
    found = next(iter(tx.rows("canned", {"key": response.key})), None)
    meta = _to_column(response_meta(response), response.files)
    wanted = {
        str(variant.tag): {"meta": _to_column(variant_meta(variant), variant.files), "body": variant.body}
        for variant in response.variants
    }
    if found is None:
        ref = NewRef(f"canned {response.key}")
        rows = [Insert("canned_variant", {"canned_id": ref, "tag": tag, **row}) for tag, row in wanted.items()]
        return [Insert("canned", {"key": response.key, "meta": meta}, ref), *rows]
    here = found["id"]
    changes: list[Change] = [Update("canned", {"id": here}, {"meta": found["meta"]}, {"meta": meta})]
    for row in tx.rows("canned_variant", {"canned_id": here}):
        key = {"canned_id": here, "tag": row["tag"]}
        before = {"meta": row["meta"], "body": row["body"]}
        if (after := wanted.pop(row["tag"], None)) is None:
            changes.append(Delete("canned_variant", key, dict(row)))
        elif before != after:
            changes.append(Update("canned_variant", key, before, after))
    return changes + [Insert("canned_variant", {"canned_id": here, "tag": tag, **row}) for tag, row in wanted.items()]


def _removal(tx: Transaction, row: Row) -> list[Change]:
    variants = tx.rows("canned_variant", {"canned_id": row["id"]})
    gone = [Delete("canned_variant", {"canned_id": row["id"], "tag": one["tag"]}, dict(one)) for one in variants]
    return [*gone, Delete("canned", {"id": row["id"]}, dict(row))]


def _to_column(meta: Mapping[str, Any], files: Sequence[CannedFile]) -> dict[str, Any]:
    column = _ordered(meta)
    return {**column, _FILES: {file.name: [file.sha, file.size] for file in files}} if files else column


def _from_column(column: Mapping[str, Any] | None, files: dict[str, CannedFile]) -> dict[str, Any]:
    meta = dict(column or {})
    for name, (sha, size) in meta.pop(_FILES, {}).items():
        files[name] = CannedFile(name, sha, size)
    return _in_order(meta)


def _ordered(table: Mapping[str, Any]) -> dict[str, Any]:
    plain = {key: _ordered(value) if isinstance(value, Mapping) else value for key, value in table.items()}
    return plain if list(plain) == sorted(plain) else {**plain, _ORDER: list(plain)}


def _in_order(table: Mapping[str, Any]) -> dict[str, Any]:
    names = table.get(_ORDER) or sorted(table)
    return {name: _in_order(table[name]) if isinstance(table[name], Mapping) else table[name] for name in names}


# ---- checks ----------------------------------------------------------------------------------------------------------


def _check_whole(desk: Desk, responses: Sequence[CannedResponse]) -> None:
    """What cannot be stored: a text that is no template, somebody to assign to who is not there."""
    from supportdesk.desk.templates import placeholders

    logins = {agent.login for agent in desk.agents()}
    for response in responses:
        for variant in response.variants:
            try:
                placeholders(variant)
            except UsageError as error:
                raise UsageError(f"{response.key}/{variant.tag}: {error.message}", hint=error.hint) from error
        if response.then.assign not in ("", "me", *logins):
            message = _("{key}: there is no agent {login}").format(key=response.key, login=response.then.assign)
            raise UsageError(message, hint=", ".join(sorted(logins)))


def _check_shortcuts(tx: Transaction, responses: Sequence[CannedResponse], without: Sequence[str] = ()) -> None:
    """Two responses cannot have the same shortcut, nor one the other's key."""
    own = {response.key: response.shortcut for response in responses}
    rows = [row for row in tx.rows("canned") if row["key"] not in own and row["key"] not in without]
    taken = {row["key"]: (row["meta"] or {}).get("shortcut", "") for row in rows} | own
    for key, shortcut in own.items():
        other = next((name for name, word in taken.items() if name != key and shortcut in (name, word)), "")
        if shortcut and other:
            raise Conflict(_("the shortcut {shortcut} belongs to {key}").format(shortcut=shortcut, key=other))


def _keep_files(desk: Desk, response: CannedResponse, load: LoadFile | None) -> None:
    for file in {*response.files, *(file for variant in response.variants for file in variant.files)}:
        if load is not None:
            desk.blobs.put(load(response.key, file))


def _conflict(desk: Desk, key: str, row: Row | None) -> Conflict:
    """Somebody else changed, added or removed it: who and when, as the log says."""
    for event in desk.read.rows("event", {"ticket_id": None, "kind": list(EVENTS)}, order="-seq", limit=LOOK_BACK):
        for _event, body in desk.read.event_details(event["action_id"]):
            for change in body["changes"]:
                values = {
                    **getattr(change, "key", {}),
                    **getattr(change, "values", {}),
                    **getattr(change, "before", {}),
                }
                if change.table == "canned" and (values.get("key") == key or (row and values.get("id") == row["id"])):
                    agents = {agent.id: agent.name or agent.login for agent in desk.agents()}
                    who: str = agents.get(event["actor_id"]) or event["actor_kind"]
                    message = _("{who} changed {key} meanwhile").format(who=who, key=key)
                    return Conflict(message, who=who, what=key, when=event["at"])
    return Conflict(_("{key} was changed meanwhile").format(key=key), what=key)
