"""The words of the notices that companies put below each mail, in the languages they write; all case-folded. Data only.

A notice speaks of *this* message, says that it is confidential, and for whom it is or what to do if it came by mistake.
A customer who writes about a message that reached the wrong person says "I".
"""

from __future__ import annotations

THIS_MESSAGE = (
    "this e-mail", "this email", "this message", "this communication", "this transmission", "this electronic mail",
    "diese e-mail", "dieser e-mail", "diese email", "dieser email", "diese mail", "diese nachricht", "dieser nachricht",
    "ce message", "cet e-mail", "cet email", "ce courriel", "cette communication", "le présent message",
    "questo messaggio", "questa e-mail", "questa email", "questa mail", "questa comunicazione", "presente messaggio",
    "presente e-mail", "presente email", "presente comunicazione",
    "este mensaje", "este correo", "presente mensaje", "presente correo", "esta comunicación",
    "esta mensagem", "este e-mail", "este email", "presente mensagem",
    "dit bericht", "deze e-mail", "deze email", "dit e-mailbericht", "deze mail",
    "ta wiadomość", "tej wiadomości", "niniejsza wiadomość", "niniejszej wiadomości", "niniejszy e-mail",
    "tato zpráva", "této zprávy", "tento e-mail", "tato správa", "táto správa", "tejto správy",
    "detta meddelande", "detta e-post", "denna e-post", "detta mejl",
    "denne e-mail", "denne mail", "denne meddelelse", "denne e-post", "denne meldingen", "denne e-posten",
    "tämä viesti", "tämän viestin", "tämä sähköposti", "ez az üzenet", "ez az e-mail", "jelen üzenet", "ezen üzenet",
    "acest mesaj", "acest e-mail", "bu e-posta", "bu mesaj", "bu ileti", "bu elektronik posta",
    "данное сообщение", "это сообщение", "настоящее сообщение", "данное письмо", "это письмо", "настоящее письмо",
    "παρόν μήνυμα", "αυτό το μήνυμα", "ова порака", "това съобщение", "ova poruka", "ovaj e-mail", "to sporočilo",
)  # fmt: skip
CONFIDENTIAL = (
    "confidential", "privileged", "vertraulich", "confidentiel", "riservat", "confidenzial", "confidencial",
    "vertrouwelijk", "poufn", "důvěrn", "dôvern", "konfidenti", "fortrolig", "luottamuksell", "bizalmas", "confidenți",
    "confidenţi", "gizli", "конфиденциальн", "εμπιστευτικ", "povjerljiv", "zaupn", "поверителн", "2016/679",
)  # fmt: skip
MISDIRECTED = (
    "intended recipient", "intended solely", "intended only", "intended for", "in error", "addressee", "by mistake",
    "richtige adressat", "vorgesehene", "irrtümlich", "versehentlich", "adressaten bestimmt", "destinataire",
    "par erreur", "destinatari", "per errore", "por error", "por engano", "por erro", "geadresseerde", "ten onrechte",
    "per abuis", "niet voor u bestemd", "adresat", "omyłkow", "przez pomyłkę", "adresát", "omylem", "av misstag",
    "mottagaren", "ved en fejl", "ved en feil", "modtager", "mottaker", "vahingossa", "vastaanottaja", "címzett",
    "tévedés", "din greșeală", "din greşeală", "yanlışlıkla", "alıcı", "по ошибке", "ошибочно", "адресат", "παραλήπτη",
    "εκ παραδρομής", "greškom", "pomotoma", "погрешка",
)  # fmt: skip
BEFORE_PRINTING = (
    "consider the environment before printing", "think before you print", "think before printing",
    "bevor sie diese e-mail", "bevor sie diese mail", "denken sie an die umwelt", "pensez à l'environnement",
    "pensez à l’environnement", "prima di stampare questa", "pensa all'ambiente", "pensa all’ambiente",
    "rispetta l'ambiente", "rispetta l’ambiente", "antes de imprimir este", "antes de imprimir esta",
    "denk aan het milieu", "zanim wydrukujesz", "než vytisknete", "tänk på miljön", "tænk på miljøet",
    "tenk på miljøet",
)  # fmt: skip
# Whoever says so writes himself: "I have received a confidential message in error."
FIRST_PERSON = frozenset((
    "i've", "i’ve", "i'm", "i’m", "my", "me", "ich", "mir", "mich", "mein", "meine", "meiner", "j'ai", "j’ai", "mon",
    "mes", "mio", "mia", "miei", "mie", "mi", "yo", "meu", "minha", "eu", "ik", "mijn", "jag", "min", "mitt", "jeg",
    "minun", "minulle", "mój", "moja", "mam", "můj", "mne", "mám", "én", "nekem", "benim", "bana", "я", "мне", "мой",
    "моё", "моя", "εγώ", "μου",
))  # fmt: skip
FIRST_PERSON_VERBS = (
    "i have ", "i received ", "i got ", "i am ", "i think ", "ho ricevuto ", "he recibido ", "je vous ",
)  # fmt: skip
