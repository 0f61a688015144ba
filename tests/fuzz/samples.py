"""Mails of our own to mutate, where no corpus is at hand: one of each kind that the reader treats specially."""

from __future__ import annotations

import base64
from typing import Final

_HEAD: Final = (
    b"From: Rosa Bianchi <rosa@example.com>\nTo: =?utf-8?q?Bott=C3=A8ga?= <aiuto@bottega.example>\nSubject: Ordine\n"
)

SAMPLES: Final = (
    _HEAD + b"\nDov'\xc3\xa8 il mio ordine?\n\nIl 20 nov 2026 Bottega <a@b.example> ha scritto:\n> Ecco.\n-- \nRosa\n",
    _HEAD + b"Content-Type: text/plain; format=flowed; delsp=yes; charset=iso-8859-1\n\nuno \n> due \n>> tre\n",
    _HEAD
    + b"Content-Type: multipart/alternative; boundary=B\n\n--B\n\nstub\n--B\nContent-Type: text/html; charset=utf-8\n"
    b"Content-Transfer-Encoding: quoted-printable\n\n<p style=3D\"display:none\">x</p><table><tr><td>a<td>b</table>"
    b"<ul><li>one<li>two</ul><blockquote type=3Dcite>old</blockquote><a href=3D\"http://x.example\">x</a>\n--B--\n",
    _HEAD
    + b"Content-Type: multipart/mixed; boundary=\"=_1\"\n\n--=_1\n\ntext\n--=_1\nContent-Type: application/pdf;\n"
    b" name*0*=utf-8''r%C3%A9; name*1=ponse.pdf\nContent-Transfer-Encoding: base64\n\n"
    + base64.encodebytes(bytes(range(256)))
    + b"--=_1\nContent-Type: message/rfc822\n\nSubject: inner\n\nhello\n--=_1--\n",
    (
        b"Return-Path: <>\nFrom: MAILER-DAEMON@x.example\nTo: a@b.example\nSubject: Undelivered\n"
        b"Content-Type: multipart/report; report-type=delivery-status; boundary=B\n\n"
        b"--B\n\n<u@x.example>: unknown user\n"
        b"--B\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\nFinal-Recipient: rfc822; u@x.example\n"
        b"Action: failed\nStatus: 5.1.1\n--B\nContent-Type: message/rfc822\n\nMessage-ID: <1@b.example>\n\nx\n--B--\n"
    ),
    _HEAD + b"Content-Type: text/calendar\n\nBEGIN:VCALENDAR\nMETHOD:REQUEST\nBEGIN:VEVENT\nSUMMARY:x\n"
    b"DTSTART:20260301T090000Z\nEND:VEVENT\nEND:VCALENDAR\n",
    _HEAD + b"\nbegin 644 x.txt\n#0V%T\n`\nend\n",
    (
        b"Subject: =?gb2312?B?1tDOxA==?= =?iso-2022-jp?B?GyRCRnxLXBsoQg==?=\n"
        b"From: \"a, b\" <c@d.example>, undisclosed:;\n\n\x1b$BF|K\\\x1b(B\n"
    ),
)  # fmt: skip
