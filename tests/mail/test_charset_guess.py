"""Octets without a label: lines as customers write them, in the charsets that mail programs used for their language."""

from __future__ import annotations

import pytest

from supportdesk.mail.charset import decode, decode_header_octets

LINES = [
    ("koi8-r cp1251 iso8859-5", "Здравствуйте, где мой заказ? Пожалуйста, ответьте."),
    ("koi8-r cp1251 iso8859-5", "Где мой заказ"),
    ("koi8-u cp1251", "Не надійшла посилка вже два тижні. Дякую, Іван"),
    ("cp1251", "Върнете ми парите за продукта"),
    ("iso8859-2 cp1250", "Dzień dobry, gdzie jest moja paczka? Proszę o odpowiedź."),
    ("iso8859-2 cp1250", "Pieniądze nie wróciły, proszę o zwrot. Małgorzata Wójcik"),
    ("iso8859-2 cp1250", "Reklamace objednávky č. 12345, zboží nefunguje"),
    ("iso8859-2 cp1250", "Jó napot, hol van a csomagom? Köszönöm, Győző"),
    ("cp1250", "Dobar dan, gdje je moja pošiljka? Hvala, Željko Čović"),
    ("cp1252", "Wo ist mein Paket? Mit freundlichen Grüßen, Jörg Müller"),
    ("iso8859-15", "Bitte überweisen Sie mir das Geld für die Bestellung zurück. Es kostet 50 €"),
    ("cp1252 iso8859-15", "Où est ma commande ? Déjà payée à Noël"),
    ("cp1252", "Dov’è il mio ordine? È già passata una settimana, perché?"),
    ("cp1252", "Perché non è arrivato"),
    ("cp1252", "¿Dónde está mi pedido? Gracias, José Muñoz"),
    ("cp1252", "Onde está a minha encomenda? Não recebi. João"),
    ("cp1252", "Var är mitt paket? Hälsningar, Åsa Öberg"),
    ("cp1252", "Hvor er min pakke? Venlig hilsen Søren Ærø"),
    ("cp1253 iso8859-7", "Επιστροφή χρημάτων για την παραγγελία"),
    ("cp1254", "Merhaba, siparişim nerede? Teşekkürler, çok güzel ığdır"),
    ("cp1255", "שלום, איפה ההזמנה שלי?"),
    ("cp1256", "أريد استرداد المال"),
    ("cp874", "สวัสดี คำสั่งซื้อของฉันอยู่ที่ไหน"),
    ("gb18030", "您好，我的订单还没有到"),
    ("big5", "您好，我的訂單還沒到"),
    ("cp932 euc-jp", "注文した商品が届きません。よろしくお願いします。"),
    ("cp949", "안녕하세요, 제 주문은 어디에 있나요?"),
]
NAMES = (
    "Müller;François;José;Ñandú;Åsa;Günther Weiß;Zoë;Renée;Håkan;Núñez;Ibáñez;Gonçalves;João;Bjørn;Désirée;naïve;café;"
    "Ærø;Þór;Ólafur;Mañana;Brontë;Ørsted;Curaçao;Öl;Può;Più;Sì;Perché;Così;È urgente;€50;£5;§ 5;© ACME;don’t;20°C;½"
).split(";")


@pytest.mark.parametrize(("charset", "line"), [(one, line) for charsets, line in LINES for one in charsets.split()])
def test_parse_7_a_line_without_a_label_is_read_in_its_own_charset(charset: str, line: str):
    assert decode(line.encode(charset)).text == line
    assert decode(line.encode(charset), "utf-8").text == line, "nor does a label that is plainly wrong help"


@pytest.mark.parametrize("name", NAMES)
def test_parse_7_what_may_be_western_european_is(name: str):
    assert decode_header_octets(name.encode("cp1252")) == name


def test_parse_7_a_stray_octet_makes_no_other_alphabet_of_english():
    text = "It\x92s 5 \xa3 and I don\x92t know where my parcel is. " * 3
    assert decode(text.encode("latin-1")).charset == "cp1252"
