"""Whether a message says only thanks: short, no question, nothing else. In doubt it is a message like any other."""

from __future__ import annotations

import re

from supportdesk.textfold import fold

LONGEST = 120
# Folded words. Everything a message says must be among them, and one of THANKS must be there.
THANKS = frozenset(
    """grazie ringrazio thanks thank thx danke dank bedankt merci gracias obrigado obrigada dziekuje tack takk
    kiitos""".split()
)
AROUND = frozenset(
    """mille tante molte infinite ancora per la vostra tua sua risposta aiuto gentilezza disponibilita tutto rapida
    veloce perfetto ottimo ok okay va bene gentilissimi gentilissima gentile siete stati buona giornata serata saluti
    cordiali distinti un saluto di cuore vi ti le la e a voi lei te
    you very much so a lot again for your the quick help reply answer great perfect all good cheers best regards kind
    have nice day many
    vielen herzlichen schonen lieben fur die ihre deine eure schnelle antwort hilfe alles gut perfekt super prima tag
    noch liebe viele grusse freundlichen mit freundlichem gruss und auch ihnen dir
    beaucoup pour votre ta reponse aide rapide parfait bonne journee soiree cordialement bien vous toi salutations
    muchas mil por su tu respuesta ayuda rapida perfecto todo muy amable saludo saludos buen dia cordial vale genial
    hartelijk je jullie snelle muito muita pela resposta bardzo za odpowiedz""".split()
)


def says_only_thanks(text: str) -> bool:
    """True for a message of at most 120 characters whose every word is one of thanks, courtesy or farewell."""
    text = text.strip()
    if not text or len(text) > LONGEST or "?" in text or "؟" in text or "？" in text:
        return False
    words = re.findall(r"\w+", fold(text.partition("\n-- ")[0]))
    return any(word in THANKS for word in words) and all(word in THANKS or word in AROUND for word in words)
