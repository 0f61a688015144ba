"""format=flowed (RFC 3676 section 4): joins the soft line ends of one paragraph at one quote depth."""

from __future__ import annotations


def unflow(text: str, *, del_sp: bool = False) -> str:
    """The text with flowed lines joined and space-stuffing removed; quoted lines come out with `> ` for each level."""
    result: list[str] = []
    paragraph: list[str] = []
    depth = 0

    def finish() -> None:
        if paragraph:
            content = "".join(paragraph)
            prefix = ">" * depth
            result.append(f"{prefix} {content}".rstrip(" ") if depth and content else prefix + content)
            paragraph.clear()

    for line in text.split("\n"):
        content = line.lstrip(">")
        level = len(line) - len(content)
        content = content.removeprefix(" ")
        if paragraph and level != depth:
            finish()
        depth = level
        if content == "-- ":
            finish()
            result.append(">" * level + (" " if level else "") + "-- ")
            continue
        soft = content.endswith(" ")
        paragraph.append(content[:-1] if soft and del_sp else content)
        if not soft:
            finish()
    finish()
    return "\n".join(result)
