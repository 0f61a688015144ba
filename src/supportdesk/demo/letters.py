"""How customers' mail programs write: Gmail, Outlook, Apple Mail, Thunderbird, a webmail and a shop's contact form.

A `Letter` in, the bytes of RFC 5322 out. Each program has its own way of quoting, its own HTML and its own habit with
References (Apple Mail names one id only, Outlook adds Thread-Index): what a desk has to thread and to fold.
"""

from __future__ import annotations

import base64
import hashlib
import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address as HeaderAddress
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path

from supportdesk.demo.quoting import attribution_line, outlook_labels, reply_subject, sent_from_phone, written_date
from supportdesk.mail.model import Address

ASSETS = Path(__file__).parent / "assets"
CONTENT_TYPES = {".png": "image/png", ".pdf": "application/pdf"}
CLIENTS = ("gmail", "outlook", "apple", "iphone", "thunderbird", "webmail")


@dataclass(frozen=True, slots=True)
class Original:
    """The mail that a letter answers, as far as quoting and threading need it."""

    message_id: str
    references: tuple[str, ...]
    author: Address
    to: Address
    date: datetime
    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail before it has bytes. `date` is aware and carries the sender's UTC offset; `attach` names assets."""

    message_id: str
    from_: Address
    to: tuple[Address, ...]
    subject: str
    text: str
    language: str
    client: str
    date: datetime
    signature: str = ""
    cc: tuple[Address, ...] = ()
    attach: tuple[str, ...] = ()
    answers: Original | None = None
    extra: Mapping[str, str] | None = None


def write_letter(letter: Letter) -> bytes:
    """The finished mail with CRLF line ends."""
    message = EmailMessage(policy=SMTP)
    _write_header(message, letter)
    plain, rich = _bodies(letter)
    charset = "windows-1252" if letter.client == "outlook" and _fits(plain + rich, "cp1252") else "utf-8"
    message.set_content(plain, charset=charset, cte="quoted-printable")
    if letter.client == "thunderbird":
        message.set_param("format", "flowed")
    if rich:
        message.add_alternative(rich, subtype="html", charset=charset, cte="quoted-printable")
    for name in letter.attach:
        path = ASSETS / name
        maintype, subtype = CONTENT_TYPES[path.suffix].split("/")
        message.add_attachment(path.read_bytes(), maintype=maintype, subtype=subtype, filename=name)
    return message.as_bytes()


def make_message_id(client: str, seed: str, domain: str) -> str:
    """A Message-ID as the program makes them, the same for the same seed."""
    digits = hashlib.sha256(seed.encode()).hexdigest()
    match client:
        case "gmail":
            left = "CA" + base64.urlsafe_b64encode(bytes.fromhex(digits[:60])).decode().replace("_", "+").rstrip("=")
        case "outlook":
            left = f"AM0PR{digits[:4].upper()}MB{digits[4:20].upper()}"
        case "apple" | "iphone":
            parts = digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:32]
            left = "-".join(parts).upper()
        case "thunderbird":
            left = "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:32]))
        case _:
            left = f"trinity-{digits[:32]}"
    return f"<{left}@{domain}>"


def subject_of_answer(letter_client: str, language: str, subject: str) -> str:
    return reply_subject(letter_client, language, subject)


def _write_header(message: EmailMessage, letter: Letter) -> None:
    message["From"] = _mailbox(letter.from_)
    message["To"] = [_mailbox(one) for one in letter.to]
    if letter.cc:
        message["Cc"] = [_mailbox(one) for one in letter.cc]
    message["Subject"] = letter.subject
    message["Date"] = format_datetime(letter.date)
    message["Message-ID"] = letter.message_id
    if letter.answers is not None:
        message["In-Reply-To"] = letter.answers.message_id
        message["References"] = _references(letter.client, letter.answers)
    for name, value in _marks(letter).items():
        message[name] = value
    for name, value in (letter.extra or {}).items():
        message[name] = value


def _references(client: str, original: Original) -> str:
    """Apple Mail replaces the chain by the one id that it answers; the others append (RFC 5322 3.6.4)."""
    chain: Sequence[str] = () if client in ("apple", "iphone") else original.references
    return " ".join((*chain, original.message_id))


def _marks(letter: Letter) -> dict[str, str]:
    """The header fields by which the programs can be told apart."""
    match letter.client:
        case "outlook":
            index = base64.b64encode(hashlib.sha256(letter.message_id.encode()).digest()[:22]).decode()
            return {
                "Thread-Topic": letter.subject,
                "Thread-Index": index,
                "X-MS-Has-Attach": "yes" if letter.attach else "",
            }
        case "apple":
            return {"X-Mailer": "Apple Mail (2.3776.700.51)"}
        case "iphone":
            return {"X-Mailer": "iPhone Mail (22B91)"}
        case "thunderbird":
            return {"User-Agent": "Mozilla Thunderbird", "Content-Language": letter.language}
        case "webmail":
            return {"X-Priority": "3", "X-Mailer": "Webmail"}
        case _:
            return {}


def _bodies(letter: Letter) -> tuple[str, str]:
    """The plain text, and the HTML ("" for programs that write none)."""
    own = letter.text.strip()
    signature = letter.signature.strip()
    if letter.client == "iphone" and not signature:
        signature = sent_from_phone(letter.language)
    match letter.client:
        case "gmail":
            return _gmail(letter, own, signature)
        case "outlook":
            return _outlook(letter, own, signature)
        case "apple" | "iphone":
            return _apple(letter, own, signature)
        case _:
            return _plain(letter, own, signature), ""


def _plain(letter: Letter, own: str, signature: str) -> str:
    """Thunderbird and webmails: plain text, the quotation below, the signature where it belongs."""
    closing = f"\n\n-- \n{signature}" if signature else ""
    if letter.answers is None:
        return f"{own}{closing}\n"
    line = attribution_line("thunderbird", letter.language, letter.answers.author, letter.answers.date)
    return f"{own}{closing}\n\n{line}\n\n{_quoted(letter.answers.text)}\n"


def _gmail(letter: Letter, own: str, signature: str) -> tuple[str, str]:
    plain = own + (f"\n\n-- \n{signature}" if signature else "")
    rich = f'<div dir="ltr">{_divs(own)}</div>'
    if signature:
        rich += (
            '<div><br></div><span class="gmail_signature_prefix">-- </span><br>'
            f'<div dir="ltr" class="gmail_signature" data-smartmail="gmail_signature">{_lines(signature)}</div>'
        )
    if letter.answers is not None:
        line = attribution_line("gmail", letter.language, letter.answers.author, letter.answers.date)
        plain += f"\n\n{line}\n\n{_quoted(letter.answers.text)}"
        rich += (
            '<br><div class="gmail_quote gmail_quote_container">'
            f'<div dir="ltr" class="gmail_attr">{html.escape(line)}<br></div>'
            '<blockquote class="gmail_quote" style="margin:0px 0px 0px 0.8ex;border-left:1px solid rgb(204,204,204);'
            f'padding-left:1ex">{_divs(letter.answers.text)}</blockquote></div>'
        )
    return plain + "\n", rich + "\n"


def _outlook(letter: Letter, own: str, signature: str) -> tuple[str, str]:
    plain = own + (f"\n\n{signature}" if signature else "")
    style = "font-family:Calibri,Helvetica,sans-serif;font-size:12pt;color:rgb(0,0,0)"
    rich = f'<div style="{style}">{_divs(own)}</div>'
    if signature:
        rich += f'<div id="Signature"><div style="{style}"><br>{_lines(signature)}</div></div>'
    if letter.answers is not None:
        original = letter.answers
        sender, sent, to, subject = outlook_labels(letter.language)
        fields = (
            (sender, str(original.author)),
            (sent, written_date(letter.language, original.date)),
            (to, str(original.to)),
            (subject, original.subject),
        )
        head = "\n".join(f"{name}: {value}" for name, value in fields)
        plain += f"\n\n________________________________\n{head}\n\n{original.text.strip()}"
        bold = "<br>".join(f"<b>{name}:</b> {html.escape(value)}" for name, value in fields)
        rich += (
            '<div id="appendonsend"></div><hr style="display:inline-block;width:98%" tabindex="-1">'
            f'<div id="divRplyFwdMsg" dir="ltr"><font face="Calibri, sans-serif">{bold}</font><div>&nbsp;</div></div>'
            f"<div>{_divs(original.text)}</div>"
        )
    head_html = '<html><head><meta http-equiv="Content-Type" content="text/html; charset=windows-1252"></head>'
    return plain + "\n", f'{head_html}<body dir="ltr">{rich}</body></html>\n'


def _apple(letter: Letter, own: str, signature: str) -> tuple[str, str]:
    plain = own + (f"\n\n{signature}" if signature else "")
    rich = _divs(own) + (f"<div><br></div><div>{_lines(signature)}</div>" if signature else "")
    if letter.answers is not None:
        line = attribution_line("apple", letter.language, letter.answers.author, letter.answers.date)
        plain += f"\n\n> {line}\n> \n{_quoted(letter.answers.text)}"
        rich += (
            f'<div><br><blockquote type="cite"><div>{html.escape(line)}</div><br class="Apple-interchange-newline">'
            f"<div>{_divs(letter.answers.text)}</div></blockquote></div>"
        )
    style = "overflow-wrap: break-word; -webkit-nbsp-mode: space; line-break: after-white-space;"
    return plain + "\n", f'<html><body style="{style}">{rich}</body></html>\n'


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.strip().splitlines())


def _divs(text: str) -> str:
    return "".join(f"<div>{html.escape(line) or '<br>'}</div>" for line in text.strip().splitlines())


def _lines(text: str) -> str:
    return "<br>".join(html.escape(line) for line in text.splitlines())


def _mailbox(address: Address) -> HeaderAddress:
    return HeaderAddress(display_name=address.name, addr_spec=address.addr)


def _fits(text: str, charset: str) -> bool:
    try:
        text.encode(charset)
    except UnicodeEncodeError:
        return False
    return True
