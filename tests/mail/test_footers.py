"""Legal notices below a mail are folded, in the languages of Europe; what a person wrote never is (PARSE-13)."""

from __future__ import annotations

import pytest

from supportdesk.mail.quotes import find_folds

NOTICES = [
    " ".join(one.split())
    for one in """
This e-mail and any attachments are confidential and intended solely for the addressee. If you have received
it in error, please notify the sender and delete it.

Diese E-Mail enthält vertrauliche und/oder rechtlich geschützte Informationen. Wenn Sie nicht der richtige
Adressat sind, informieren Sie bitte sofort den Absender und vernichten Sie diese Mail.

Ce message et ses pièces jointes sont confidentiels et établis à l'intention exclusive de leur destinataire.
Si vous l'avez reçu par erreur, merci de le détruire.

Ai sensi del Regolamento UE 2016/679 le informazioni contenute in questo messaggio sono riservate e ad uso
esclusivo del destinatario. Qualora fosse pervenuto per errore, si prega di eliminarlo.

Este mensaje y sus archivos adjuntos son confidenciales y van dirigidos exclusivamente a su destinatario. Si
lo ha recibido por error, le rogamos que lo elimine.

Esta mensagem é confidencial e destina-se apenas ao seu destinatário. Se a recebeu por engano, por favor
informe o remetente e elimine-a do seu sistema.

Dit bericht is vertrouwelijk en uitsluitend bestemd voor de geadresseerde. Heeft u dit bericht ten onrechte
ontvangen, dan verzoeken wij u het te verwijderen.

Niniejsza wiadomość jest poufna i przeznaczona wyłącznie dla adresata. Jeżeli otrzymali ją Państwo omyłkowo,
prosimy o powiadomienie nadawcy i jej usunięcie.

Tato zpráva je důvěrná a je určena pouze adresátovi. Pokud jste ji obdrželi omylem, informujte prosím
odesílatele a zprávu odstraňte ze svého systému.

Detta meddelande är konfidentiellt och avsett endast för mottagaren. Om du har fått det av misstag, var vänlig
meddela avsändaren och radera meddelandet.

Denne e-mail er fortrolig og kun beregnet til den angivne modtager. Hvis den er modtaget ved en fejl, bedes
afsenderen underrettes og mailen slettes straks.

Tämä viesti on luottamuksellinen ja tarkoitettu vain vastaanottajalle. Jos se on tullut vahingossa perille,
pyydämme ilmoittamaan lähettäjälle ja poistamaan sen.

Ez az üzenet bizalmas, és kizárólag a címzettnek szól. Amennyiben tévedésből kapta, kérjük értesítse a
feladót, és törölje az üzenetet a rendszeréből.

Acest mesaj este confidențial și se adresează exclusiv destinatarului. Dacă l-ați primit din greșeală, vă
rugăm să anunțați expeditorul și să îl ștergeți.

Bu e-posta gizli bilgiler içerebilir ve yalnızca alıcısına yöneliktir. Yanlışlıkla ulaştıysa lütfen göndereni
bilgilendirin ve iletiyi sisteminizden silin.

Данное сообщение содержит конфиденциальную информацию и предназначено только адресату. Если оно получено по
ошибке, просьба уведомить отправителя и удалить его.

Το παρόν μήνυμα είναι εμπιστευτικό και απευθύνεται μόνο στον παραλήπτη. Αν το λάβατε εκ παραδρομής,
παρακαλούμε ενημερώστε τον αποστολέα και διαγράψτε το.

Please consider the environment before printing this e-mail.

Prima di stampare questa mail, pensa all’ambiente.
""".split("\n\n")
]
HUMAN = [
    " ".join(one.split())
    for one in """
I received a confidential message of another customer in error, with her address and her order. I have deleted
this message. Please see to it that my data do not go to others.

Ho ricevuto per errore un messaggio riservato di un altro cliente: nella mail c'è il suo indirizzo. Vi prego
di controllare, perché anche i miei dati potrebbero essere stati inviati ad altri.

Ich habe versehentlich eine vertrauliche Nachricht für einen anderen Kunden bekommen. Diese E-Mail habe ich
gelöscht, aber bitte prüfen Sie das, und melden Sie sich bei mir.

Is this message confidential? It was not intended for me, and if it came by mistake then please tell the
sender so, because nobody else will do it and it should be deleted.

Bitte behandeln Sie meine Anfrage vertraulich.

Diese E-Mail geht auch an meine Frau.

The parcel was intended for my neighbour and came here by mistake. Please pick it up this week, it is quite
heavy.
""".split("\n\n")
]


@pytest.mark.parametrize("notice", NOTICES)
def test_parse_13_a_legal_notice_is_folded_in_any_language(notice: str):
    text = f"Wo ist mein Paket?\n\nAnna Kunde\nKunde GmbH\n\n{notice}\n"
    (fold,) = find_folds(text)
    assert (text[fold.start : fold.end].strip(), fold.kind) == (notice, "signature")
    quoted = f"{text}\n> Guten Tag\n> Ihr Shop\n"
    assert [fold.kind for fold in find_folds(quoted)] == ["signature", "quote"], "and above what is quoted"


@pytest.mark.parametrize("words", HUMAN)
def test_parse_13_what_a_person_says_about_a_message_is_not_folded(words: str):
    assert find_folds(f"Guten Tag,\n\n{words}\n") == ()
    assert find_folds(words) == ()


def test_parse_13_a_notice_is_not_folded_where_it_is_all_there_is_or_stands_above_what_is_said():
    notice = NOTICES[0]
    assert find_folds(notice) == ()
    assert find_folds(f"Hello\n\n{notice}\n\nWhere is it?\n") == ()
    assert len(find_folds(f"Where is it?\n\n{notice}\n\n{NOTICES[1]}\n\n{NOTICES[-1]}\n")) == 3


def test_parse_13_endless_notices_are_read_in_a_moment():
    assert find_folds("Hello\n\n" + f"{NOTICES[0]}\n\n" * 5_000)
    assert find_folds("x\n\n" + "this e-mail confidential in error " * 30_000) == ()
