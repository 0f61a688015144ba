"""What mail programs and people write in many languages: reply prefixes, absence notices, no-reply names, form labels.

Data only; what each of them means is decided by `mail.thread` and `mail.classify`. Case-folded, NFC.
"""

from __future__ import annotations

# Prefixes of replies and forwards, as written before a colon (RFC 5256 2.1 knows only re, fw and fwd).
REPLY_PREFIXES = frozenset(
    {
        "re", "fw", "fwd", "aw", "antw", "antwort", "wg", "sv", "vs", "vl", "vb", "rv", "r", "i", "tr", "enc",
        "encam", "res", "ref", "réf", "rép", "rép.", "rif", "odp", "pd", "ynt", "ilt", "atb", "doorst", "bls", "trs",
        "vá", "továbbítás", "válasz", "na", "hal", "yml", "sp", "fs", "reply", "risposta", "réponse", "respuesta",
        "resposta", "inoltro", "inoltra", "απ", "απάντηση", "σχετ", "πρθ", "ha", "на", "отв", "ответ", "пер",
        "переслать", "від", "вд", "відповідь", "答复", "答復", "回复", "回復", "回覆", "转发", "轉發", "轉寄",
        "返信", "転送", "회신", "답장", "전달", "رد", "إعادة توجيه", "תגובה", "תשובה", "השב", "הועבר", "ตอบ",
        "ตอบกลับ", "ส่งต่อ",
    }
)  # fmt: skip

# The start of the subject of an absence notice. Only believed together with an In-Reply-To of ours.
OUT_OF_OFFICE_SUBJECTS = (
    "automatic reply", "auto reply", "auto-reply", "autoreply", "auto response", "auto-response", "autoresponse",
    "autoresponder", "out of office", "out-of-office", "ooo:", "away from the office", "i am out of the office",
    "vacation reply", "on vacation", "on leave:", "risposta automatica", "risponditore automatico", "fuori sede",
    "fuori ufficio", "assente dall'ufficio", "assenza dall'ufficio", "automatische antwort",
    "automatische rückantwort", "abwesenheitsnotiz", "abwesenheitsbenachrichtigung", "abwesenheitsmeldung",
    "abwesenheitsassistent", "abwesend:", "abwesenheit:", "außer haus", "nicht im büro", "ich bin nicht im büro",
    "réponse automatique", "reponse automatique", "absence du bureau", "absent du bureau", "message d'absence",
    "notification d'absence", "en congés", "en conges", "respuesta automática", "respuesta automatica",
    "fuera de la oficina", "fuera de oficina", "ausente de la oficina", "resposta automática", "resposta automatica",
    "fora do escritório", "fora do escritorio", "ausência temporária", "automatisch antwoord", "afwezigheidsbericht",
    "niet aanwezig", "afwezig:", "autosvar", "automatiskt svar", "automatisk svar", "frånvaro", "fravær",
    "fraværende", "ikke til stede", "automaattinen vastaus", "poissa:", "poissaoloilmoitus",
    "odpowiedź automatyczna", "automatyczna odpowiedź", "nieobecność", "poza biurem", "automatická odpověď",
    "mimo kancelář", "automatická odpoveď", "mimo kancelárie", "automatikus válasz", "házon kívül",
    "răspuns automat", "raspuns automat", "automatski odgovor", "samodejni odgovor", "αυτόματη απάντηση",
    "εκτός γραφείου", "автоматический ответ", "автоответ", "нет на работе", "вне офиса", "автоматична відповідь",
    "автоматичен отговор", "otomatik yanıt", "otomatik yanit", "ofis dışında", "מענה אוטומטי", "תשובה אוטומטית",
    "رد تلقائي", "الرد التلقائي", "自动回复", "自动答复", "自動回覆", "自動回復", "自動返信", "自動応答", "不在通知",
    "外出中", "자동 회신", "자동 응답", "부재중", "ตอบกลับอัตโนมัติ", "trả lời tự động", "balasan otomatis",
    "vastaus automaattinen", "automātiskā atbilde", "automatinis atsakymas", "automaatvastus",
)  # fmt: skip

# Local parts, with separators taken out, of senders that read no answers.
NO_REPLY_NAMES = frozenset(
    {
        "noreply", "noreplies", "donotreply", "dontreply", "notreply", "nonrispondere", "nonrispondereaquestamail",
        "nichtantworten", "bittenichtantworten", "keineantwort", "nepasrepondre", "nepasrépondre", "noresponder",
        "norespondas", "noresponda", "naoresponder", "naoresponda", "nietbeantwoorden", "nietantwoorden",
        "svarejkmail", "svaraej", "svarikke", "nieodpowiadac", "neodpovidat", "neotvechat",
    }
)  # fmt: skip

# Labels before a value in the mail that a web form writes, separators and case aside.
FORM_ADDRESS_LABELS = frozenset(
    {
        "email", "e-mail", "mail", "email address", "e-mail address", "your email", "your e-mail", "sender email",
        "from email", "indirizzo email", "indirizzo e-mail", "indirizzo mail", "la tua email", "email cliente",
        "posta elettronica", "e-mail-adresse", "email-adresse", "emailadresse", "ihre e-mail", "ihre e-mail-adresse",
        "absender", "adresse e-mail", "adresse email", "adresse mail", "courriel", "votre e-mail", "votre email",
        "mél", "correo", "correo electrónico", "correo electronico", "tu correo", "dirección de correo",
        "dirección de correo electrónico", "endereço de e-mail", "e-mailadres", "emailadres", "adres e-mail",
        "epost", "e-post", "sähköposti", "メールアドレス", "メール",
    }
)  # fmt: skip
FORM_OTHER_LABELS = frozenset(
    {
        "name", "your name", "full name", "first name", "last name", "surname", "phone", "telephone", "subject",
        "message", "your message", "comment", "comments", "order", "order number", "company", "country", "nome",
        "cognome", "nome e cognome", "telefono", "cellulare", "oggetto", "messaggio", "il tuo messaggio", "ordine",
        "numero ordine", "azienda", "richiesta", "vorname", "nachname", "ihr name", "telefon", "telefonnummer",
        "betreff", "nachricht", "ihre nachricht", "bestellnummer", "firma", "nom", "prénom", "prenom", "votre nom",
        "téléphone", "sujet", "objet", "votre message", "numéro de commande", "société", "nombre", "apellidos",
        "teléfono", "asunto", "mensaje", "comentario", "número de pedido", "empresa", "apelido", "telefone",
        "assunto", "mensagem", "naam", "telefoonnummer", "onderwerp", "bericht", "imię", "imię i nazwisko",
        "nazwisko", "temat", "wiadomość", "お名前", "件名", "本文",
    }
)  # fmt: skip

# Domains where everybody has an address: having a mailbox there does not make the others ours.
SHARED_DOMAINS = frozenset(
    {
        "gmail.com", "googlemail.com", "outlook.com", "outlook.it", "outlook.de", "outlook.fr", "outlook.es",
        "hotmail.com", "hotmail.it", "hotmail.de", "hotmail.fr", "hotmail.es", "hotmail.co.uk", "live.com",
        "live.it", "live.de", "live.fr", "msn.com", "yahoo.com", "yahoo.it", "yahoo.de", "yahoo.fr", "yahoo.es",
        "yahoo.co.uk", "yahoo.co.jp", "ymail.com", "icloud.com", "me.com", "mac.com", "aol.com", "gmx.de", "gmx.net",
        "gmx.at", "gmx.ch", "gmx.com", "web.de", "t-online.de", "freenet.de", "posteo.de", "mailbox.org",
        "libero.it", "virgilio.it", "tiscali.it", "alice.it", "tim.it", "tin.it", "fastwebnet.it", "aruba.it",
        "pec.it", "legalmail.it", "pec.aruba.it", "arubapec.it", "postecert.it", "orange.fr", "wanadoo.fr",
        "free.fr", "laposte.net", "sfr.fr", "neuf.fr", "telefonica.net", "wp.pl", "o2.pl", "onet.pl", "interia.pl",
        "ziggo.nl", "kpnmail.nl", "proton.me", "protonmail.com", "pm.me", "fastmail.com", "zoho.com", "yandex.ru",
        "yandex.com", "mail.ru", "qq.com", "163.com", "126.com", "naver.com", "sapo.pt", "uol.com.br",
    }
)  # fmt: skip

# Marketplaces that give each buyer an address of his own: the address is the conversation.
RELAY_DOMAINS = (
    "marketplace.amazon.com", "marketplace.amazon.it", "marketplace.amazon.de", "marketplace.amazon.fr",
    "marketplace.amazon.es", "marketplace.amazon.co.uk", "marketplace.amazon.nl", "marketplace.amazon.pl",
    "marketplace.amazon.se", "marketplace.amazon.com.be", "marketplace.amazon.co.jp", "members.ebay.com",
    "members.ebay.it", "members.ebay.de", "members.ebay.fr", "members.ebay.es", "members.ebay.co.uk",
    "notification.mirakl.net", "mail.manomano.com", "message.cdiscount.com", "kaufland-marktplatz.de",
    "convos.etsy.com", "msg.zalando.com",
)  # fmt: skip
