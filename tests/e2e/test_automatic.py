"""Automatic mail on real servers: one acknowledgement with a null reverse-path, and no conversation with a machine."""

from __future__ import annotations

from email.utils import make_msgid
from typing import TYPE_CHECKING

from supportdesk.mail.parse import parse
from tests.e2e.shop import header, open_shop

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.mail_servers import MailServers


def test_a_vacation_responder_and_the_desk_exchange_one_automatic_mail(
    mail_servers: MailServers, mail_user: str, tmp_path: Path
) -> None:
    with open_shop(mail_servers, mail_user, tmp_path, mailbox={"settings": {"acknowledge": True}}) as shop:
        with shop.worker():
            ticket_id = shop.ticket_of(shop.customer_writes("Buongiorno, dov'è il mio ordine 5521?"))
            (acknowledgement,) = shop.servers.wait_for_messages(shop.customer)
            read = parse(acknowledgement)
            assert header(acknowledgement, "Return-Path") == "<>"
            assert read.header("Auto-Submitted") == "auto-replied"
            assert "Ti risponderemo entro " in read.text
            assert "5521" not in read.text, "nothing that the customer wrote is repeated"
            for number, marks in enumerate((["Auto-Submitted: auto-replied"], [], ["Precedence: junk"])):
                lines = [
                    f"From: Rosa <{shop.customer}@customer.test>", f"To: {shop.address}", f"Message-ID: {make_msgid()}",
                    f"Subject: Via {number}", f"In-Reply-To: {read.message_id}", *marks, "", "In ferie.",
                ]  # fmt: skip
                sender = f"{shop.customer}@customer.test"
                shop.servers.send_from_outside("\r\n".join(lines).encode(), sender=sender, recipients=[shop.address])
            shop.wait_for(lambda: len(shop.desk.read.thread(ticket_id)) == 5, "the three answers on the ticket")
            last = shop.ticket_of(shop.customer_writes("E l'ordine 5522?", subject="Altra domanda"))
        assert len(shop.servers.messages(shop.customer)) == 1
        reasons = [entry.evidence.get("no_ack_reason") for entry in shop.desk.read.thread(last)]
        assert reasons == ["cap_address_24h"]
        kinds = [entry.author_kind for entry in shop.desk.read.thread(ticket_id)]
        assert kinds.count("machine") == 2, "the acknowledgement and the marked absence notice"
