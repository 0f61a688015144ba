"""Reports."""
from __future__ import annotations
from supportdesk.mail.mime import Part
from supportdesk.mail.model import Address, Report

def read_report(root: Part, from_: tuple[Address, ...], return_path: str | None, subject: str, text: str) -> Report | None:
    return None
