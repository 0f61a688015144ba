"""Common words and telling letters of the languages that are taken for each other; only data, for `l10n.detect`.

Each list is of a language's commonest words, those that it shares with its neighbours too: a word tells only where no
other language of the group lists it, so a list need not know its neighbours.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

_COMMON: Final[tuple[dict[str, str], ...]] = (
    {
        "da": (
            "jeg du han hun vi i de den det der som og at er var har havde ikke en et på til fra med af om for men "
            "så kan vil skal skulle ville kunne min mit mine din dit jer jeres os vores mig dig sig hvad hvor "
            "hvornår hvorfor hvordan hvis når da nu også kun bare meget mere lidt noget nogen ingen alt alle ellers "
            "endnu stadig igen efter før siden over under mellem uden ved hos gerne tak venlig hilsen hej undskyld "
            "pakke ordre modtaget bestilt bestilte købt købte betalt penge tilbage uger uge dage dag blevet været "
            "fået får fik gik kom gør sagde skrev nogle hellere desværre allerede fordi altid aldrig endelig inden "
            "rigtig samme vare varer størrelse levering"
        ),
        "no": (
            "jeg du han hun vi dere de den det der som og å er var har hadde ikke en ei et på til fra med av om for "
            "men så kan vil skal skulle ville kunne min mitt mi mine din ditt deres oss vår våre meg deg seg hva "
            "hvor når hvorfor hvordan hvis nå også bare veldig mye mer litt noe noen ingen alt alle ellers ennå "
            "enda fortsatt igjen etter før siden over under mellom uten ved hos gjerne takk vennlig hilsen hei "
            "beklager pakke pakken ordre mottatt bestilt bestilte kjøpt kjøpte betalt penger pengene tilbake uker "
            "uke dager dag blitt vært fått får fikk gikk kom gjør sa skrev noen heller dessverre allerede fordi "
            "alltid aldri endelig innen riktig samme vare størrelse levering"
        ),
        "sv": (
            "jag du han hon vi ni de den det där som och att är var har hade inte en ett på till från med av om för "
            "men så kan vill ska skulle kunde min mitt mina din ditt er ert era oss vår våra mig dig sig vad när "
            "varför hur nu också bara mycket mer lite något någon några ingen allt alla annars ännu fortfarande "
            "igen efter före sedan över under mellan utan vid hos gärna tack vänliga hälsningar hej ursäkta förlåt "
            "paket paketet order ordern fått beställt beställde köpt köpte betalt pengar pengarna tillbaka veckor "
            "vecka dagar dag blivit varit får fick gick kom gör sa skrev slutade hellre tyvärr redan eftersom "
            "alltid aldrig äntligen innan senast samma vara storlek leverans finns går tre fungerar svara svarar "
            "skickat"
        ),
    },
    {
        "cs": (
            "jsem jsi je jsme jste jsou byl byla bylo byli bude budu budou být ne není nebyl a i ale že když jestli "
            "protože aby který která které kteří co kdo kde kdy jak proč tak taky také jen ještě už zatím stále "
            "pořád nic něco někdo nikdo vám vás váš vaše vaši mi mě mně mne můj moje moji nám nás náš se si za do "
            "od na po pro před při bez u v s k z o můžu můžete může chci chtěl chtěla bych děkuji děkuju díky "
            "prosím dobrý den zdravím zboží objednávka objednávku objednal objednala zásilka zásilku balík balíček "
            "peníze zpátky dnů dny dní týdnů týdny přišel přišla přišlo dostal dostala poslal poslala poslali "
            "pošlete vrátit vrátila všechno tady teď potřeboval potřebuji nefunguje číslo adresu fakturu zrušení to "
            "ten ta tohle jiné opět znovu přes"
        ),
        "sk": (
            "som si je sme ste sú bol bola bolo boli bude budem budú byť nie nebol a i aj ale že keď či pretože "
            "lebo aby ktorý ktorá ktoré ktorí čo kto kde kedy ako prečo tak tiež len ešte už zatiaľ stále nič niečo "
            "niekto nikto vám vás váš vaše vaši mi ma mne môj moja moje moji nám nás náš sa za do od na po pre pred "
            "pri bez u v s k z o môžem môžete môže chcem chcel chcela by ďakujem vďaka prosím dobrý deň zdravím "
            "tovar objednávka objednávku objednal objednala zásielka zásielku balík balíka peniaze späť dní týždňov "
            "týždne prišiel prišla prišlo dostal dostala poslal poslala poslali pošlite vrátiť vrátila všetko tu "
            "tam teraz potreboval potrebujem nefunguje číslo adresu faktúru zrušenie to ten tá toto iné opäť znova "
            "cez dvakrát dva odišli mal mala kde"
        ),
        "pl": (
            "jestem jest są był była było byli będzie nie a i ale że gdy kiedy czy ponieważ żeby który która które "
            "co kto gdzie jak dlaczego tak też także tylko jeszcze już nadal ciągle nic coś ktoś nikt państwo "
            "państwa mi mnie mój moja moje nam nas nasz się za do od na po dla przed przy bez u w z o mogę można "
            "może chcę chciałbym chciałabym dziękuję dzięki proszę dzień dobry witam towar zamówienie zamówienia "
            "zamówiłem zamówiłam paczka paczkę pieniądze pieniędzy dni tygodnie tygodni przyszło przyszła dostałem "
            "dostałam zwrot zwrócić wszystko"
        ),
    },
    {
        "es": (
            "el la los las lo un una unos unas de del al a en con por para sin sobre y o pero que si no sí se me te "
            "le nos les mi mis tu su sus este esta esto ese esa eso yo usted ustedes ha he han hemos es son está "
            "están fue era ser hay muy más todavía ya también nada algo nadie quien cuando cuándo dónde donde cómo "
            "como qué porque hasta desde hace hola buenos buenas días tardes gracias pedido pedí paquete dinero "
            "devolver dirección quiero puedo pueden tienen tengo quisiera favor ahora siempre aquí llegado llegó "
            "recibido compra tienda saludo funciona pago dejó dos tres semanas correo cuenta envío envían mandaron "
            "muchas mucho"
        ),
        "pt": (
            "o a os as em um uma uns umas de do da dos das ao à em no na nos nas com por para sem sobre e ou mas "
            "que se não sim me te lhe vos meu minha meus minhas seu sua vosso vossa vossos este esta isto esse essa "
            "isso eu você vocês tem têm tenho há é são está estão foi era ser muito mais ainda já também nada algo "
            "ninguém quem quando onde como porque até desde olá bom boa dia tarde obrigado obrigada encomenda "
            "encomendei pacote dinheiro devolver morada quero posso podem gostaria favor agora sempre aqui chegou "
            "recebi recebeu compra loja cumprimentos funciona pagamento deixou dois duas três semanas conta envio "
            "enviam mandaram resposta aguardar aguardo fico prenda talão pelo pela pedido"
        ),
        "gl": (
            "o a os as un unha uns unhas de do da dos das ao á en no na nos nas con por para sen sobre e ou pero "
            "que se non si me te lle meu miña seu súa este esta isto eu vostede teñen teño hai é son está están foi "
            "era ser moi máis aínda xa tamén nada algo ninguén quen cando onde como porque ata desde ola bo boa día "
            "tarde grazas pedido paquete diñeiro enderezo quero podo agora sempre aquí chegou recibín compra tenda"
        ),
        "ca": (
            "el la els les lo un una uns unes de del dels al als a en amb per sense sobre i o però que si no sí es "
            "em et li ens us els meu meva meus teva seu seva aquest aquesta això jo vostè vostès ha he han hem és "
            "són està estan va vaig ser hi molt més encara ja també res algú ningú qui quan on com perquè fins des "
            "fa hola bon bona dia tarda gràcies comanda paquet diners tornar adreça vull puc poden tenen tinc "
            "voldria plau ara sempre aquí arribat rebut compra botiga salutació funciona pagament dos dues tres "
            "setmanes correu compte enviament"
        ),
        "it": (
            "il lo la i gli le un uno una di del della dei delle dello al alla ai alle dal dalla nel nella in con "
            "su per senza e ed o ma che se non sì si mi ti ci vi me te mio mia miei mie suo sua vostro vostra "
            "vostri questo questa io lei voi ha ho hanno abbiamo avete è sono sta fu era essere c'è molto più "
            "ancora già anche niente nulla qualcosa nessuno chi quando dove come perché fino da fa ciao buongiorno "
            "salve grazie ordine ordinato pacco soldi indietro rimborso indirizzo voglio vorrei posso potete può "
            "ora adesso sempre qui arrivato arriva ricevuto acquisto negozio saluti funziona pagamento due tre "
            "settimane conto spedizione mandato risposta attesa resto"
        ),
        "ro": (
            "un o al a ale ai la de din pe în cu pentru fără despre și sau dar că dacă nu da se îmi îți mă te ne vă "
            "mea meu mei sa său acest această aceasta eu voi am are au avem aveți este sunt era fost mult mai încă "
            "deja nimic ceva nimeni cine când unde cum până bună ziua salut mulțumesc comanda comandă comandat "
            "colet coletul bani banii înapoi adresa vreau aș pot puteți rog acum mereu aici ajuns primit magazin "
            "două trei săptămâni"
        ),
    },
    {
        "hr": (
            "tjedan tjedna tjedana što gdje tko uvijek narudžba narudžbu narudžbe lijep lijepo vrijeme poslije "
            "prije tijekom ovdje uopće kada hvala molim dobar dan nije sam smo je li ali još nisam paket primio "
            "primila"
        ),
        "sr": (
            "nedelja nedelje nedelju šta gde ko uvek porudžbina porudžbinu lep lepo vreme posle pre tokom ovde "
            "uopšte kada hvala molim dobar dan nije sam smo je li ali još nisam paket primio primila"
        ),
    },
    {
        "id": "bisa karena uang kapan belum apakah sudah tapi nomor saya pesanan tidak ini itu dengan untuk yang",
        "ms": "boleh kerana wang bila adakah tetapi nombor awak saya pesanan tidak ini itu dengan untuk yang",
    },
)

# Languages that the model tells from each other by itself; their words help where the text is very short.
_APART: Final = {
    "en": (
        "i you he she we they the a an this that of and to in on at by is are was were be been have has had not "
        "no yes for with from or but so can will would could should may my your our their it its me us them "
        "what where when why how if now also only just very more some any all still yet again after before "
        "please thank thanks hello"
    ),
    "de": (
        "ich du er sie wir ihr der die das den dem des ein eine einen einem einer und oder aber dass ist sind "
        "war waren sein haben hat hatte nicht kein keine auf für mit von aus bei zu zum zur im in am an um kann "
        "können wird werden wurde möchte mein meine dein ihre unser unsere mich mir dich uns was wo wann warum "
        "wie wenn jetzt auch nur sehr mehr etwas alles noch immer schon wieder nach vor bitte danke guten tag "
        "hallo"
    ),
    "nl": (
        "ik jij je hij zij ze wij we jullie u uw de het een dit dat deze die en of maar is zijn was waren heeft "
        "hebben had niet geen op voor met van uit bij naar te in aan om kan kunnen wordt worden werd wil mijn "
        "jouw onze ons mij wat waar wanneer waarom hoe als nu ook alleen zeer meer iets alles nog steeds al "
        "weer na graag dank bedankt hallo goedendag"
    ),
    "fr": (
        "je tu il elle nous vous ils le la les l un une des du de d ce cette ces et ou mais que qui est sont "
        "était être ai a avons avez ont pas ne n plus sur pour avec par dans en au aux à peut pouvez sera mon "
        "ma mes votre vos notre nos moi me où quand pourquoi comment si maintenant aussi très encore déjà "
        "toujours après avant merci bonjour oui non"
    ),
}

# Letters that settle a pair by themselves: each counts as a word, once.
_LETTERS: Final = {
    "sv": "äö", "da": "æø", "no": "æø",
    "cs": "ěřů", "sk": "ľĺŕôä", "pl": "ąęłżśń",
    "es": "ñ¿¡", "gl": "ñ", "pt": "ãõ", "ca": "·", "ro": "ășțşţ",
}  # fmt: skip


def marks_of(text: str) -> frozenset[str]:
    """What can tell in a lower-case text: its words, and each letter beyond ASCII, written `*ä`."""
    words = frozenset(word.strip("'’.,?!¿¡-") for word in text.split())
    return words | {f"*{char}" for char in set(text) if not char.isascii()}


def _exclusive(lists: dict[str, str]) -> dict[str, frozenset[str]]:
    listed = {language: COMMON[language] for language in lists}
    times = Counter(word for words in listed.values() for word in words)
    return {language: frozenset(word for word in words if times[word] == 1) for language, words in listed.items()}


COMMON: Final[dict[str, frozenset[str]]] = {
    language: frozenset(words.split()) | {f"*{letter}" for letter in _LETTERS.get(language, "")}
    for lists in (*_COMMON, _APART)
    for language, words in lists.items()
}
TELLING: Final[tuple[dict[str, frozenset[str]], ...]] = tuple(_exclusive(lists) for lists in _COMMON)
