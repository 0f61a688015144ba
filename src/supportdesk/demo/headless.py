"""The demo without a terminal: the whole path of a mail, with real servers and the real worker, and what came of it.

Mail is delivered; the worker fetches it and makes tickets; some are answered with canned responses in the customer's
language; the worker sends them; the customers get them, answer, and their answers join the same tickets.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from supportdesk.demo.customers import Customers, Reply
from supportdesk.demo.letters import ASSETS, CONTENT_TYPES
from supportdesk.demo.mail_set import DemoMail
from supportdesk.demo.report import OUTCOMES, Report
from supportdesk.demo.shop import SHOP, giulia
from supportdesk.demo.stage import Progress, Stage, days
from supportdesk.desk.model import Actor, TicketId
from supportdesk.errors import SupportdeskError
from supportdesk.l10n.catalog import use_language
from supportdesk.textfold import fold

LIMIT_SECONDS = 110.0
UNSENT = ("held", "sending", "deferred", "uncertain", "failed", "bounced")


class TookTooLong(SupportdeskError):
    """The run reached its limit while it waited for something."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A reply that we sent, and what its customer must find in it."""

    mail: DemoMail
    ticket: TicketId
    language: str
    text: str


def run_headless(stage: Stage, progress: Progress) -> Report:
    """Play it through. What does not hold is in the report, never an exception."""
    run = _Run(stage, progress)
    try:
        run.play()
    except SupportdeskError as error:
        run.report.problems.append(f"{error.message} {error.hint}".strip())
    run.count()
    return run.report


class _Run:
    def __init__(self, stage: Stage, progress: Progress) -> None:
        self.report = Report()
        self._stage = stage
        self._desk = stage.desk
        self._progress = progress
        self._started = self._lap = time.monotonic()
        use_language(stage.config.language or "it")  # what is typed into the fields is typed as in Italy

    def play(self) -> None:
        stage, report = self._stage, self.report
        counts = stage.put_into_mailbox()
        report.delivered, report.ours_in_sent = counts["INBOX"], counts["Sent"]
        self._progress(f"{report.delivered} mails wait in the shop's mailbox, {report.ours_in_sent} of ours in Sent")
        worker = stage.start_worker()
        everybody = Customers(stage.mails, imap_port=stage.imap_port, smtp_port=stage.smtp_port)
        for mail in stage.coming:
            everybody.write(mail)
            report.delivered += 1
            report.delivered_over_smtp += 1
        self._progress(f"{report.delivered_over_smtp} more were sent over SMTP; the worker fetches")
        self._wait("the mails to become tickets", self._everything_is_processed)
        self._took("mail in")
        stage.play_earlier_days()
        sent = [self._answer(mail) for mail in stage.mails if mail.script.canned]
        replies = self._receive(everybody, [one for one in sent if one is not None])
        self._took("replies out")
        self._progress(f"{len(replies)} customers got their reply; now they answer")
        answers = {everybody.answer(reply): one for one, reply in replies}
        report.delivered += len(answers)
        report.delivered_over_smtp += len(answers)
        report.answers = len(answers)
        self._wait("the answers to join their tickets", self._everything_is_processed)
        for message_id, one in answers.items():
            self._check_threaded(message_id, one)
        self._took("answers in")
        everybody.close()
        if not worker.running:
            report.problems.append("the worker ended by itself; see worker.log")

    def count(self) -> None:
        """The numbers as the desk has them now."""
        report, read = self.report, self._desk.read
        written, report.delivered = report.delivered, self._stage.count_on_server()
        if written != report.delivered:
            report.problems.append(f"{written} mails were written, the mail server has {report.delivered}")
        inbox = [row for row in read.audit() if row["role"] == "inbox"]
        report.fetched = sum(row["rows"] for row in inbox)
        report.outcomes = {name: sum(row[name] for row in inbox) for name in OUTCOMES}
        tickets = read.rows("ticket")
        report.tickets = len(tickets)
        report.languages = dict(Counter(row["language"] for row in tickets))
        report.left_in_outbox = len(read.rows("outbox", {"state": list(UNSENT)}))
        report.seconds["in all"] = round(time.monotonic() - self._started, 1)

    def _everything_is_processed(self) -> bool:
        rows = self._desk.read.audit()
        expected = self.report.delivered + self.report.ours_in_sent
        return sum(row["rows"] for row in rows) >= expected and not any(row["unprocessed"] for row in rows)

    def _answer(self, mail: DemoMail) -> Sent | None:
        """Answer a ticket with the canned response of its language, as an agent would."""
        desk, script, actor = self._desk, mail.script, giulia(self._desk).actor()
        ticket = self._stage.ticket_of(mail.message_id)
        if ticket is None:
            self.report.problems.append(f"{script.id} is on no ticket")
            return None
        try:
            language, text = self._write(actor, ticket, mail)
        except SupportdeskError as error:
            self.report.problems.append(f"{script.id}: {error.message} {error.hint}".strip())
            return None
        self.report.replies += 1
        return Sent(mail, desk.read.ticket(ticket).id, language, text)

    def _write(self, actor: Actor, ticket: TicketId, mail: DemoMail) -> tuple[str, str]:
        desk, script = self._desk, mail.script
        asked = {name: self._typed(value) for name, value in script.ask.items()}
        rendered = desk.render_canned(actor, ticket, script.canned, asked)
        draft = desk.open_draft(actor, ticket)
        draft = desk.save_draft(actor, draft.id, draft.version, body=rendered.text, canned_key=script.canned)
        for name in script.enclose:
            path = ASSETS / name
            draft = desk.attach(actor, draft.id, name, CONTENT_TYPES[path.suffix], path.read_bytes())
        review = desk.review(actor, draft.id)
        self.report.problems += [f"{script.id}: {error}" for error in review.errors]
        self.report.problems += [f"{script.id}: the review warns: {one.text}" for one in review.warnings]
        desk.send(actor, draft.id, seen_seq=draft.seen_seq, after="pending")
        return draft.language, rendered.text

    def _typed(self, value: str) -> str:
        """A field's value as typed; "+3" is the date in three days."""
        return (self._stage.now + days(value)).date().isoformat() if value.startswith("+") else value

    def _receive(self, everybody: Customers, sent: list[Sent]) -> list[tuple[Sent, Reply]]:
        """Wait until each customer has his reply, and look at each as another mail program would."""
        self._progress(f"{len(sent)} replies are on their way")
        missing = {one.mail.sender.norm: one for one in sent}
        received: list[tuple[Sent, Reply]] = []

        def all_here() -> bool:
            for reply in everybody.collect():
                one = missing.pop(reply.customer.sender.norm, None)
                if one is None:
                    self.report.problems.append(f"{reply.customer.sender.addr} got a reply that nobody wrote, or two")
                else:
                    self._check_reply(one, reply)
                    received.append((one, reply))
            return not missing

        self._wait("the customers to get their replies", all_here)
        self._wait("the outbox to be empty", lambda: not self._desk.read.rows("outbox", {"state": list(UNSENT)}))
        self.report.replies_received = len(received)
        self.report.replies_by_language = dict(Counter(one.language for one, _reply in received))
        return received

    def _check_reply(self, one: Sent, reply: Reply) -> None:
        message, found = reply.message, _squeezed(reply.text)
        theirs = {mail.message_id for mail in self._stage.mails if mail.sender.norm == one.mail.sender.norm}
        answered = str(message["In-Reply-To"]).strip()
        for held, what in (
            (str(message["From"].addresses[0].addr_spec) == SHOP.addr, "does not come from the shop"),
            (answered in theirs, "does not name a mail of its customer"),
            (one.mail.message_id in str(message["References"]).split(), "has no References to the conversation"),
            (message.get_body(("html",)) is not None, "has no HTML part"),
            (str(message["Content-Language"]).partition("-")[0] == one.mail.script.language, "is in another language"),
            (_squeezed(one.text) in found, "does not hold the text that was written"),
            ("{{" not in found, "has a value that was not filled in"),
        ):
            if not held:
                self.report.problems.append(f"the reply to {one.mail.script.id} {what}")

    def _check_threaded(self, message_id: str, one: Sent) -> None:
        home = self._stage.ticket_of(message_id)
        if home != one.ticket:
            self.report.problems.append(f"the answer of {one.mail.sender.addr} is on #{home}, not on #{one.ticket}")
            return
        self.report.answers_threaded += 1
        status = self._desk.read.ticket(one.ticket).status
        if status != "open":
            self.report.problems.append(f"#{one.ticket} is {status} although its customer answered")

    def _wait(self, what: str, holds: Callable[[], bool]) -> None:
        while not holds():
            if time.monotonic() - self._started > LIMIT_SECONDS:
                raise TookTooLong(f"waited in vain for {what}")
            self._desk.read.wait_for_change(0.25)

    def _took(self, name: str) -> None:
        now = time.monotonic()
        self.report.seconds[name], self._lap = round(now - self._lap, 1), now


def _squeezed(text: str) -> str:
    """Text for comparison: folded, without blanks and quote marks, which mail programs move."""
    return "".join(fold(text).split())
