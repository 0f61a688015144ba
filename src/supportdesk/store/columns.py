"""The columns of every table, for code that must not import SQLAlchemy: names, kinds, keys.

One line a table: `*` marks the primary key; a kind follows the colon (text where there is none, `id` for an identity).
A test compares this map with `store.tables`. Nothing outside it ever becomes part of a statement.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from supportdesk.errors import UsageError

_SCHEMA: Final = """
agent: *id:id login name role languages:json state away_until:time ssh_key email created_at:time version:int
attachment: *id:id message_id:int outbox_id:int part name content_type size:int inline:flag content_id blob_sha
blob: *sha256 size:int chunks:int created_at:time
blob_chunk: *sha256 *n:int data:bytes
calendar: *id:id name body:json version:int
canned: *id:id key meta:json version:int
canned_variant: *canned_id:int *tag meta:json body
customer: *id:id name language language_source region register zone market_id:int merged_into:int note created_at:time
    version:int
customer_identity: *id:id customer_id:int kind value value_norm bounced_at:time bounce verdict
delivery: *id:id folder_id:int uidvalidity:int uid:int raw_sha size:int internal_date:time fetched_at:time
    historic:flag imported:flag outcome reason message_id:int processed_at:time attempts:int error
dismissal: *id:id ticket_id:int up_to_seq:int reason agent_id:int at:time undone:flag
event: *seq:id action_id ticket_id:int actor_kind actor_id:int kind at:time data:json txid:int
event_detail: *event_seq:int body:json
folder: *id:id mailbox_id:int name role uidvalidity:int last_uid:int last_pass_at:time missing:int error
    error_since:time
lease: *name owner epoch:int until:time heartbeat_at:time info:json
mailbox: *id:id address name shop_name aliases:json imap:json smtp:json state languages:json language register zone
    calendar_id:int market_id:int canned_set order_pattern signatures:json settings:json start_at:time error
    error_since:time version:int
market: *id:id code countries:json locale register currency zone calendar_id:int
message: *id:id ticket_id:int seq:int channel direction kind author_kind agent_id:int identity_id:int author_name
    external_id received_at:time created_at:time historic:flag subject body body_source folds:json links:json language
    outbox_id:int evidence:json badges:json
message_mail: *message_id:int mailbox_id:int raw_sha message_id_norm in_reply_to references:json thread_root
    fingerprint from_name from_address reply_to:json sender_check
message_recipient: *id:id message_id:int role address name state detail
message_text: *message_id:int folded
outbox: *id:id ticket_id:int agent_id:int mailbox_id:int kind state stage subject body in_reply_to:int seen_seq:int
    seq:int language quote:flag canned_key canned_sha canned_edited:flag after_status ask_again:flag message_id_header
    built_sha action_id
    created_at:time updated_at:time held_at:time not_before:time next_try:time first_try_at:time sent_at:time
    discarded_at:time attempts:int error server_reply lease_owner lease_epoch:int lease_until:time sent_copy
    version:int
outbox_recipient: *id:id outbox_id:int role address name state detail
parked: *delivery_id:int reason sender subject received_at:time evidence:json looked_at:time released_at:time
participant: *id:id ticket_id:int identity_id:int role
presence: *ticket_id:int *agent_id:int *console mode at:time
saved_view: *id:id name query agent_id:int position:int
setting: *key value:json
signing_key: *id:id secret:bytes created_at:time retired_at:time
sla_snapshot: *id:id digest body:json
team: *id:id name
team_member: *team_id:int *agent_id:int
ticket: *id:id subject status priority kind mailbox_id:int market_id:int customer_id:int assignee_id:int team_id:int
    language language_source created_at:time updated_at:time version:int seq:int waiting_since:time
    last_message_at:time first_response_at:time solved_at:time closed_at:time due_at:time first_due:time next_due:time
    resolution_due:time announce_at:time sla_id:int snoozed_until:time snooze_mode snooze_reason snoozed_by:int
    on_hold_until:time merged_into:int merged_at:time follow_up_of:int split_from:int suggested_id:int
    reopened_count:int auto_solved:flag order_number message_count:int has_attachment:flag badges:json
ticket_follow: *ticket_id:int *agent_id:int following:flag told_event:int mentioned_by:int mentioned_at:time
ticket_seen: *ticket_id:int *agent_id:int seq:int
ticket_tag: *ticket_id:int *tag
view_count: *view *agent_id:int tickets:int
view_count_delta: *id:id view agent_id:int delta:int
"""


@dataclass(frozen=True, slots=True)
class TableColumns:
    """One table: its columns with their kinds (text, int, time, json, flag, bytes), in order."""

    name: str
    kinds: dict[str, str]
    key: tuple[str, ...]
    identity: str  # the column that the database numbers, or ""

    def check(self, column: str) -> str:
        """The column's kind. Raises UsageError for a name that is not a column of this table."""
        try:
            return self.kinds[column]
        except KeyError:
            raise UsageError(f"{self.name} has no column {column!r}") from None


def _parse(schema: str) -> dict[str, TableColumns]:
    tables: dict[str, TableColumns] = {}
    for entry in schema.strip().replace("\n    ", " ").splitlines():
        name, _, columns = entry.partition(": ")
        kinds: dict[str, str] = {}
        key: list[str] = []
        identity = ""
        for word in columns.split():
            column, _, kind = word.lstrip("*").partition(":")
            kinds[column] = "int" if kind == "id" else kind or "text"
            if word[0] == "*":
                key.append(column)
            if kind == "id":
                identity = column
        tables[name] = TableColumns(name, kinds, tuple(key), identity)
    return tables


TABLES: Final = _parse(_SCHEMA)


def table(name: str) -> TableColumns:
    """The table of that name. Raises UsageError."""
    try:
        return TABLES[name]
    except KeyError:
        raise UsageError(f"there is no table {name!r}") from None
