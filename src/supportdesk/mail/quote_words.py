"""The words by which mail programs introduce quoted mail, in the languages they speak; all case-folded. Data only.

Sources: the localized strings of Outlook, Apple Mail, Gmail, Thunderbird and Yahoo as they appear in real mail.
"""

from __future__ import annotations

# … wrote: in attribution lines.
VERBS = (
    "wrote", "writes", "schrieb", "geschrieben", "a écrit", "à écrit", "ha scritto", "ha scritto,", "scrisse",
    "escribió", "escribio", "escreveu", "schreef", "geschreven",
    "napisał", "napisała", "napisał(a)", "pisze", "skrev", "skrev följande", "følgende", "kirjoitti", "napsal",
    "napsal(a)", "napsala", "napísal", "napísal(a)", "írta", "a scris",
    "yazdı", "şunu yazdı", "şunları yazdı", "пишет", "писал", "писал(а)", "написал", "написала", "написал(а)", "пише",
    "написав", "написав(ла)", "έγραψε", "写道", "寫道", "のメール", "書きました",
    "작성", "작성했습니다", "đã viết", "menulis", "כתב", "כתב/ה", "كتب", "написа", "je napisao", "je napisao/la",
    "je napisala", "napisao je", "napisala je", "je oseba", "va escriure", "kirjutas", "rašė",
    "rakstīja", "skrifaði", "idatzi du", "ha scritt", "พูดว่า", "เขียนว่า", "said", "пишу", "shkroi",
    "hat geschrieben", "sendte", "wrote:", "scripsit",
)  # fmt: skip

# What an attribution line begins with: On Monday …, Am 20.11. …
OPENINGS = (
    "on ", "am ", "le ", "il ", "il giorno ", "el ", "em ", "op ", "w dniu ", "dnia ", "den ", "på ", "fra: ",
    "pada ", "dne ", "dňa ", "pe ", "la ", "în ", "à ", "a ", "в ", "во ", "у ", "на ", "στις ",
    "în data de ", "vào ", "ב", "في ", "kl. ", "ons", "tor", "fre", "lør", "søn", "man", "tir", "mån", "tis", "lör",
    "sön", "ma ", "ti ", "ke ", "to ", "pe ", "la ", "su ", "lun", "mar", "mer", "gio",
    "ven", "sab", "dom", "mié", "jue", "vie", "sáb", "пн", "вт", "ср", "чт", "пт", "сб", "вс", "po ", "út ", "st ",
    "čt ", "pá ", "so ", "ne ", "ср,", "пон", "втр", "né", "dana ", "dana", "quoting ", "in message ",
)  # fmt: skip

# Labels of a header block: kind by label.
LABELS = {
    **dict.fromkeys(
        "from|von|de|da|van|från|fra|od|lähettäjä|feladó|от|от кого|від|"
        "发件人|寄件者|寄件人|差出人|送信者|보낸 사람|보낸사람|kimden|gönderen|από|de la|expéditeur|"
        "mittente|remitente|afzender|nadawca|מאת|من|odesílatel|odosielateľ|"
        "från|saatja|no|nuo|dari|từ|afsender|avsender|pošiljatelj|발신|"
        "від кого|sender".split("|"),
        "from",
    ),
    **dict.fromkeys(
        "sent|date|gesendet|gesendet am|datum|envoyé|envoyé le|inviato|"
        "inviata|data|enviado|enviado el|enviada em|enviado em|fecha|"
        "verzonden|verzonden op|skickat|sendt|dato|wysłano|wysłane|odesláno|"
        "odoslané|lähetetty|päivämäärä|elküldve|dátum|отправлено|дата|"
        "відправлено|надіслано|发送时间|发件日期|日期|寄件日期|傳送時間|送信日時|日付|보낸 날짜|날짜|"
        "gönderildi|tarih|στάλθηκε|ημερομηνία|trimis|נשלח|תאריך|تاريخ|"
        "skickades|poslano|изпратено|надіслане|sent on|gửi|dikirim|tanggal|sent at".split("|"),
        "date",
    ),
    **dict.fromkeys(
        "to|an|à|a|para|aan|till|til|do|komu|vastaanottaja|címzett|кому|до|"
        "收件人|收件者|宛先|받는 사람|받는사람|kime|alıcı|προς|către|destinataire|destinatario|"
        "al|אל|إلى|za|prejemnik|kepada|đến|voor".split("|"),
        "to",
    ),
    **dict.fromkeys(
        "subject|betreff|objet|oggetto|asunto|assunto|onderwerp|ämne|"
        "emne|temat|předmět|predmet|aihe|tárgy|тема|主题|主題|主旨|件名|제목|konu|"
        "θέμα|subiect|נושא|الموضوع|zadeva|subjek|chủ đề|assumpte|teema|"
        "tema|subj".split("|"),
        "subject",
    ),
    **dict.fromkeys(
        "cc|kopie|copie à|copie|cópia|kopia|kopio|másolat|копия|копія|"
        "抄送|副本|참조|bilgi|κοιν|kopi|reply-to|antwort an|organization|attachments|"
        "importance|anlagen".split("|"),
        "other",
    ),
}

# -----Original Message-----
CITING = (
    "zitat von", "quoting ", "citando ", "citazione da", "citat af", "citerar ", "citat från", "en réponse à", "cytat",
)  # fmt: skip
ORIGINAL = (
    "original message", "original-nachricht", "originalnachricht", "ursprüngliche nachricht",
    "ursprungliche nachricht", "message d'origine", "message d’origine", "message original", "messaggio originale",
    "mensaje original", "mensagem original", "oorspronkelijk bericht", "originele bericht", "ursprungligt meddelande",
    "originalmeddelande", "oprindelig meddelelse", "opprinnelig melding", "alkuperäinen viesti",
    "oryginalna wiadomość", "wiadomość oryginalna", "původní zpráva", "pôvodná správa", "eredeti üzenet",
    "mesaj original", "mesajul original", "özgün ileti", "orijinal mesaj", "исходное сообщение",
    "оригинальное сообщение", "пересылаемое письмо", "оригінальне повідомлення", "вихідне повідомлення",
    "αρχικό μήνυμα", "原始邮件", "原始郵件", "邮件原件", "元のメッセージ", "オリジナルメッセージ",
    "원본 메시지", "원본 이메일",
    "originálna správa", "izvorna poruka", "izvirno sporočilo", "tin nhắn gốc", "pesan asli", "הודעה מקורית",
    "الرسالة الأصلية", "reply message", "antwort nachricht", "missatge original", "original email",
    "original appointment", "ursprünglicher termin",
)  # fmt: skip

# ---------- Forwarded message ---------- : what follows is new to the reader and is never folded.
FORWARDED = (
    "forwarded message", "begin forwarded message", "weitergeleitete nachricht", "anfang der weitergeleiteten",
    "message transféré", "début du message transféré", "début du message réexpédié",
    "messaggio inoltrato", "inizio messaggio inoltrato", "inizio del messaggio inoltrato", "mensaje reenviado",
    "inicio del mensaje reenviado", "mensagem encaminhada", "mensagem reencaminhada",
    "início da mensagem", "doorgestuurd bericht", "begin doorgestuurd bericht", "vidarebefordrat meddelande",
    "vidarebefordrat brev", "videresendt besked", "videresendt melding", "välitetty viesti",
    "przekazana wiadomość", "wiadomość przekazana", "přeposlaná zpráva", "preposlaná správa", "továbbított üzenet",
    "mesaj redirecționat", "iletilmiş mesaj", "yönlendirilen", "пересылаемое сообщение",
    "начало переадресованного", "пересланное сообщение", "переслане повідомлення", "προωθημένο μήνυμα", "转发的邮件",
    "已转发邮件", "轉寄的訊息", "轉寄郵件", "転送メッセージ", "転送メール", "転送されたメッセージ",
    "전달된 메시지", "전달된 이메일",
    "proslijeđena poruka", "הודעה שהועברה", "رسالة محولة", "missatge reenviat", "weitergeleitete e-mail",
)  # fmt: skip

# The last line that a phone writes by itself.
SENT_FROM = (
    "sent from my", "sent from mail for", "sent from outlook", "sent from yahoo", "sent from samsung", "sent via",
    "sent with", "sent using", "get outlook for", "sent from proton", "von meinem", "gesendet mit",
    "gesendet von", "diese nachricht wurde von meinem", "holen sie sich outlook", "outlook für", "envoyé de mon",
    "envoyé depuis", "envoyé à partir", "obtenez outlook", "télécharger outlook", "inviato da", "inviato dal",
    "scarica outlook",
    "ottieni outlook", "enviado desde", "enviado do meu", "enviado de mi", "enviado do", "obtener outlook",
    "obter o outlook", "verzonden vanaf", "verstuurd vanaf", "verzonden met", "outlook voor", "skickat från",
    "sendt fra", "hent outlook", "hämta outlook",
    "wysłane z", "wysłano z", "odesláno z", "odoslané z", "lähetetty", "küldve", "trimis de pe", "отправлено с",
    "отправлено из", "отправлено от", "надіслано з", "从我的", "发自我的", "從我的", "傳送自",
    "iphoneから送信", "ipadから送信",
    "나의 iphone", "내 iphone", "στάλθηκε από", "iphone'umdan", "iphone’umdan", "ipad'imden", "poslano s", "poslano iz",
    "đã gửi từ", "dikirim dari", "enviat des", "saadetud minu", "envoyé avec",
)  # fmt: skip
