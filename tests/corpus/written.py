"""Mails written by us in fourteen languages, as people write and mail programs quote: which lines are the person's.

For each language the words of a customer (among them a sentence that looks like the introduction of a quotation), and
what mail programs put around earlier mail. Five forms of each make seventy samples.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Tongue:
    """`words` are the customer's, the second line the one that looks like a quotation's introduction."""

    language: str
    words: tuple[str, str, str]
    answer: str  # an answer between two quoted lines
    quoted: tuple[str, str]  # what we had written
    attribution: str
    header: tuple[str, str, str, str]  # From, Sent, To, Subject
    original: str
    phone: str


@dataclass(frozen=True, slots=True)
class Sample:
    """A text, the lines of it that a person wrote now, and those of the earlier mail."""

    name: str
    text: str
    human: tuple[str, ...]
    earlier: tuple[str, ...]


TONGUES: Final = (
    Tongue(
        "it", ("Buongiorno, il pacco è arrivato aperto.", "Il 12 marzo vi avevo scritto due cose:",
               "la scatola era bagnata e mancava la vite."), "No, purtroppo no.",
        ("Il pacco è partito ieri.", "Ha controllato dal vicino?"),
        "Il giorno lun 2 mar 2026 alle ore 09:15 Bottega <aiuto@bottega.example> ha scritto:",
        ("Da: Bottega <aiuto@bottega.example>", "Inviato: lunedì 2 marzo 2026 09:15", "A: Rosa Bianchi",
         "Oggetto: Ordine 5521"), "-----Messaggio originale-----", "Inviato da iPhone",
    ),
    Tongue(
        "de", ("Guten Tag, das Paket kam offen an.", "Am Montag habe ich Ihnen Folgendes geschickt:",
               "zwei Fotos und die Rechnung."), "Nein, leider nicht.",
        ("Das Paket ging gestern auf die Reise.", "Haben Sie beim Nachbarn gefragt?"),
        "Am Mo., 2. März 2026 um 09:15 Uhr schrieb Bottega <aiuto@bottega.example>:",
        ("Von: Bottega <aiuto@bottega.example>", "Gesendet: Montag, 2. März 2026 09:15", "An: Otto Meier",
         "Betreff: Bestellung 5521"), "-----Ursprüngliche Nachricht-----", "Von meinem iPhone gesendet",
    ),
    Tongue(
        "fr", ("Bonjour, le colis est arrivé ouvert.", "Le 12 mars je vous ai dit deux choses :",
               "la boîte était mouillée et il manque une vis."), "Non, malheureusement.",
        ("Le colis est parti hier.", "Avez-vous demandé au voisin ?"),
        "Le lun. 2 mars 2026 à 09:15, Bottega <aiuto@bottega.example> a écrit :",
        ("De : Bottega <aiuto@bottega.example>", "Envoyé : lundi 2 mars 2026 09:15", "À : Marie Dupont",
         "Objet : Commande 5521"), "-----Message d'origine-----", "Envoyé de mon iPhone",
    ),
    Tongue(
        "es", ("Buenos días, el paquete llegó abierto.", "El 12 de marzo les dije dos cosas:",
               "la caja estaba mojada y falta un tornillo."), "No, lamentablemente no.",
        ("El paquete salió ayer.", "¿Ha preguntado al vecino?"),
        "El lun, 2 mar 2026 a las 9:15, Bottega (<aiuto@bottega.example>) escribió:",
        ("De: Bottega <aiuto@bottega.example>", "Enviado el: lunes, 2 de marzo de 2026 9:15", "Para: Ana García",
         "Asunto: Pedido 5521"), "-----Mensaje original-----", "Enviado desde mi iPhone",
    ),
    Tongue(
        "pt", ("Bom dia, a encomenda chegou aberta.", "Em março pedi duas coisas:",
               "uma caixa nova e o parafuso que falta."), "Não, infelizmente não.",
        ("A encomenda saiu ontem.", "Perguntou ao vizinho?"),
        "Em seg., 2 de mar. de 2026 às 09:15, Bottega <aiuto@bottega.example> escreveu:",
        ("De: Bottega <aiuto@bottega.example>", "Enviada em: segunda-feira, 2 de março de 2026 09:15",
         "Para: João Silva", "Assunto: Encomenda 5521"), "-----Mensagem original-----", "Enviado do meu iPhone",
    ),
    Tongue(
        "nl", ("Goedendag, het pakket kwam open aan.", "Op 12 maart vroeg ik u twee dingen:",
               "een nieuwe doos en de schroef die ontbreekt."), "Nee, helaas niet.",
        ("Het pakket is gisteren verzonden.", "Heeft u bij de buren gevraagd?"),
        "Op ma 2 mrt 2026 om 09:15 schreef Bottega <aiuto@bottega.example>:",
        ("Van: Bottega <aiuto@bottega.example>", "Verzonden: maandag 2 maart 2026 09:15", "Aan: Jan de Vries",
         "Onderwerp: Bestelling 5521"), "-----Oorspronkelijk bericht-----", "Verstuurd vanaf mijn iPhone",
    ),
    Tongue(
        "en", ("Hello, the parcel arrived open.", "On 12 March I told you two things:",
               "the box was wet and a screw is missing."), "No, sadly not.",
        ("The parcel left yesterday.", "Did you ask your neighbour?"),
        "On Mon, 2 Mar 2026 at 09:15, Bottega <aiuto@bottega.example> wrote:",
        ("From: Bottega <aiuto@bottega.example>", "Sent: Monday, March 2, 2026 9:15 AM", "To: Jane Smith",
         "Subject: Order 5521"), "-----Original Message-----", "Sent from my iPhone",
    ),
    Tongue(
        "pl", ("Dzień dobry, paczka przyszła otwarta.", "W dniu 12 marca prosiłem o dwie rzeczy:",
               "o nowe pudełko i brakującą śrubę."), "Nie, niestety nie.",
        ("Paczka wyszła wczoraj.", "Czy pytał Pan sąsiada?"),
        "pon., 2 mar 2026 o 09:15 Bottega <aiuto@bottega.example> napisał(a):",
        ("Od: Bottega <aiuto@bottega.example>", "Wysłano: poniedziałek, 2 marca 2026 09:15", "Do: Jan Kowalski",
         "Temat: Zamówienie 5521"), "-----Oryginalna wiadomość-----", "Wysłane z iPhone'a",
    ),
    Tongue(
        "sv", ("Hej, paketet kom fram öppnat.", "På måndagen bad jag om två saker:",
               "en ny låda och skruven som saknas."), "Nej, tyvärr inte.",
        ("Paketet skickades i går.", "Har du frågat grannen?"),
        "Den mån 2 mars 2026 kl 09:15 skrev Bottega <aiuto@bottega.example>:",
        ("Från: Bottega <aiuto@bottega.example>", "Skickat: den 2 mars 2026 09:15", "Till: Anna Svensson",
         "Ämne: Order 5521"), "-----Ursprungligt meddelande-----", "Skickat från min iPhone",
    ),
    Tongue(
        "da", ("Hej, pakken kom åben frem.", "Den 12. marts bad jeg om to ting:",
               "en ny æske og skruen, der mangler."), "Nej, desværre ikke.",
        ("Pakken blev sendt i går.", "Har du spurgt naboen?"),
        "Den man. 2. mar. 2026 kl. 09.15 skrev Bottega <aiuto@bottega.example>:",
        ("Fra: Bottega <aiuto@bottega.example>", "Sendt: 2. marts 2026 09:15", "Til: Mette Jensen",
         "Emne: Ordre 5521"), "-----Oprindelig meddelelse-----", "Sendt fra min iPhone",
    ),
    Tongue(
        "cs", ("Dobrý den, balík přišel otevřený.", "Dne 12. března jsem prosil o dvě věci:",
               "o novou krabici a chybějící šroub."), "Ne, bohužel.",
        ("Balík odešel včera.", "Ptal jste se souseda?"),
        "po 2. 3. 2026 v 9:15 odesílatel Bottega <aiuto@bottega.example> napsal:",
        ("Od: Bottega <aiuto@bottega.example>", "Odesláno: pondělí 2. března 2026 9:15", "Komu: Jan Novák",
         "Předmět: Objednávka 5521"), "-----Původní zpráva-----", "Odesláno z iPhonu",
    ),
    Tongue(
        "ru", ("Здравствуйте, посылка пришла вскрытой.", "В марте я просил о двух вещах:",
               "новую коробку и недостающий винт."), "Нет, к сожалению.",
        ("Посылка отправлена вчера.", "Вы спрашивали соседа?"),
        "пн, 2 мар. 2026 г. в 09:15, Bottega <aiuto@bottega.example>:",
        ("От: Bottega <aiuto@bottega.example>", "Отправлено: 2 марта 2026 г. 9:15", "Кому: Иван Петров",
         "Тема: Заказ 5521"), "-----Исходное сообщение-----", "Отправлено с iPhone",
    ),
    Tongue(
        "ja", ("こんにちは。荷物が開いた状態で届きました。", "3月12日に二つのことをお願いしました：",
               "新しい箱と足りないネジです。"), "いいえ、残念ながら。",
        ("荷物は昨日発送しました。", "お隣に聞きましたか。"),
        "2026年3月2日(月) 9:15 Bottega <aiuto@bottega.example>:",
        ("差出人: Bottega <aiuto@bottega.example>", "送信日時: 2026年3月2日 9:15", "宛先: 山田 太郎",
         "件名: 注文 5521"), "-----元のメッセージ-----", "iPhoneから送信",
    ),
    Tongue(
        "zh", ("您好，包裹到的时候是打开的。", "3月12日我提了两个要求：", "一个新盒子和缺少的螺丝。"), "没有，很遗憾。",
        ("包裹昨天已经寄出。", "您问过邻居吗？"),
        "Bottega <aiuto@bottega.example> 于2026年3月2日周一 09:15写道：",
        ("发件人: Bottega <aiuto@bottega.example>", "发送时间: 2026年3月2日 9:15", "收件人: 王小明",
         "主题: 订单 5521"), "-----原始邮件-----", "从我的 iPhone 发送",
    ),
)  # fmt: skip


def samples() -> Iterator[Sample]:
    """Five forms of each language."""
    for tongue in TONGUES:
        words, header = "\n".join(tongue.words), "\n".join(tongue.header)
        plain = "\n".join(tongue.quoted)
        marked = "\n".join(f"> {line}" for line in tongue.quoted)
        first, second = tongue.quoted
        yield _sample(tongue, "below", f"{words}\n\n{tongue.attribution}\n{marked}\n")
        yield _sample(tongue, "outlook", f"{words}\n\n________________________________\n{header}\n\n{plain}\n")
        yield _sample(tongue, "original", f"{words}\n\n{tongue.original}\n{header}\n\n{plain}\n")
        yield _sample(tongue, "phone", f"{words}\n\n{tongue.phone}\n\n{tongue.attribution}\n\n{marked}\n")
        between = f"{tongue.attribution}\n> {first}\n\n{words}\n\n> {second}\n\n{tongue.answer}\n"
        yield _sample(tongue, "between", between, tongue.answer)


def _sample(tongue: Tongue, form: str, text: str, *more: str) -> Sample:
    return Sample(f"{tongue.language}-{form}", text, (*tongue.words, *more), tongue.quoted)
