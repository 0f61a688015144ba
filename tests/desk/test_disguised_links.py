"""A link is disguised when its text shows a host that it does not lead to, however the two are written."""

from __future__ import annotations

import pytest

from supportdesk.desk.disguised_links import pretended_host
from supportdesk.mail.links import real_host

DISGUISED = [
    ("https://evil.com/", "www.notevil.com", "www.notevil.com"),
    ("https://evil.example/", "https://paypal.com/?r=evil.example", "paypal.com"),
    ("https://evil.example/", "Vai su www.paypal.com", "www.paypal.com"),
    ("https://evil.example/", "www.paypal.com (evil.example)", "www.paypal.com"),
    ("https://evil.example/", "evil.example, cioè PayPal.Com", "paypal.com"),
    ("https://evil.example/", "paypal.com/evil.example", "paypal.com"),
    ("https://evil.example/", "qui/paypal.com", "paypal.com"),
    ("https://evil.example/", "conto.pdf/paypal.com", "paypal.com"),
    ("https://evil.example/", "(paypal.com)", "paypal.com"),
    ("https://evil.example/", "«paypal.com».", "paypal.com"),
    ("https://evil.example/", "paypal.com.", "paypal.com"),
    ("https://evil.example/", "paypal.com:443", "paypal.com"),
    ("https://evil.example/", "https://paypal.com:443/a", "paypal.com"),
    ("https://evil.example/", "HTTPS://WWW.PAYPAL.COM", "www.paypal.com"),
    ("https://evil.example/", "https:\\\\paypal.com\\", "paypal.com"),
    ("https://evil.example/", "pay\u200bpal.com", "paypal.com"),
    ("https://evil.example/", "\uff50aypal\uff0ecom", "paypal.com"),
    ("https://evil.example/", "paypal\u3002com", "paypal.com"),
    ("https://evil.example/", "请访问paypal.com谢谢", "paypal.com"),
    ("https://evil.example/", "scrivi a info@paypal.com", "paypal.com"),
    ("https://evil.example/", "https://paypal.com@evil.example/", "paypal.com"),
    ("https://evil.example/", "https://www.paypal.com:login@evil.example/", "www.paypal.com"),
    ("https://evil.example/", "www.paypal.com@evil.example", "www.paypal.com"),
    ("https://evil.example/", "x.com", "x.com"),
    ("https://evil.example/", "müller.example", "müller.example"),
    ("https://evil.example/", "xn--mller-kva.example", "müller.example"),
    ("https://evil.example/", "paypal.xn--p1ai", "paypal.рф"),
    ("https://evil.example/", "http://日本.jp/a", "日本.jp"),
    ("https://paypal.com.evil.example/", "paypal.com", "paypal.com"),
    ("https://evil.example/paypal.com", "paypal.com", "paypal.com"),
    ("https://paypal.com@evil.example/", "paypal.com", "paypal.com"),
    ("https://p\u0430ypal.com/", "paypal.com", "paypal.com"),
    ("https://xn--pypal-4ve.com/", "paypal.com", "paypal.com"),
    ("https://www.evil.com/", "www.com", "www.com"),
    ("mailto:rossi@evil.example", "rossi@paypal.com", "paypal.com"),
    ("https:\\\\evil.example", "paypal.com", "paypal.com"),
]
HONEST = [
    ("https://www.paypal.com/", "WWW.PAYPAL.COM"),
    ("https://www.paypal.com/", "paypal.com"),
    ("https://paypal.com/", "www.paypal.com"),
    ("https://PayPal.com./x", "https://paypal.com/y?z=other.example"),
    ("https://paypal.com:8443/", "paypal.com:8443"),
    ("https://paypal.com/", "Apra paypal.com, poi «paypal.com/conto»."),
    ("https://giulia:secret@bottega.example/", "bottega.example"),
    ("https://bottega.example/a?r=https://other.example", "https://bottega.example/a?r=https://other.example"),
    ("https://müller.example/", "xn--mller-kva.example"),
    ("https://xn--mller-kva.example/", "MÜLLER.example"),
    ("https://xn--80ak6aa92e.com/", "xn--80ak6aa92e.com"),
    ("https://日本.jp/", "http://日本.jp"),
    ("mailto:paolo.rossi@gmail.example", "paolo.rossi@gmail.example"),
    ("https://evil.example/", "conto.pdf"),
    ("https://evil.example/", "Scarica Fattura_2026.11.PDF"),
    ("https://evil.example/", "e.g. this one"),
    ("https://evil.example/", "p.es. qui"),
    ("https://evil.example/", "la prof.ssa Rossi della Bottega S.p.A."),
    ("https://evil.example/", "ore 9.30 del 22.11.2026, versione 1.2.3"),
    ("https://evil.example/", "Clicca qui... ora"),
    ("https://evil.example/", "你好。谢谢。"),
    ("https://evil.example/", "Qui"),
    ("https://evil.example/", ""),
]


@pytest.mark.parametrize(("url", "text", "shown"), DISGUISED)
def test_a_text_that_shows_another_host_disguises_the_link(url: str, text: str, shown: str) -> None:
    assert pretended_host(url, real_host(url), text) == shown


@pytest.mark.parametrize(("url", "text"), HONEST)
def test_a_text_that_shows_its_own_host_or_none_is_honest(url: str, text: str) -> None:
    assert pretended_host(url, real_host(url), text) == ""
