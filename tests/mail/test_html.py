"""HTML to text: what a person would read, and where links really go."""

from __future__ import annotations

import pytest

from supportdesk.mail.html import render_html
from supportdesk.mail.limits import MAX_LINKS, DefectLog


def text_of(html: str) -> str:
    return render_html(html, {"logo@x": "logo.png"}, 0, DefectLog()).text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>a  b\n c&nbsp;d</p>", "a b c d"),
        ("a<br>b<br><br>c", "a\nb\n\nc"),
        ("<p>one</p><p>two</p>", "one\n\ntwo"),
        ("<div>one</div><div>two</div>", "one\ntwo"),
        ("a<b>b</b> c", "ab c"),
        ("<title>no</title><style>no</style><script>no</script>yes<!-- no -->", "yes"),
        ('<div style="display: none">no</div>yes', "yes"),
        ('<span style="font-size:0">no</span><p hidden>no</p><i style="mso-hide:all">no</i>yes', "yes"),
        ("<ul><li>a<li>b<ul><li>c</ul></ul>", "- a\n- b\n  - c"),
        ("<ol start=3><li>a<li>b</ol>", "3. a\n4. b"),
        ("<blockquote>a<blockquote>b</blockquote></blockquote>c", "> a\n>\n> > b\n\nc"),
        ('<blockquote style="margin:0 0 0 40px;border:none;padding:0px">indented</blockquote>', "indented"),
        ("<pre>a\n  b</pre>", "a\n  b"),
        ("<table><tr><th>Item<th>Qty<tr><td>Shoe<td>2<tr><td>Hat<td>10</table>", "Item  Qty\nShoe  2\nHat   10"),
        ("<table><tr><td><p>left</p><p>more</p><td>right</table>", "left\n\nmore\nright"),
        ("<table><tr><td>Order:<td>12345</table>", "Order:  12345"),
        ("<table><tr><td><table><tr><td>inner</table></table>", "inner"),
        ('<img src="cid:logo@x">', "[image: logo.png]"),
        ('<img src="http://t.example/p.gif" width=1 height=1 alt="x"><img src="http://t.example/q.gif">', ""),
        ('<img src="http://t.example/a.png" alt="Our shop">', "[image: Our shop]"),
        ('<img src="http://t.example/a.png" alt="😀">', "😀"),
        ("&#27;]52;c;x&#7; &#xD800; &#0;", "\x1b]52;c;x\x07 � �"),
        ("", ""),
    ],
)
def test_rendering(html: str, text: str):
    assert text_of(html) == text


def test_links_are_numbered_once_each_and_say_where_they_go():
    html = '<a href="https://evil.example/login">www.bank.example</a> <a href="https://evil.example/login">again</a> <a href="HTTP://user@Real.Example:80/x">b</a>'
    rendered = render_html(html, {}, 0, DefectLog())
    assert rendered.text == "www.bank.example [1] again [1] b [2]"
    assert [(link.number, link.host, link.text) for link in rendered.links] == [
        (1, "evil.example", "www.bank.example"),
        (2, "real.example", "b"),
    ]


def test_a_host_of_mixed_scripts_is_shown_in_punycode():
    (link,) = render_html('<a href="https://pаypal.example/">x</a>', {}, 0, DefectLog()).links
    assert link.host.startswith("xn--")


@pytest.mark.parametrize(
    "href", ["javascript:alert(1)", "data:text/html,x", "#top", "", "file:///etc/passwd", "java\nscript:x"]
)
def test_what_is_no_link_of_the_web_is_text(href: str):
    rendered = render_html(f'<a href="{href}">x</a>', {}, 0, DefectLog())
    assert (rendered.text, rendered.links) == ("x", [])


@pytest.mark.parametrize(
    "container",
    [
        '<div class="gmail_quote">{}</div>',
        '<blockquote type="cite">{}</blockquote>',
        '<div class="yahoo_quoted">{}</div>',
        '<div id="divRplyFwdMsg"></div><div>{}</div>',
        '<div id="appendonsend"></div>{}',
    ],
)
def test_the_quote_containers_of_mail_programs_are_marked(container: str):
    rendered = render_html(f"<p>mine</p>{container.format('theirs')}", {}, 0, DefectLog())
    quoted = "".join(rendered.text[start:end] for start, end in rendered.quoted)
    assert "theirs" in quoted
    assert "mine" not in quoted


def test_more_links_than_the_limit_are_left_unnumbered():
    log = DefectLog()
    rendered = render_html(
        "".join(f'<a href="http://x.example/{number}">x</a> ' for number in range(MAX_LINKS + 5)), {}, 0, log
    )
    assert len(rendered.links) == MAX_LINKS
    assert [defect.code for defect in log.result()] == ["links"]


@pytest.mark.parametrize(
    "piece",
    [
        "<div>",
        "<table><tr><td>",
        "<blockquote>x",
        "<a href=x>",
        "<ul><li>x",
        "<!--",
        "<a ",
        "<b>x</b>",
        "<",
        "&",
        "<font><p>",
    ],
)
def test_endless_markup_ends(piece: str):
    rendered = render_html(piece * 20_000, {}, 0, DefectLog())
    assert len(rendered.text) <= 40 * 20_000
