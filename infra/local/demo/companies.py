"""The clients of the demo organization, with their work locations and positions."""

from __future__ import annotations

from typing import NamedTuple


class Job(NamedTuple):
    """A position. Bill rates are in cents per hour: since last year, and since this month."""

    name: str
    headcount: int
    rate: int | None = None
    raised: int | None = None
    is_active: bool = True

    @property
    def rates(self) -> list[int]:
        return [rate for rate in (self.rate, self.raised) if rate is not None]


class Site(NamedTuple):
    """A work location."""

    name: str
    address: str
    jobs: tuple[Job, ...]


class Company(NamedTuple):
    name: str
    email: str
    phone: str
    address: str
    sites: tuple[Site, ...]


COMPANIES = (
    Company(
        "Alster Logistik GmbH",
        "disposition@alster-logistik.example",
        "+49 40 5550142",
        "Am Sandtorkai 37, 20457 Hamburg",
        (
            Site(
                "Lager Sandtorkai",
                "Am Sandtorkai 37, 20457 Hamburg",
                (Job("Kommissionierung Frühschicht", 3, 2690, 2790), Job("Staplerfahrer", 1, 3150)),
            ),
            Site(
                "Umschlag Altenwerder",
                "Altenwerder Damm 22, 21129 Hamburg",
                (Job("Containerentladung", 2, 2890, 2990),),
            ),
        ),
    ),
    Company(
        "Bergmann Catering",
        "kueche@bergmann-catering.example",
        "+49 89 5550177",
        "Lindwurmstraße 88, 80337 München",
        (
            Site(
                "Zentralküche",
                "Lindwurmstraße 88, 80337 München",
                (Job("Küchenhilfe", 1, 2450), Job("Beikoch", 1, 3290)),
            ),
            Site("Kantine Messestadt", "Willy-Brandt-Platz 5, 81829 München", (Job("Essensausgabe", 1, 2390),)),
        ),
    ),
    Company(
        "Café Morgenrot",
        "hallo@morgenrot.example",
        "+49 30 5550119",
        "Kastanienallee 85, 10435 Berlin",
        (Site("Café Kastanienallee", "Kastanienallee 85, 10435 Berlin", (Job("Servicekraft Wochenende", 1, 2350),)),),
    ),
    Company(
        "Donau Messebau AG",
        "projekte@donau-messebau.example",
        "+49 731 5550163",
        "Donaustraße 12, 89073 Ulm",
        (
            Site("Werkstatt", "Donaustraße 12, 89073 Ulm", (Job("Schreinerhelfer", 1, 2950),)),
            Site(
                "Messe Ulm",
                "Böfinger Straße 50, 89073 Ulm",
                (Job("Standaufbau", 4, 2750, 2850), Job("Standabbau", 4, 2750)),
            ),
            Site("Messe Stuttgart", "Messepiazza 1, 70629 Stuttgart", (Job("Standaufbau", 3, 2850),)),
        ),
    ),
    Company(
        "Elbe Facility Services",
        "leitstelle@elbe-fs.example",
        "+49 351 5550128",
        "Könneritzstraße 9, 01067 Dresden",
        (
            Site(
                "Neustädter Markthalle",
                "Metzer Straße 1, 01097 Dresden",
                (Job("Unterhaltsreinigung", 1, 2290, 2390),),
            ),
            Site(
                "Altmarkt", "Altmarkt 10, 01067 Dresden", (Job("Hausmeister", 1, 3050), Job("Glasreinigung", 1, 2690))
            ),
        ),
    ),
    Company(
        "Frischemarkt Nord",
        "personal@frischemarkt-nord.example",
        "+49 431 5550181",
        "Holstenstraße 51, 24103 Kiel",
        (
            Site(
                "Markt Kiel", "Holstenstraße 51, 24103 Kiel", (Job("Warenverräumung", 1, 2310), Job("Kasse", 1, 2420))
            ),
            Site("Markt Neumünster", "Großflecken 30, 24534 Neumünster", (Job("Warenverräumung", 1, 2310),)),
        ),
    ),
    Company(
        "Gartenbau Petersen",
        "buero@gartenbau-petersen.example",
        "+49 461 5550134",
        "Norderstraße 22, 24939 Flensburg",
        (
            Site(
                "Gewächshäuser",
                "Norderstraße 22, 24939 Flensburg",
                # The season is over.
                (Job("Erntehelfer", 2, 2190, is_active=False),),
            ),
        ),
    ),
    Company(
        "Hotel Rheinblick",
        "empfang@rheinblick.example",
        "+49 221 5550196",
        "Konrad-Adenauer-Ufer 3, 50668 Köln",
        (
            Site(
                "Hotel am Ufer",
                "Konrad-Adenauer-Ufer 3, 50668 Köln",
                # The bill rate of the third one is not agreed yet.
                (Job("Zimmerreinigung", 2, 2340, 2440), Job("Nachtportier", 1, 2780), Job("Bankettservice", 3)),
            ),
        ),
    ),
    Company(
        "Isar Präzision GmbH",
        "werk@isar-praezision.example",
        "+49 8721 555015",
        "Industriestraße 4, 84130 Dingolfing",
        (
            Site(
                "Werk Dingolfing",
                "Industriestraße 4, 84130 Dingolfing",
                (Job("CNC-Maschinenbedienung", 1, 3790, 3890), Job("Qualitätsprüfung", 1, 3590)),
            ),
        ),
    ),
    Company(
        "Klinikum Taunus",
        "pflegedienst@klinikum-taunus.example",
        "+49 6172 555010",
        "Parkweg 1, 61350 Bad Homburg",
        (
            Site(
                "Klinik Bad Homburg",
                "Parkweg 1, 61350 Bad Homburg",
                (Job("Pflegehilfe", 2, 3490, 3590), Job("Küche und Logistik", 1, 2590)),
            ),
            Site("Klinik Usingen", "Weilburger Straße 48, 61250 Usingen", (Job("Pflegehilfe", 1, 3490),)),
        ),
    ),
    Company(
        "Lagerhaus Weser",
        "schicht@lagerhaus-weser.example",
        "+49 421 5550158",
        "Überseestadt 14, 28217 Bremen",
        (
            Site(
                "Halle 1",
                "Überseestadt 14, 28217 Bremen",
                (Job("Kommissionierung Nachtschicht", 2, 3090), Job("Wareneingang", 1, 2650)),
            ),
            Site("Halle 2", "Überseestadt 16, 28217 Bremen", (Job("Verpackung", 2, 2550),)),
        ),
    ),
    Company(
        "Nordwind Events",
        "crew@nordwind-events.example",
        "+49 381 5550147",
        "Warnowufer 30, 18057 Rostock",
        (
            Site(
                "Stadthafen",
                "Warnowufer 30, 18057 Rostock",
                (Job("Bühnenaufbau", 3, 2950, 3050), Job("Einlass", 2, 2290)),
            ),
            Site("Messehalle", "Zur HanseMesse 1, 18106 Rostock", (Job("Garderobe", 1, 2190),)),
        ),
    ),
)
