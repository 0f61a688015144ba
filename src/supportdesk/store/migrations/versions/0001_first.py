"""The first schema: mail in, the shared queue, replies out."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP

revision = "0001_first"
down_revision = None
branch_labels = None
depends_on = None

TIME = sa.Text().with_variant(TIMESTAMP(timezone=True, precision=6), "postgresql")


def identity(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), sa.Identity(always=False), nullable=False)


def words(name: str, default: str = "") -> sa.Column[str]:
    return sa.Column(name, sa.Text(), server_default=default, nullable=False)


def number(name: str, default: str = "0", kind: sa.types.TypeEngine[int] | None = None) -> sa.Column[int]:
    return sa.Column(name, kind or sa.Integer(), server_default=sa.text(default), nullable=False)


def partial_index(name: str, table: str, columns: list[str], where: str, *, unique: bool = False) -> None:
    condition = sa.text(where)
    op.create_index(name, table, columns, unique=unique, sqlite_where=condition, postgresql_where=condition)


def upgrade() -> None:
    op.create_table(
        "agent",
        identity("id"),
        sa.Column("login", sa.Text(), nullable=False),
        words("name"),
        words("role", "agent"),
        words("languages", "[]"),
        words("state", "available"),
        sa.Column("away_until", TIME, nullable=True),
        words("ssh_key"),
        words("email"),
        sa.Column("created_at", TIME, nullable=False),
        number("version", "1"),
        sa.CheckConstraint("role IN ('agent', 'lead', 'admin')", name="ck_agent_role_known"),
        sa.CheckConstraint("state IN ('available', 'away', 'disabled')", name="ck_agent_state_known"),
        sa.PrimaryKeyConstraint("id", name="pk_agent"),
        sa.UniqueConstraint("login", name="uq_agent_login"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "blob",
        sa.Column("sha256", sa.Text(), nullable=False),
        number("size", "0", sa.BigInteger()),
        number("chunks"),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("sha256", name="pk_blob"),
    )
    op.create_table(
        "blob_chunk",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", "n", name="pk_blob_chunk"),
    )
    op.create_table(
        "calendar",
        identity("id"),
        sa.Column("name", sa.Text(), nullable=False),
        words("body", "{}"),
        number("version", "1"),
        sa.PrimaryKeyConstraint("id", name="pk_calendar"),
        sa.UniqueConstraint("name", name="uq_calendar_name"),
    )
    op.create_table(
        "canned",
        identity("id"),
        sa.Column("key", sa.Text(), nullable=False),
        words("meta", "{}"),
        number("version", "1"),
        sa.PrimaryKeyConstraint("id", name="pk_canned"),
        sa.UniqueConstraint("key", name="uq_canned_key"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "lease",
        sa.Column("name", sa.Text(), nullable=False),
        words("owner"),
        number("epoch"),
        sa.Column("until", TIME, nullable=False),
        sa.Column("heartbeat_at", TIME, nullable=False),
        words("info", "{}"),
        sa.PrimaryKeyConstraint("name", name="pk_lease"),
    )
    op.create_table(
        "setting",
        sa.Column("key", sa.Text(), nullable=False),
        words("value", "null"),
        sa.PrimaryKeyConstraint("key", name="pk_setting"),
    )
    op.create_table(
        "signing_key",
        identity("id"),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("retired_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_signing_key"),
    )
    op.create_table(
        "sla_snapshot",
        identity("id"),
        sa.Column("digest", sa.Text(), nullable=False),
        words("body", "{}"),
        sa.PrimaryKeyConstraint("id", name="pk_sla_snapshot"),
        sa.UniqueConstraint("digest", name="uq_sla_snapshot_digest"),
    )
    op.create_table(
        "team",
        identity("id"),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_team"),
        sa.UniqueConstraint("name", name="uq_team_name"),
    )
    op.create_table(
        "view_count",
        sa.Column("view", sa.Text(), nullable=False),
        sa.Column("agent_id", sa.Integer(), autoincrement=False, nullable=False),
        number("tickets"),
        sa.PrimaryKeyConstraint("view", "agent_id", name="pk_view_count"),
    )
    op.create_table(
        "view_count_delta",
        identity("id"),
        words("view"),
        number("agent_id"),
        number("delta"),
        sa.PrimaryKeyConstraint("id", name="pk_view_count_delta"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "canned_variant",
        sa.Column("canned_id", sa.Integer(), nullable=False),
        sa.Column("tag", sa.Text(), nullable=False),
        words("meta", "{}"),
        words("body"),
        sa.ForeignKeyConstraint(["canned_id"], ["canned.id"], name="fk_canned_variant_canned_id_canned"),
        sa.PrimaryKeyConstraint("canned_id", "tag", name="pk_canned_variant"),
    )
    op.create_table(
        "market",
        identity("id"),
        sa.Column("code", sa.Text(), nullable=False),
        words("countries", "[]"),
        words("locale"),
        words("register"),
        words("currency"),
        words("zone", "UTC"),
        sa.Column("calendar_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["calendar_id"], ["calendar.id"], name="fk_market_calendar_id_calendar"),
        sa.PrimaryKeyConstraint("id", name="pk_market"),
        sa.UniqueConstraint("code", name="uq_market_code"),
    )
    op.create_table(
        "saved_view",
        identity("id"),
        words("name"),
        words("query"),
        sa.Column("agent_id", sa.Integer(), nullable=True),
        number("position"),
        sa.ForeignKeyConstraint(["agent_id"], ["agent.id"], name="fk_saved_view_agent_id_agent"),
        sa.PrimaryKeyConstraint("id", name="pk_saved_view"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "team_member",
        sa.Column("team_id", sa.Integer(), nullable=False),
        sa.Column("agent_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["agent_id"], ["agent.id"], name="fk_team_member_agent_id_agent"),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name="fk_team_member_team_id_team"),
        sa.PrimaryKeyConstraint("team_id", "agent_id", name="pk_team_member"),
    )
    op.create_table(
        "customer",
        identity("id"),
        words("name"),
        words("language"),
        words("language_source"),
        words("region"),
        words("register"),
        words("zone"),
        sa.Column("market_id", sa.Integer(), nullable=True),
        sa.Column("merged_into", sa.Integer(), nullable=True),
        words("note"),
        sa.Column("created_at", TIME, nullable=False),
        number("version", "1"),
        sa.ForeignKeyConstraint(["market_id"], ["market.id"], name="fk_customer_market_id_market"),
        sa.ForeignKeyConstraint(["merged_into"], ["customer.id"], name="fk_customer_merged_into_customer"),
        sa.PrimaryKeyConstraint("id", name="pk_customer"),
        sqlite_autoincrement=True,
    )
    partial_index("ix_customer_merged", "customer", ["merged_into"], "merged_into IS NOT NULL")
    op.create_table(
        "mailbox",
        identity("id"),
        sa.Column("address", sa.Text(), nullable=False),
        words("name"),
        words("shop_name"),
        words("aliases", "[]"),
        words("imap", "null"),
        words("smtp", "null"),
        words("state", "active"),
        words("languages", "[]"),
        words("language"),
        words("register"),
        words("zone", "UTC"),
        sa.Column("calendar_id", sa.Integer(), nullable=True),
        sa.Column("market_id", sa.Integer(), nullable=True),
        words("canned_set"),
        words("order_pattern"),
        words("signatures", "{}"),
        words("settings", "{}"),
        sa.Column("start_at", TIME, nullable=True),
        words("error"),
        sa.Column("error_since", TIME, nullable=True),
        number("version", "1"),
        sa.CheckConstraint("state IN ('active', 'paused')", name="ck_mailbox_state_known"),
        sa.ForeignKeyConstraint(["calendar_id"], ["calendar.id"], name="fk_mailbox_calendar_id_calendar"),
        sa.ForeignKeyConstraint(["market_id"], ["market.id"], name="fk_mailbox_market_id_market"),
        sa.PrimaryKeyConstraint("id", name="pk_mailbox"),
        sa.UniqueConstraint("address", name="uq_mailbox_address"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "customer_identity",
        identity("id"),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        words("kind", "email"),
        words("value"),
        words("value_norm"),
        sa.Column("bounced_at", TIME, nullable=True),
        words("bounce"),
        words("verdict"),
        sa.CheckConstraint("kind IN ('email', 'phone', 'handle')", name="ck_customer_identity_kind_known"),
        sa.CheckConstraint(
            "verdict IN ('', 'ticket', 'notification', 'park', 'block')", name="ck_customer_identity_verdict_known"
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name="fk_customer_identity_customer_id_customer"),
        sa.PrimaryKeyConstraint("id", name="pk_customer_identity"),
        sa.UniqueConstraint("kind", "value_norm", name="uq_customer_identity_kind_value_norm"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_customer_identity_customer_id", "customer_identity", ["customer_id"])
    op.create_table(
        "folder",
        identity("id"),
        sa.Column("mailbox_id", sa.Integer(), nullable=False),
        words("name"),
        words("role", "inbox"),
        sa.Column("uidvalidity", sa.BigInteger(), nullable=True),
        number("last_uid", "0", sa.BigInteger()),
        sa.Column("last_pass_at", TIME, nullable=True),
        number("missing"),
        words("error"),
        sa.Column("error_since", TIME, nullable=True),
        sa.CheckConstraint("role IN ('inbox', 'sent', 'junk', 'other')", name="ck_folder_role_known"),
        sa.ForeignKeyConstraint(["mailbox_id"], ["mailbox.id"], name="fk_folder_mailbox_id_mailbox"),
        sa.PrimaryKeyConstraint("id", name="pk_folder"),
        sa.UniqueConstraint("mailbox_id", "name", name="uq_folder_mailbox_id_name"),
    )
    op.create_table(
        "ticket",
        identity("id"),
        words("subject"),
        words("status", "new"),
        words("priority", "normal"),
        words("kind", "human"),
        sa.Column("mailbox_id", sa.Integer(), nullable=True),
        sa.Column("market_id", sa.Integer(), nullable=True),
        sa.Column("customer_id", sa.Integer(), nullable=True),
        sa.Column("assignee_id", sa.Integer(), nullable=True),
        sa.Column("team_id", sa.Integer(), nullable=True),
        words("language"),
        words("language_source"),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        number("version", "1"),
        number("seq"),
        sa.Column("waiting_since", TIME, nullable=True),
        sa.Column("last_message_at", TIME, nullable=True),
        sa.Column("first_response_at", TIME, nullable=True),
        sa.Column("solved_at", TIME, nullable=True),
        sa.Column("closed_at", TIME, nullable=True),
        sa.Column("due_at", TIME, nullable=True),
        sa.Column("first_due", TIME, nullable=True),
        sa.Column("next_due", TIME, nullable=True),
        sa.Column("resolution_due", TIME, nullable=True),
        sa.Column("announce_at", TIME, nullable=True),
        sa.Column("sla_id", sa.Integer(), nullable=True),
        sa.Column("snoozed_until", TIME, nullable=True),
        sa.Column("snooze_mode", sa.Text(), nullable=True),
        words("snooze_reason"),
        sa.Column("snoozed_by", sa.Integer(), nullable=True),
        sa.Column("on_hold_until", TIME, nullable=True),
        sa.Column("merged_into", sa.Integer(), nullable=True),
        sa.Column("merged_at", TIME, nullable=True),
        sa.Column("follow_up_of", sa.Integer(), nullable=True),
        sa.Column("split_from", sa.Integer(), nullable=True),
        sa.Column("suggested_id", sa.Integer(), nullable=True),
        number("reopened_count"),
        sa.Column("auto_solved", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        words("order_number"),
        number("message_count"),
        sa.Column("has_attachment", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        words("badges", "[]"),
        sa.CheckConstraint("kind IN ('human', 'notification')", name="ck_ticket_kind_known"),
        sa.CheckConstraint("snooze_mode IN ('until_reply', 'regardless')", name="ck_ticket_snooze_mode_known"),
        sa.CheckConstraint("priority IN ('low', 'normal', 'high', 'urgent')", name="ck_ticket_priority_known"),
        sa.CheckConstraint(
            "status IN ('new', 'open', 'pending', 'on_hold', 'solved', 'closed', 'spam')", name="ck_ticket_status_known"
        ),
        sa.ForeignKeyConstraint(["assignee_id"], ["agent.id"], name="fk_ticket_assignee_id_agent"),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name="fk_ticket_customer_id_customer"),
        sa.ForeignKeyConstraint(["follow_up_of"], ["ticket.id"], name="fk_ticket_follow_up_of_ticket"),
        sa.ForeignKeyConstraint(["mailbox_id"], ["mailbox.id"], name="fk_ticket_mailbox_id_mailbox"),
        sa.ForeignKeyConstraint(["market_id"], ["market.id"], name="fk_ticket_market_id_market"),
        sa.ForeignKeyConstraint(["merged_into"], ["ticket.id"], name="fk_ticket_merged_into_ticket"),
        sa.ForeignKeyConstraint(["sla_id"], ["sla_snapshot.id"], name="fk_ticket_sla_id_sla_snapshot"),
        sa.ForeignKeyConstraint(["snoozed_by"], ["agent.id"], name="fk_ticket_snoozed_by_agent"),
        sa.ForeignKeyConstraint(["split_from"], ["ticket.id"], name="fk_ticket_split_from_ticket"),
        sa.ForeignKeyConstraint(["suggested_id"], ["ticket.id"], name="fk_ticket_suggested_id_ticket"),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name="fk_ticket_team_id_team"),
        sa.PrimaryKeyConstraint("id", name="pk_ticket"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_ticket_customer", "ticket", ["customer_id", "id"])
    partial_index("ix_ticket_announce", "ticket", ["announce_at"], "announce_at IS NOT NULL")
    partial_index("ix_ticket_assignee", "ticket", ["assignee_id", "id"], "assignee_id IS NOT NULL")
    op.create_index("ix_ticket_language", "ticket", ["language", "id"])
    op.create_index("ix_ticket_mailbox", "ticket", ["mailbox_id", "id"])
    op.create_index("ix_ticket_created", "ticket", ["created_at"])
    partial_index("ix_ticket_merged", "ticket", ["merged_into"], "merged_into IS NOT NULL")
    partial_index(
        "ix_ticket_mine",
        "ticket",
        ["assignee_id", "due_at", "id", "snoozed_until"],
        "merged_into IS NULL AND status NOT IN ('pending', 'solved', 'closed', 'spam')",
    )
    partial_index(
        "ix_ticket_needs_reply",
        "ticket",
        ["due_at", "id", "snoozed_until", "assignee_id", "language"],
        "waiting_since IS NOT NULL AND merged_into IS NULL AND status <> 'spam' AND kind = 'human'",
    )
    partial_index(
        "ix_ticket_notification",
        "ticket",
        ["id"],
        "merged_into IS NULL AND kind = 'notification' AND status NOT IN ('solved', 'closed', 'spam')",
    )
    partial_index(
        "ix_ticket_open",
        "ticket",
        ["due_at", "id"],
        "merged_into IS NULL AND status NOT IN ('solved', 'closed', 'spam')",
    )
    partial_index("ix_ticket_order", "ticket", ["order_number"], "order_number <> ''")
    partial_index(
        "ix_ticket_snoozed",
        "ticket",
        ["snoozed_until", "merged_into", "status", "kind", "waiting_since", "assignee_id"],
        "snoozed_until IS NOT NULL",
    )
    op.create_index("ix_ticket_status", "ticket", ["status", "id", "merged_into"])
    op.create_table(
        "dismissal",
        identity("id"),
        sa.Column("ticket_id", sa.Integer(), nullable=False),
        number("up_to_seq"),
        words("reason"),
        sa.Column("agent_id", sa.Integer(), nullable=True),
        sa.Column("at", TIME, nullable=False),
        sa.Column("undone", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.CheckConstraint(
            "reason IN ('thanks', 'duplicate', 'spam', 'answered_elsewhere', 'no_action', 'undeliverable', 'imported')",
            name="ck_dismissal_reason_known",
        ),
        sa.ForeignKeyConstraint(["agent_id"], ["agent.id"], name="fk_dismissal_agent_id_agent"),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name="fk_dismissal_ticket_id_ticket"),
        sa.PrimaryKeyConstraint("id", name="pk_dismissal"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_dismissal_ticket", "dismissal", ["ticket_id"])
    op.create_table(
        "event",
        identity("seq"),
        words("action_id"),
        sa.Column("ticket_id", sa.Integer(), nullable=True),
        words("actor_kind", "agent"),
        sa.Column("actor_id", sa.Integer(), nullable=True),
        words("kind"),
        sa.Column("at", TIME, nullable=False),
        words("data", "{}"),
        number("txid", "0", sa.BigInteger()),
        sa.CheckConstraint("actor_kind IN ('agent', 'rule', 'mail', 'worker')", name="ck_event_actor_kind_known"),
        sa.ForeignKeyConstraint(["actor_id"], ["agent.id"], name="fk_event_actor_id_agent"),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name="fk_event_ticket_id_ticket"),
        sa.PrimaryKeyConstraint("seq", name="pk_event"),
        sa.UniqueConstraint("action_id", "ticket_id", "kind", name="uq_event_action_id_ticket_id_kind"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_event_actor", "event", ["actor_id", "seq"])
    op.create_index("ix_event_ticket", "event", ["ticket_id", "seq"])
    op.create_table(
        "message",
        identity("id"),
        sa.Column("ticket_id", sa.Integer(), nullable=False),
        number("seq"),
        words("channel", "mail"),
        words("direction", "in"),
        words("kind", "mail"),
        words("author_kind", "customer"),
        sa.Column("agent_id", sa.Integer(), nullable=True),
        sa.Column("identity_id", sa.Integer(), nullable=True),
        words("author_name"),
        words("external_id"),
        sa.Column("received_at", TIME, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("historic", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        words("subject"),
        words("body"),
        words("body_source", "plain"),
        words("folds", "[]"),
        words("links", "[]"),
        words("language"),
        sa.Column("outbox_id", sa.Integer(), nullable=True),
        words("evidence", "{}"),
        words("badges", "[]"),
        sa.CheckConstraint(
            "author_kind IN ('customer', 'agent', 'external', 'third_party', 'machine', 'system')",
            name="ck_message_author_kind_known",
        ),
        sa.CheckConstraint("direction IN ('in', 'out', 'internal', 'system')", name="ck_message_direction_known"),
        sa.CheckConstraint(
            "kind IN ('mail', 'call', 'note', 'bounce', 'out_of_office', 'notification', 'report', 'stub')",
            name="ck_message_kind_known",
        ),
        sa.ForeignKeyConstraint(["agent_id"], ["agent.id"], name="fk_message_agent_id_agent"),
        sa.ForeignKeyConstraint(
            ["identity_id"], ["customer_identity.id"], name="fk_message_identity_id_customer_identity"
        ),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name="fk_message_ticket_id_ticket"),
        sa.PrimaryKeyConstraint("id", name="pk_message"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_message_identity_id", "message", ["identity_id"])
    op.create_index("ix_message_outbox_id", "message", ["outbox_id"])
    op.create_index("ix_message_ticket", "message", ["ticket_id", "seq"])
    partial_index("ix_message_note", "message", ["ticket_id"], "kind = 'note'")
    op.create_table(
        "participant",
        identity("id"),
        sa.Column("ticket_id", sa.Integer(), nullable=False),
        sa.Column("identity_id", sa.Integer(), nullable=False),
        words("role", "requester"),
        sa.CheckConstraint(
            "role IN ('requester', 'cc', 'third_party', 'external', 'proposed')", name="ck_participant_role_known"
        ),
        sa.ForeignKeyConstraint(
            ["identity_id"], ["customer_identity.id"], name="fk_participant_identity_id_customer_identity"
        ),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name="fk_participant_ticket_id_ticket"),
        sa.PrimaryKeyConstraint("id", name="pk_participant"),
        sa.UniqueConstraint("ticket_id", "identity_id", name="uq_participant_ticket_id_identity_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_participant_identity_id", "participant", ["identity_id"])
    op.create_table(
        "presence",
        sa.Column("ticket_id", sa.Integer(), nullable=False),
        sa.Column("agent_id", sa.Integer(), nullable=False),
        sa.Column("console", sa.Text(), nullable=False),
        words("mode", "viewing"),
        sa.Column("at", TIME, nullable=False),
        sa.CheckConstraint("mode IN ('viewing', 'replying')", name="ck_presence_mode_known"),
        sa.ForeignKeyConstraint(["agent_id"], ["agent.id"], name="fk_presence_agent_id_agent"),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name="fk_presence_ticket_id_ticket"),
        sa.PrimaryKeyConstraint("ticket_id", "agent_id", "console", name="pk_presence"),
    )
    op.create_table(
        "ticket_follow",
        sa.Column("ticket_id", sa.Integer(), nullable=False),
        sa.Column("agent_id", sa.Integer(), nullable=False),
        sa.Column("following", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        number("told_event"),
        sa.Column("mentioned_by", sa.Integer()),
        sa.Column("mentioned_at", TIME),
        sa.ForeignKeyConstraint(["agent_id"], ["agent.id"], name="fk_ticket_follow_agent_id_agent"),
        sa.ForeignKeyConstraint(["mentioned_by"], ["agent.id"], name="fk_ticket_follow_mentioned_by_agent"),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name="fk_ticket_follow_ticket_id_ticket"),
        sa.PrimaryKeyConstraint("ticket_id", "agent_id", name="pk_ticket_follow"),
    )
    op.create_index("ix_ticket_follow_agent", "ticket_follow", ["agent_id", "ticket_id"])
    op.create_table(
        "ticket_seen",
        sa.Column("ticket_id", sa.Integer(), nullable=False),
        sa.Column("agent_id", sa.Integer(), nullable=False),
        number("seq"),
        sa.ForeignKeyConstraint(["agent_id"], ["agent.id"], name="fk_ticket_seen_agent_id_agent"),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name="fk_ticket_seen_ticket_id_ticket"),
        sa.PrimaryKeyConstraint("ticket_id", "agent_id", name="pk_ticket_seen"),
    )
    op.create_table(
        "ticket_tag",
        sa.Column("ticket_id", sa.Integer(), nullable=False),
        sa.Column("tag", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name="fk_ticket_tag_ticket_id_ticket"),
        sa.PrimaryKeyConstraint("ticket_id", "tag", name="pk_ticket_tag"),
    )
    op.create_index("ix_ticket_tag_tag", "ticket_tag", ["tag", "ticket_id"])
    op.create_table(
        "delivery",
        identity("id"),
        sa.Column("folder_id", sa.Integer(), nullable=False),
        number("uidvalidity", "0", sa.BigInteger()),
        number("uid", "0", sa.BigInteger()),
        words("raw_sha"),
        number("size", "0", sa.BigInteger()),
        sa.Column("internal_date", TIME, nullable=True),
        sa.Column("fetched_at", TIME, nullable=False),
        sa.Column("historic", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("imported", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        words("outcome"),
        words("reason"),
        sa.Column("message_id", sa.Integer(), nullable=True),
        sa.Column("processed_at", TIME, nullable=True),
        number("attempts"),
        words("error"),
        sa.CheckConstraint(
            "outcome IN ('', 'message', 'note', 'parked', 'duplicate', 'echo', 'gone')",
            name="ck_delivery_outcome_known",
        ),
        sa.ForeignKeyConstraint(["folder_id"], ["folder.id"], name="fk_delivery_folder_id_folder"),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name="fk_delivery_message_id_message"),
        sa.PrimaryKeyConstraint("id", name="pk_delivery"),
        sa.UniqueConstraint("folder_id", "uidvalidity", "uid", name="uq_delivery_folder_id_uidvalidity_uid"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_delivery_message_id", "delivery", ["message_id"])
    partial_index("ix_delivery_parked", "delivery", ["id"], "outcome = 'parked'")
    partial_index("ix_delivery_unprocessed", "delivery", ["imported", "internal_date", "id"], "outcome = ''")
    op.create_table(
        "event_detail",
        sa.Column("event_seq", sa.Integer(), nullable=False),
        words("body", "{}"),
        sa.ForeignKeyConstraint(["event_seq"], ["event.seq"], name="fk_event_detail_event_seq_event"),
        sa.PrimaryKeyConstraint("event_seq", name="pk_event_detail"),
    )
    op.create_table(
        "message_mail",
        sa.Column("message_id", sa.Integer(), nullable=False),
        sa.Column("mailbox_id", sa.Integer(), nullable=True),
        words("raw_sha"),
        words("message_id_norm"),
        words("in_reply_to"),
        words("references", "[]"),
        words("thread_root"),
        words("fingerprint"),
        words("from_name"),
        words("from_address"),
        words("reply_to", "[]"),
        words("sender_check"),
        sa.ForeignKeyConstraint(["mailbox_id"], ["mailbox.id"], name="fk_message_mail_mailbox_id_mailbox"),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name="fk_message_mail_message_id_message"),
        sa.PrimaryKeyConstraint("message_id", name="pk_message_mail"),
    )
    op.create_index("ix_message_mail_fingerprint", "message_mail", ["fingerprint"])
    partial_index("ix_message_mail_root", "message_mail", ["thread_root"], "thread_root <> ''")
    partial_index("ix_message_mail_id", "message_mail", ["message_id_norm"], "message_id_norm <> ''")
    op.create_table(
        "message_recipient",
        identity("id"),
        sa.Column("message_id", sa.Integer(), nullable=False),
        words("role", "to"),
        words("address"),
        words("name"),
        words("state"),
        words("detail"),
        sa.CheckConstraint("role IN ('to', 'cc', 'bcc')", name="ck_message_recipient_role_known"),
        sa.CheckConstraint(
            "state IN ('', 'pending', 'accepted', 'deferred', 'failed', 'bounced')",
            name="ck_message_recipient_state_known",
        ),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name="fk_message_recipient_message_id_message"),
        sa.PrimaryKeyConstraint("id", name="pk_message_recipient"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_message_recipient_message", "message_recipient", ["message_id"])
    op.create_table(
        "message_text",
        sa.Column("message_id", sa.Integer(), nullable=False),
        words("folded"),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name="fk_message_text_message_id_message"),
        sa.PrimaryKeyConstraint("message_id", name="pk_message_text"),
    )
    op.create_table(
        "outbox",
        identity("id"),
        sa.Column("ticket_id", sa.Integer(), nullable=False),
        sa.Column("agent_id", sa.Integer(), nullable=True),
        sa.Column("mailbox_id", sa.Integer(), nullable=False),
        words("kind", "reply"),
        words("state", "draft"),
        words("stage"),
        words("subject"),
        words("body"),
        sa.Column("in_reply_to", sa.Integer(), nullable=True),
        number("seen_seq"),
        number("seq"),
        words("language"),
        sa.Column("quote", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        words("canned_key"),
        words("canned_sha"),
        sa.Column("canned_edited", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        words("after_status"),
        sa.Column("ask_again", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        words("message_id_header"),
        words("built_sha"),
        words("action_id"),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("held_at", TIME, nullable=True),
        sa.Column("not_before", TIME, nullable=True),
        sa.Column("next_try", TIME, nullable=True),
        sa.Column("first_try_at", TIME, nullable=True),
        sa.Column("sent_at", TIME, nullable=True),
        sa.Column("discarded_at", TIME, nullable=True),
        number("attempts"),
        words("error"),
        words("server_reply"),
        words("lease_owner"),
        number("lease_epoch"),
        sa.Column("lease_until", TIME, nullable=True),
        words("sent_copy"),
        number("version", "1"),
        sa.CheckConstraint(
            "kind IN ('reply', 'new', 'forward', 'note', 'acknowledgement', 'bump')", name="ck_outbox_kind_known"
        ),
        sa.CheckConstraint(
            "stage IN ('', 'connected', 'mail', 'rcpt', 'data_started', 'dot_sent')", name="ck_outbox_stage_known"
        ),
        sa.CheckConstraint(
            "state IN ('draft', 'held', 'sending', 'sent', 'deferred', 'uncertain', 'failed', 'bounced')",
            name="ck_outbox_state_known",
        ),
        sa.ForeignKeyConstraint(["agent_id"], ["agent.id"], name="fk_outbox_agent_id_agent"),
        sa.ForeignKeyConstraint(["in_reply_to"], ["message.id"], name="fk_outbox_in_reply_to_message"),
        sa.ForeignKeyConstraint(["mailbox_id"], ["mailbox.id"], name="fk_outbox_mailbox_id_mailbox"),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name="fk_outbox_ticket_id_ticket"),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
        sqlite_autoincrement=True,
    )
    partial_index(
        "ix_outbox_canned",
        "outbox",
        ["canned_key", "canned_edited"],
        "canned_key <> '' AND agent_id IS NOT NULL AND state <> 'draft'",
    )
    partial_index("ix_outbox_message_id", "outbox", ["message_id_header"], "message_id_header <> ''")
    op.create_index("ix_outbox_kind", "outbox", ["kind", "id"])
    partial_index("uq_outbox_acknowledgement", "outbox", ["ticket_id"], "kind = 'acknowledgement'", unique=True)
    op.create_index("ix_outbox_sent_copy", "outbox", ["sent_copy", "mailbox_id", "id"])
    op.create_index("ix_outbox_state", "outbox", ["state", "not_before"])
    op.create_index("ix_outbox_ticket", "outbox", ["ticket_id"])
    partial_index(
        "uq_outbox_draft",
        "outbox",
        ["ticket_id", "agent_id", "kind"],
        "state = 'draft' AND discarded_at IS NULL",
        unique=True,
    )
    op.create_table(
        "attachment",
        identity("id"),
        sa.Column("message_id", sa.Integer(), nullable=True),
        sa.Column("outbox_id", sa.Integer(), nullable=True),
        words("part"),
        words("name"),
        words("content_type"),
        number("size", "0", sa.BigInteger()),
        sa.Column("inline", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        words("content_id"),
        words("blob_sha"),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name="fk_attachment_message_id_message"),
        sa.ForeignKeyConstraint(["outbox_id"], ["outbox.id"], name="fk_attachment_outbox_id_outbox"),
        sa.PrimaryKeyConstraint("id", name="pk_attachment"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_attachment_message_id", "attachment", ["message_id"])
    op.create_index("ix_attachment_outbox_id", "attachment", ["outbox_id"])
    op.create_table(
        "outbox_recipient",
        identity("id"),
        sa.Column("outbox_id", sa.Integer(), nullable=False),
        words("role", "to"),
        words("address"),
        words("name"),
        words("state", "pending"),
        words("detail"),
        sa.CheckConstraint("role IN ('to', 'cc', 'bcc')", name="ck_outbox_recipient_role_known"),
        sa.CheckConstraint(
            "state IN ('pending', 'accepted', 'deferred', 'failed', 'bounced')", name="ck_outbox_recipient_state_known"
        ),
        sa.ForeignKeyConstraint(["outbox_id"], ["outbox.id"], name="fk_outbox_recipient_outbox_id_outbox"),
        sa.PrimaryKeyConstraint("id", name="pk_outbox_recipient"),
        sa.UniqueConstraint("outbox_id", "role", "address", name="uq_outbox_recipient_outbox_id_role_address"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "parked",
        sa.Column("delivery_id", sa.Integer(), nullable=False),
        words("reason"),
        words("sender"),
        words("subject"),
        sa.Column("received_at", TIME, nullable=False),
        words("evidence", "{}"),
        sa.Column("looked_at", TIME, nullable=True),
        sa.Column("released_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(["delivery_id"], ["delivery.id"], name="fk_parked_delivery_id_delivery"),
        sa.PrimaryKeyConstraint("delivery_id", name="pk_parked"),
    )
    partial_index("ix_parked_unseen", "parked", ["received_at"], "looked_at IS NULL AND released_at IS NULL")
    partial_index("ix_parked_waiting", "parked", ["delivery_id"], "released_at IS NULL")
