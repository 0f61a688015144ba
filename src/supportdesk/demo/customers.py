"""The demo's customers: they write to the shop over SMTP, read their mail over IMAP, and answer the shop's replies.

All of them share one mailbox on the demo's server, a catch-all; each writes with the mail program that is his.
"""

from __future__ import annotations

import random
import smtplib
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from supportdesk.demo.children import say_ready
from supportdesk.demo.letters import Original
from supportdesk.demo.mail_set import DemoMail, answer_to, customers, read_scripts, write_mails
from supportdesk.demo.shop import SHOP
from supportdesk.desk.model import Server
from supportdesk.errors import SupportdeskError
from supportdesk.mail.imap import ImapSource
from supportdesk.mail.model import Address

ACCOUNT, PASSWORD = "world", "customers"
REFUSED = ("walter.finch@closed.example",)  # the server refuses him: what a failed reply looks like
LARGEST = 50 * 1024 * 1024
ANSWER_AFTER_SECONDS = (12.0, 35.0)

# What a customer says who has nothing particular to say; first once more a question, then only thanks.
_NEXT = {
    "it": "Grazie per la risposta! Un'ultima domanda: entro quando posso cambiare idea?",
    "en": "Thanks for getting back to me! One last thing: by when would you need to hear from me?",
    "de": "Danke für Ihre Antwort! Eine letzte Frage noch: Bis wann müsste ich mich entscheiden?",
    "fr": "Merci pour votre réponse ! Une dernière question : jusqu'à quand puis-je me décider ?",
    "es": "¡Gracias por responder! Una última pregunta: ¿hasta cuándo puedo decidirme?",
    "pl": "Dziękuję za odpowiedź! Jeszcze jedno pytanie: do kiedy mogę się zdecydować?",
    "nl": "Bedankt voor uw antwoord! Nog één vraag: tot wanneer kan ik beslissen?",
    "pt": "Obrigada pela resposta! Só mais uma pergunta: até quando posso decidir?",
    "ja": "ご返信ありがとうございます。もう一点だけ、いつまでにお返事すればよろしいでしょうか。",
}
_THANKS = {
    "it": "Perfetto, grazie mille!",
    "en": "Great, thank you very much!",
    "de": "Alles gut, vielen Dank!",
    "fr": "Parfait, merci beaucoup !",
    "es": "¡Perfecto, muchas gracias!",
}


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply of the shop as its customer got it, read by the standard library's parser."""

    customer: DemoMail
    message: EmailMessage = field(repr=False)
    original: Original

    @property
    def text(self) -> str:
        part = self.message.get_body(("plain",))
        return part.get_content() if part is not None else ""


class Customers:
    """Everybody who writes to the shop."""

    def __init__(self, mails: Iterable[DemoMail], *, imap_port: int, smtp_port: int) -> None:
        self._mails = tuple(customers(mails))
        self._smtp_port = smtp_port
        self._mailbox = ImapSource(Server("127.0.0.1", imap_port, "none", ACCOUNT), PASSWORD)
        self._last_uid = 0
        self._answered: Counter[str] = Counter()

    def write(self, mail: DemoMail) -> None:
        self._send(mail.sender, mail.raw)

    def collect(self) -> list[Reply]:
        """The replies that came since the last call."""
        self._mailbox.select("INBOX")
        replies = []
        for fetched in self._mailbox.fetch(self._mailbox.uids_from(self._last_uid + 1), max_size=LARGEST):
            self._last_uid = fetched.uid
            if fetched.raw is not None:
                replies.append(self._read(fetched.raw))
        return replies

    def answer(self, reply: Reply) -> str:
        """Answer a reply the way this customer would; the Message-ID of the answer, "" when there is nothing to add."""
        mail = reply.customer
        times = self._answered[mail.sender.norm]
        self._answered[mail.sender.norm] += 1
        text = _words(mail, times)
        if not text:
            return ""
        raw = answer_to(mail, reply.original, text, datetime.now(UTC), f"{reply.original.message_id} {times}")
        self._send(mail.sender, raw)
        return str(message_from_bytes(raw, policy=default)["Message-ID"])

    def close(self) -> None:
        self._mailbox.close()

    def _send(self, sender: Address, raw: bytes) -> None:
        with smtplib.SMTP("127.0.0.1", self._smtp_port, local_hostname="localhost") as server:
            server.sendmail(sender.addr, [SHOP.addr], raw)

    def _read(self, raw: bytes) -> Reply:
        message = message_from_bytes(raw, policy=default)
        assert isinstance(message, EmailMessage)
        author = message["From"].addresses[0]
        address = str(message["Delivered-To"]).casefold()
        answered = str(message["In-Reply-To"] or "").strip()
        mine = [mail for mail in self._mails if mail.sender.norm == address]
        if not mine:
            raise SupportdeskError(f"the demo's server took a reply to {address}, which wrote none of its mails")
        customer = next((mail for mail in mine if mail.message_id == answered), mine[-1])
        body = message.get_body(("plain",))
        original = Original(
            message_id=str(message["Message-ID"]).strip(),
            references=tuple(str(message["References"] or "").split()),
            author=Address(author.display_name, author.addr_spec),
            to=customer.sender,
            date=message["Date"].datetime,
            subject=str(message["Subject"]),
            text=body.get_content() if body is not None else "",
        )
        return Reply(customer, message, original)


def live(settings: dict[str, Any]) -> None:
    """Be the customers while somebody looks at the console: write now and then, answer what comes."""
    mails = write_mails(read_scripts(), datetime.fromisoformat(settings["now"]))
    everybody = Customers(mails, imap_port=settings["imap_port"], smtp_port=settings["smtp_port"])
    everybody.collect()
    say_ready()
    _live(everybody, [mail for mail in mails if mail.script.live], float(settings["seconds_between_mails"]))


def _live(everybody: Customers, coming: Sequence[DemoMail], seconds: float) -> None:
    waiting: list[tuple[float, Reply]] = []
    next_mail = time.monotonic() + seconds
    coming = list(coming)
    while True:
        now = time.monotonic()
        waiting += [(now + random.uniform(*ANSWER_AFTER_SECONDS), reply) for reply in everybody.collect()]
        for due, reply in list(waiting):
            if due <= now:
                waiting.remove((due, reply))
                everybody.answer(reply)
        if coming and now >= next_mail:
            everybody.write(coming.pop(0))
            next_mail = now + seconds
        time.sleep(1.0)


def _words(mail: DemoMail, times: int) -> str:
    """A question at first, thanks the second time, then silence."""
    script = mail.script
    language = script.language or "it"
    if times == 0:
        return script.then or _NEXT.get(language, _NEXT["en"])
    return _THANKS.get(language, _THANKS["en"]) if times == 1 else ""
