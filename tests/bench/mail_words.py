"""The words, names and phrases of the benchmark's mail, in five languages, the most frequent first."""

from __future__ import annotations

from typing import Final

WORDS: Final = {
    "en": """
order invoice delivery refund account password login payment card shipment tracking number address customer service
support problem error message screen update version install license key renewal contract cancel subscription monthly
yearly price discount product warranty repair replacement broken missing wrong late urgent please thank regards
hello dear team question answer reply again yesterday today tomorrow week attached screenshot document file email
phone call website application server connection slow crash printer laptop battery charger size colour return box
package courier warehouse stock available when where which because however already still never always working
stopped since after before between reset verify confirm change request ticket reference""".split(),
    "it": """
ordine fattura consegna rimborso account password accesso pagamento carta spedizione tracciamento numero indirizzo
cliente servizio assistenza problema errore messaggio schermo aggiornamento versione installare licenza chiave
rinnovo contratto annullare abbonamento mensile annuale prezzo sconto prodotto garanzia riparazione sostituzione
rotto mancante sbagliato ritardo urgente prego grazie saluti buongiorno gentile squadra domanda risposta perché però
già ancora mai sempre funziona fermato dopo prima tra ripristinare verificare confermare modificare richiesta
riferimento allegato schermata documento telefono chiamata sito applicazione connessione lento stampante batteria
caricabatterie taglia colore reso scatola pacco corriere magazzino disponibile quando dove quale
città più può""".split(),
    "de": """
Bestellung Rechnung Lieferung Rückerstattung Konto Passwort Anmeldung Zahlung Karte Versand Sendungsverfolgung
Nummer Adresse Kunde Dienst Unterstützung Problem Fehler Nachricht Bildschirm Aktualisierung Version installieren
Lizenz Schlüssel Verlängerung Vertrag kündigen Abonnement monatlich jährlich Preis Rabatt Produkt Garantie Reparatur
Ersatz kaputt fehlt falsch verspätet dringend bitte danke Grüße hallo geehrte Mannschaft Frage Antwort weil jedoch
schon noch nie immer funktioniert gestoppt nach vor zwischen zurücksetzen überprüfen bestätigen ändern Anfrage
Referenz Anhang Bildschirmfoto Dokument Telefon Anruf Webseite Anwendung Verbindung langsam Absturz Drucker Akku
Ladegerät Größe Farbe Rücksendung Schachtel Paket Kurier Lager verfügbar wann wo welche""".split(),
    "fr": """
commande facture livraison remboursement compte connexion paiement carte expédition suivi numéro adresse client
service assistance problème erreur message écran mise à jour version installer licence clé renouvellement contrat
annuler abonnement mensuel annuel prix remise produit garantie réparation remplacement cassé manquant mauvais retard
urgent merci cordialement bonjour cher équipe question réponse parce cependant déjà encore jamais toujours
fonctionne arrêté après avant entre réinitialiser vérifier confirmer modifier demande référence pièce jointe capture
document téléphone appel site application lenteur imprimante batterie chargeur taille couleur retour boîte colis
coursier entrepôt disponible quand où laquelle""".split(),
    "es": """
pedido factura entrega reembolso cuenta contraseña acceso pago tarjeta envío seguimiento número dirección cliente
servicio soporte problema error mensaje pantalla actualización versión instalar licencia clave renovación contrato
cancelar suscripción mensual anual precio descuento producto garantía reparación sustitución roto falta equivocado
retraso urgente gracias saludos hola estimado equipo pregunta respuesta porque embargo ya todavía nunca siempre
funciona detenido después antes entre restablecer verificar confirmar cambiar solicitud referencia adjunto captura
documento teléfono llamada sitio aplicación conexión lento impresora batería cargador talla color devolución caja
paquete mensajero almacén disponible cuándo dónde cuál mañana""".split(),
}

FIRST_NAMES: Final = """
Anna Marco Luca Giulia Hans Greta Jürgen Zoë François Élodie Peter Sarah John Emily José María Íñigo Lucía Chiara
Matteo Sofia Klaus Björn Aïcha Noël Pilar Diego Ingrid Olaf Renée""".split()

LAST_NAMES: Final = """
Rossi Bianchi Müller Schmidt Dupont Lefèvre García Hernández Smith Jones Taylor Brown Weiß Köhler Moreau Fontaine
Núñez Peña Esposito Ferrari Conti Greco Walker Hughes Schäfer Lange""".split()

DOMAINS: Final = """
example.com example.org example.net mail.example.it post.example.de courrier.example.fr correo.example.es
shop.example.co.uk""".split()

WROTE: Final = {
    "en": "On {date}, {name} wrote:",
    "it": "Il {date}, {name} ha scritto:",
    "de": "Am {date} schrieb {name}:",
    "fr": "Le {date}, {name} a écrit :",
    "es": "El {date}, {name} escribió:",
}

REPLY_PREFIXES: Final = {"en": "Re: ", "it": "R: ", "de": "AW: ", "fr": "RE: ", "es": "RV: "}
