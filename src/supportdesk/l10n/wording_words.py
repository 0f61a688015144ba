"""The words by which a letter's register, greeting and closing are known; only data, for `l10n.wording`.

Informal words are whole words in any case, formal ones patterns with the capitals that politeness asks for. What is
also a common word of the other register, or of none (Italian `sei`, French `as`), is left out: a doubt is no fault.
"""

from __future__ import annotations

from typing import Final

INFORMAL_WORDS: Final = {
    "it": "tu|ti|tuo|tua|tuoi|tue|hai|puoi|vuoi|dimmi|scrivimi|scrivici|mandaci|inviaci"
    "|potrai|riceverai|troverai|dovrai|avrai|ciao",
    "de": "du|dir|dich|dein(?:e[rsmn]?)?|kannst|hast|möchtest|willst|musst|wirst",
    "fr": "tu|te|toi|ton|ta|tes|t['’](?=\\w)\\w+",
    "es": "tú|tu|tus|te|ti|contigo|puedes|tienes|quieres|debes|eres|recibirás|podrás|tendrás",
    "nl": "je|jij|jou|jouw",
}  # fmt: skip

_INSIDE: Final = r"(?<=[\w,;)’'] )"  # inside a sentence, where a capital is meant
FORMAL_WORDS: Final = {
    "it": _INSIDE + r"(?:Lei|Suo|Sua|Suoi|Sue)\b"
    r"|\b(?:La|Le) (?:ringrazi|inform|comunic|preghi|invit|augur|chied|conferm)\w+",
    "de": _INSIDE + r"(?:Sie|Ihnen|Ihr(?:e[rsmn]?)?)\b|^Sehr geehrte",
    "fr": r"(?<![Rr]endez-)(?<!\w)(?i:vous|votre|vos|veuillez)\b",
    "es": r"(?i:\busted(?:es)?\b)|(?i:^estimad[oa]s?\b)"
    r"|(?i:\bsu (?:pedido|paquete|compra|mensaje|dirección|cuenta|solicitud|consulta|paciencia|confianza)\b)",
    "nl": r"(?<!\w)(?:[Uu]|[Uu]w)(?![\w-])|^Geachte",
}  # fmt: skip

GREETINGS: Final = {
    "it": r"ciao|gentil|buon|salve|egregi|spett|car[oaie]\b|stimat|bentornat",
    "en": r"hi\b|hello|hey|dear|good (?:morning|afternoon|evening|day)|greetings|thank you|thanks",
    "de": r"hallo|guten?\b|sehr geehrte|liebe|moin|gr(?:ü|ue)(?:ß|ss)|grüezi|servus|hi\b|hey|verehrte|werte",
    "fr": r"bonjour|bonsoir|ch(?:er|ère)s?\b|madame|monsieur|salut|coucou|mesdames|bonne",
    "es": r"¡?(?:hola|buen[oa]s?\b|estimad|querid|apreciad|muy señor|distinguid)",
    "pt": r"olá|ola\b|bo[ma]\b|car[oa]s?\b|prezad|ex\.?mo?|estimad|oi\b",
    "nl": r"hallo|hoi|hey|hi\b|beste|geachte|goede|dag\b|lieve",
    "pl": r"dzień dobry|witam|witaj|szanown|drog|cześć|dobry wieczór|hej\b",
    "cs": r"dobr|vážen|mil[ýáí]|ahoj|zdrav|hezk|krásn|příjemn",
    "sk": r"dobr|vážen|mil[ýáí]|ahoj|zdrav|pekn|príjemn",
    "ro": r"bun|stimat|salut|drag",
    "hu": r"kedves|tisztelt|jó\b|szia|üdv|helló|hello",
    "sv": r"hej|god\b|bästa|kära|tjena|hallå",
    "da": r"hej|hejsa|kære|god|goddag|hallo",
    "no": r"hei|kjære|god|hallo",
    "fi": r"hei|hyvä|moi|terve|huomenta",
    "el": r"γεια|καλη|καλό|αγαπητ|χαίρε|αξιότιμ|κύρι",
    "tr": r"merhaba|sayın|iyi|günaydın|selam|değerli",
    "ru": r"здравствуй|добр|уважаем|привет|дорог",
    "uk": r"добр|вітаю|шановн|привіт|здрастуй",
    "ja": r".*(?:様|さま|お世話|こんにちは|こんばんは|ございます|お客|はじめまして|お問い合わせ|ありがとう)",
    "zh": r".*(?:您好|你好|尊敬|亲爱|早上好|下午好)",
    "ko": r".*(?:안녕|고객님)",
    "ar": r"مرحب|السلام|عزيز|تحية|السادة|أهل|صباح|مساء|السيد",
}

CLOSINGS: Final = {
    "it": r"salut|grazie|a presto|buon[ao]?\b|cordial|distint|un abbraccio|a disposizione",
    "en": r"regards|sincerely|best\b|thank|cheers|yours|take care|have a |wishes|warmly|see you|faithfully",
    "de": r"gr(?:ü|ue)(?:ß|ss)|gru(?:ss|ß)|bis bald|bis dann|dank|schönen|herzlich|tschüss|alles gute",
    "fr": r"cordialement|bien à |salutations|à (?:très )?bientôt|bonne |merci|amicalement|belle |sincère|respect",
    "es": r"salud|atentamente|cordial|gracias|hasta |abrazo|feliz|buen",
    "pt": r"cumprimentos|obrigad|atenciosamente|até |abraço|saudações|bo[ma] |melhores",
    "nl": r"groet|bedankt|dank|tot |fijne|prettige|hoogachtend|succes",
    "pl": r"pozdr|poważani|dzięk|miłego|do zobaczenia|życz|wyrazami|serdeczn",
    "cs": r"pozdrav|děkuj|hezk|krásn|přeje|s úctou|příjemn|nashledanou",
    "sk": r"pozdrav|ďakuj|pekn|praje|s úctou|príjemn|dovidenia",
    "ro": r"stimă|mulțum|o zi |salut|cu drag|respect|toate cele bune",
    "hu": r"üdvözl|köszön|szép napot|tisztelettel|üdv|minden jót",
    "sv": r"hälsning|tack|ha en |mvh|vänlig|hälsar|på återhörande",
    "da": r"hilsen|hilsner|tak|ha' |hav en |god dag|mvh|venlig|fortsat",
    "no": r"hilsen|takk|ha en |mvh|vennlig|fortsatt",
    "fi": r"terveisin|kiit|hyvää|mukavaa|ystävällis|yst\.|parhain",
    "el": r"εκτίμηση|χαιρετ|ευχαριστ|φιλικ|καλή|καλό",
    "tr": r"saygı|teşekkür|iyi |sevgi|selam|hoşça",
    "ru": r"уважени|спасибо|благодар|пожелани|хорош|до свидания|приветом",
    "uk": r"повагою|дяку|побажан|гарн|до побачення",
    "ja": r"お願い|ありがとう|いたします|ください|敬具|失礼",
    "zh": r"谢谢|感谢|祝|此致|敬礼|敬上",
    "ko": r"감사|드림|드립니다|안녕히",
    "ar": r"تحيات|تحية|شكر|احترام|تقدير|مع السلامة",
}
