"""Which mail servers an address probably has: a table of the providers that shops in Europe use, else the usual names.

Guesses only: whoever uses them connects first. No I/O; what a domain's MX says is an argument. Servers, ports and what
one logs in with are as in Mozilla's database of providers (ISPDB); where it is silent, as on the provider's own pages.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote

from supportdesk.desk.model import Server
from supportdesk.errors import UsageError
from supportdesk.l10n.catalog import N_, _
from supportdesk.mail.model import OAuthClient

Kind = Literal["imap", "smtp"]
PORTS: dict[tuple[Kind, str], int] = {
    ("imap", "implicit"): 993, ("imap", "starttls"): 143, ("imap", "none"): 143,
    ("smtp", "implicit"): 465, ("smtp", "starttls"): 587, ("smtp", "none"): 25,
}  # fmt: skip
APP_PASSWORD = N_("This provider wants an app password, made in the account's security settings.")
NO_PASSWORDS = N_("This provider takes no passwords from programs; you log in with a browser, on any machine.")
SWITCH_ON = N_("IMAP has to be switched on in the settings of this mailbox first.")
Service = Literal["", "microsoft", "google"]
SRV_SERVICES: dict[str, tuple[Kind, str]] = {  # RFC 6186, RFC 8314 5.1: in the order of preference
    "_imaps._tcp": ("imap", "implicit"), "_imap._tcp": ("imap", "starttls"),
    "_submissions._tcp": ("smtp", "implicit"), "_submission._tcp": ("smtp", "starttls"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Provider:
    """One provider: the domains of its own addresses, the ends of its MX names, its servers as `HOST[:PORT][/TLS]`."""

    name: str
    imap: str
    smtp: str
    domains: tuple[str, ...] = ()
    mx: tuple[str, ...] = ()
    hint: str = ""  # a msgid
    login: Literal["address", "local"] = "address"
    service: Service = ""  # whose browser login it takes
    app_passwords: str = ""  # where they are made


@dataclass(frozen=True, slots=True)
class Guess:
    """A pair of servers to try. `provider` is empty for what DNS said and for the usual names; `hint` is a msgid."""

    imap: tuple[Server, ...]  # in the order to try
    smtp: tuple[Server, ...]
    provider: str = ""
    hint: str = ""
    service: Service = ""
    app_passwords: str = ""
    outside: tuple[str, ...] = ()  # servers that DNS alone named, outside the address's domain: a person confirms them

    @property
    def takes_passwords(self) -> bool:
        return self.hint != NO_PASSWORDS


@dataclass(frozen=True, slots=True)
class ServiceRecord:
    """One SRV record (RFC 2782): `service` is `_imaps._tcp` and the like."""

    service: str
    priority: int
    weight: int
    port: int
    host: str


_GMX = ("gmx.de", "gmx.net", "gmx.at", "gmx.ch", "gmx.eu", "gmx.info", "gmx.org", "gmx.biz")
_OUTLOOK = (
    "outlook.com", *(f"outlook.{top}" for top in "at be cz de dk es fr hu ie it lv pt sk".split()), "outlook.com.gr",
    "hotmail.com", *(f"hotmail.{top}" for top in "be co.uk cz de dk es fi fr gr hu it lt lv nl no rs se sk".split()),
    "live.com", *(f"live.{top}" for top in "at be co.uk de dk fi fr ie it nl no se".split()), "live.com.pt", "msn.com",
)  # fmt: skip

PROVIDERS: tuple[Provider, ...] = (
    Provider(
        "Google",
        "imap.gmail.com",
        "smtp.gmail.com",
        ("gmail.com", "googlemail.com"),
        ("google.com", "googlemail.com"),
        APP_PASSWORD,
        service="google",
        app_passwords="https://myaccount.google.com/apppasswords",
    ),
    Provider(
        "Microsoft 365",
        "outlook.office365.com",
        "smtp.office365.com:587",
        (),
        ("mail.protection.outlook.com", "mx.microsoft"),
        NO_PASSWORDS,
        service="microsoft",
    ),
    Provider(
        "Outlook.com",
        "outlook.office365.com",
        "smtp-mail.outlook.com:587",
        _OUTLOOK,
        ("olc.protection.outlook.com",),
        NO_PASSWORDS,
        service="microsoft",
    ),
    Provider(
        "Yahoo",
        "imap.mail.yahoo.com",
        "smtp.mail.yahoo.com",
        ("yahoo.com", "yahoo.it", "yahoo.de", "yahoo.fr", "yahoo.es", "yahoo.co.uk", "ymail.com"),
        ("yahoodns.net",),
        APP_PASSWORD,
        app_passwords="https://login.yahoo.com/account/security",
    ),
    Provider(
        "iCloud",
        "imap.mail.me.com",
        "smtp.mail.me.com:587",
        ("icloud.com", "me.com", "mac.com"),
        ("mail.icloud.com",),
        APP_PASSWORD,
        app_passwords="https://account.apple.com",
    ),
    Provider(
        "Aruba PEC",
        "imaps.pec.aruba.it",
        "smtps.pec.aruba.it",
        ("pec.it", "arubapec.it", "mypec.eu"),
        ("pec.aruba.it",),
    ),
    Provider("Aruba", "imaps.aruba.it", "smtps.aruba.it", ("aruba.it",), ("aruba.it",)),
    Provider(
        "Libero",
        "imapmail.libero.it",
        "smtp.libero.it",
        ("libero.it", "iol.it", "inwind.it", "blu.it", "giallo.it"),
        (),
        APP_PASSWORD,
    ),
    Provider("Virgilio", "in.virgilio.it", "out.virgilio.it", ("virgilio.it",), (), APP_PASSWORD),
    Provider("TIM", "imap.tim.it:143", "smtp.tim.it:587", ("tim.it",)),
    Provider("Tiscali", "imap.tiscali.it", "smtp.tiscali.it", ("tiscali.it",), ("tiscali.it",)),
    Provider("Register.it", "imap.securemail.pro", "authsmtp.securemail.pro", (), ("securemail.pro", "register.it")),
    Provider("OVH", "ssl0.ovh.net", "ssl0.ovh.net", (), ("ovh.net",)),
    Provider("IONOS", "imap.ionos.de", "smtp.ionos.de", (), ("ionos.de", "kundenserver.de")),
    Provider("IONOS", "imap.ionos.it", "smtp.ionos.it", (), ("ionos.it", "1and1.it", "servercliente.it")),
    Provider("IONOS", "imap.ionos.fr", "smtp.ionos.fr", (), ("ionos.fr",)),
    Provider("IONOS", "imap.ionos.es", "smtp.ionos.es", (), ("ionos.es",)),
    Provider("IONOS", "imap.ionos.co.uk", "smtp.ionos.co.uk", (), ("ionos.co.uk",)),
    Provider("STRATO", "imap.strato.de", "smtp.strato.de", (), ("rzone.de",)),
    Provider("GMX", "imap.gmx.net", "mail.gmx.net", _GMX, ("gmx.net",), SWITCH_ON),
    Provider(
        "GMX", "imap.gmx.com", "mail.gmx.com", ("gmx.com", "gmx.es", "gmx.fr", "gmx.co.uk", "mail.com"), (), SWITCH_ON
    ),
    Provider("WEB.DE", "imap.web.de", "smtp.web.de:587", ("web.de",), ("web.de",), SWITCH_ON),
    Provider(
        "T-Online", "secureimap.t-online.de", "securesmtp.t-online.de", ("t-online.de", "magenta.de"), (), APP_PASSWORD
    ),
    Provider("freenet", "mx.freenet.de", "mx.freenet.de", ("freenet.de",), (), SWITCH_ON),
    Provider("mailbox.org", "imap.mailbox.org", "smtp.mailbox.org", ("mailbox.org",), ("mailbox.org",)),
    Provider("Posteo", "posteo.de", "posteo.de", ("posteo.de", "posteo.net"), ("posteo.de",)),
    Provider("Hetzner", "mail.your-server.de", "mail.your-server.de", (), ("your-server.de",)),
    Provider("Gandi", "mail.gandi.net", "mail.gandi.net", (), ("gandi.net",)),
    Provider("Infomaniak", "mail.infomaniak.com", "mail.infomaniak.com", ("ik.me",), ("infomaniak.ch",)),
    Provider("Bluewin", "imaps.bluewin.ch", "smtpauths.bluewin.ch", ("bluewin.ch",)),
    Provider("Orange", "imap.orange.fr", "smtp.orange.fr", ("orange.fr", "wanadoo.fr")),
    Provider("Free", "imap.free.fr", "smtp.free.fr", ("free.fr",), (), "", "local"),
    Provider("SFR", "imap.sfr.fr", "smtp.sfr.fr", ("sfr.fr", "neuf.fr")),
    Provider("La Poste", "imap.laposte.net", "smtp.laposte.net", ("laposte.net",)),
    Provider("Arsys", "imap.serviciodecorreo.es", "smtp.serviciodecorreo.es", (), ("serviciodecorreo.es",)),
    Provider(
        "KPN",
        "imap.kpnmail.nl",
        "smtp.kpnmail.nl",
        ("kpnmail.nl", "kpnplanet.nl", "planet.nl", "hetnet.nl", "xs4all.nl", "telfort.nl", "wxs.nl"),
    ),
    Provider("Proximus", "imap.proximus.be", "relay.proximus.be:587", ("proximus.be", "skynet.be", "belgacom.net")),
    Provider("A1", "securemail.a1.net", "securemail.a1.net:587", ("a1.net", "aon.at")),
    Provider("TransIP", "imap.transip.email", "smtp.transip.email", (), ("transip.email",)),
    Provider("one.com", "imap.one.com", "send.one.com", (), ("one.com",)),
    Provider("Seznam", "imap.seznam.cz", "smtp.seznam.cz", ("seznam.cz", "email.cz", "post.cz"), ("seznam.cz",)),
    Provider("WP", "imap.wp.pl", "smtp.wp.pl", ("wp.pl",), ("wp.pl",)),
    Provider(
        "o2", "poczta.o2.pl", "poczta.o2.pl", ("o2.pl", "go2.pl", "tlen.pl", "prokonto.pl"), (), SWITCH_ON, "local"
    ),
    Provider("Onet", "imap.poczta.onet.pl", "smtp.poczta.onet.pl", ("onet.pl", "op.pl", "onet.eu"), ("onet.pl",)),
    Provider("Interia", "poczta.interia.pl", "poczta.interia.pl", ("interia.pl", "interia.eu")),
    Provider(
        "Fastmail",
        "imap.fastmail.com",
        "smtp.fastmail.com",
        ("fastmail.com", "fastmail.fm"),
        ("messagingengine.com",),
        APP_PASSWORD,
        app_passwords="https://app.fastmail.com/settings/security",
    ),
    Provider("Zoho", "imap.zoho.eu", "smtp.zoho.eu", ("zohomail.eu",), ("zoho.eu",), APP_PASSWORD),
    Provider("Zoho", "imap.zoho.com", "smtp.zoho.com", ("zohomail.com",), ("zoho.com",), APP_PASSWORD),
    Provider("Hostinger", "imap.hostinger.com", "smtp.hostinger.com", (), ("hostinger.com",)),
    Provider("Migadu", "imap.migadu.com", "smtp.migadu.com", (), ("migadu.com",)),
    Provider("GoDaddy", "imap.secureserver.net", "smtpout.secureserver.net", (), ("secureserver.net",)),
    Provider("Namecheap", "mail.privateemail.com", "mail.privateemail.com", (), ("privateemail.com",)),
)


def domain_of(address: str) -> str:
    """The domain of an address. Raises UsageError for what is none."""
    local, at, domain = address.strip().rpartition("@")
    if not (local and at and re.fullmatch(r"[^\s@<>.]+(\.[^\s@<>.]+)*", domain)):
        raise UsageError(_("{address} is no address").format(address=repr(address)))
    return domain.casefold()


def guess_servers(address: str, mx: Sequence[str] = ()) -> Guess:
    """The servers to try for an address; `mx` are the names of its domain's mail exchangers, where they are known."""
    domain = domain_of(address)
    provider = next((one for one in PROVIDERS if domain in one.domains), None) or _by_mx(mx)
    if provider is not None:
        return _servers_of(provider, address)
    imap = [f"{host}.{domain}{tls}" for tls in ("", "/starttls") for host in ("imap", "mail")]
    smtp = [f"{host}.{domain}{tls}" for tls in ("", "/starttls") for host in ("smtp", "mail")]
    return Guess(
        tuple(read_server(text, "imap", address.strip()) for text in imap),
        tuple(read_server(text, "smtp", address.strip()) for text in smtp),
    )


def provider_at(imap_host: str, address: str) -> Guess | None:
    """What is known of the provider whose IMAP server this is; None for any other server."""
    for provider in PROVIDERS:
        if read_server(provider.imap, "imap", "").host == imap_host.casefold():
            return _servers_of(provider, address)
    return None


def guess_by_records(address: str, records: Sequence[ServiceRecord]) -> Guess | None:
    """The servers that a domain names in DNS (RFC 6186); None unless it names both kinds. `.` means: not offered."""
    found: dict[Kind, list[Server]] = {"imap": [], "smtp": []}
    order = list(SRV_SERVICES)
    known = (one for one in records if one.service in SRV_SERVICES and one.host.strip(".") and 0 < one.port < 65536)
    for one in sorted(known, key=lambda one: (order.index(one.service), one.priority, -one.weight)):
        kind, tls = SRV_SERVICES[one.service]
        found[kind].append(Server(one.host.rstrip(".").casefold(), one.port, tls, address.strip()))
    if not (found["imap"] and found["smtp"]):
        return None
    domain = domain_of(address)
    hosts = dict.fromkeys(server.host for servers in found.values() for server in servers)
    outside = tuple(host for host in hosts if host != domain and not host.endswith(f".{domain}"))
    return Guess(tuple(found["imap"]), tuple(found["smtp"]), outside=outside)


def oauth_client(service: str, client_id: str, client_secret: str = "", tenant: str = "") -> OAuthClient:
    """The shop's own client at microsoft or google. Google's device flow refuses mail scopes: its browser only."""
    if service == "microsoft":
        base = f"https://login.microsoftonline.com/{quote(tenant or 'common', safe='')}/oauth2/v2.0"
        scope = "https://outlook.office.com/IMAP.AccessAsUser.All https://outlook.office.com/SMTP.Send offline_access"
        return OAuthClient(client_id, f"{base}/token", scope, f"{base}/devicecode", "", client_secret)
    return OAuthClient(
        client_id,
        "https://oauth2.googleapis.com/token",
        "https://mail.google.com/",
        "",
        "https://accounts.google.com/o/oauth2/v2/auth",
        client_secret,
    )


def read_server(text: str, kind: Kind, login: str, ca_file: str = "") -> Server:
    """`HOST[:PORT][/TLS]` with TLS implicit, starttls or none; what is left out follows from the rest."""
    match = re.fullmatch(
        r"(\[[0-9A-Fa-f:.]+\]|[^\s:/\[\]]+)(?::(\d{1,5}))?(?:/(implicit|starttls|none))?", text.strip()
    )
    if match is None or (match[2] is not None and not 0 < int(match[2]) < 65536):
        raise UsageError(
            _("{text} is no server").format(text=repr(text)), hint="imap.example.com, mail.example.com:143/starttls"
        )
    host, port, tls = match[1].strip("[]"), int(match[2] or 0), match[3]
    if tls is None:
        tls = "starttls" if port in (143, 587, 25) else "implicit"
    return Server(host, port or PORTS[kind, tls], tls, login, ca_file)


def write_server(server: Server) -> str:
    """The same as `read_server` reads."""
    host = f"[{server.host}]" if ":" in server.host else server.host
    return f"{host}:{server.port}/{server.tls}"


def _servers_of(provider: Provider, address: str) -> Guess:
    login = address.strip() if provider.login == "address" else address.strip().rpartition("@")[0]
    return Guess(
        (read_server(provider.imap, "imap", login),),
        (read_server(provider.smtp, "smtp", login),),
        provider.name,
        provider.hint,
        provider.service,
        provider.app_passwords,
    )


def _by_mx(mx: Sequence[str]) -> Provider | None:
    for name in mx:
        host = name.rstrip(".").casefold()
        for provider in PROVIDERS:
            if any(host == end or host.endswith(f".{end}") for end in provider.mx):
                return provider
    return None
