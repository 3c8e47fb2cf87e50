"""Made-up extraction results for the documented document types.

Pure functions of a random generator. They know the field names of the public documentation and
nothing of jobs. Some values carry real dirt on purpose: line breaks, other scripts, empty strings.
"""

import random
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

Fields = dict[str, Any]

_COMPANIES = (
    "Acme Corp",
    "Nordwind Spedition GmbH",
    "Société Générale de Fret",
    "上海远洋物流有限公司",
    "Łódź Transport sp. z o.o.",
    "شركة الخليج للشحن",
    "O'Hara & Sons",
    "Pacific Rim Traders",
    "Ñandú Exportaciones S.A.",
    "Baltic Timber AS",
)
_PORTS = ("Rotterdam", "Shanghai", "Hamburg", "Los Angeles", "Santos", "Singapore", "Gdańsk", "Durban")
_VESSELS = ("MV Aurora", "Ever Bright", "Maersk Lindø", "COSCO 远望", "Stella Maris")
_GOODS = ("Machine parts", "Coffee, green", "Ceramic tiles", "Cotton shirts", "Solar modules")
_CURRENCIES = ("USD", "EUR", "GBP", "CNY", "PLN")
_COUNTRIES = ("DE", "CN", "US", "BR", "PL", "ZA")
_STREETS = ("12 Harbour Rd", "Am Kai 7", "Rua do Porto 99", "88 Century Ave")


def _money(rng: random.Random) -> float:
    return round(rng.lognormvariate(6.5, 1.1), 2)


def _day(rng: random.Random) -> str:
    return (date(2024, 1, 1) + timedelta(days=rng.randrange(700))).isoformat()


def _number(rng: random.Random, prefix: str) -> str:
    return f"{prefix}-{rng.randrange(2022, 2027)}-{rng.randrange(1, 9999):04d}"


def _party(rng: random.Random) -> Fields:
    address = f"{rng.choice(_STREETS)}\n{rng.choice(_PORTS)}"
    return {"name": rng.choice(_COMPANIES), "address": address, "country": rng.choice(_COUNTRIES)}


def _weight(rng: random.Random) -> Fields:
    net = round(rng.uniform(200, 24000), 1)
    return {"gross": round(net * rng.uniform(1.02, 1.15), 1), "net": net, "unit": "kg"}


def _invoice(rng: random.Random) -> Fields:
    return {
        "invoiceNumber": _number(rng, "INV"),
        "amount": _money(rng),
        "currency": rng.choice(_CURRENCIES),
        "vendor": rng.choice(_COMPANIES),
        "date": _day(rng),
        "dueDate": _day(rng) if rng.random() < 0.8 else "",
    }


def _receipt(rng: random.Random) -> Fields:
    total = _money(rng)
    return {
        "merchant": rng.choice(_COMPANIES),
        "date": _day(rng),
        "total": total,
        "tax": round(total * 0.19, 2),
        "currency": rng.choice(_CURRENCIES),
    }


def _bill_of_lading(rng: random.Random) -> Fields:
    containers = [f"MSKU{rng.randrange(10**7):07d}" for _ in range(rng.randrange(1, 4))]
    return {
        "bolNumber": _number(rng, "BOL"),
        "shipper": _party(rng),
        "consignee": _party(rng),
        "vessel": rng.choice(_VESSELS),
        "portOfLoading": rng.choice(_PORTS),
        "portOfDischarge": rng.choice(_PORTS),
        "containers": containers,
        "cargoDescription": rng.choice(_GOODS),
        "weight": _weight(rng),
    }


def _packing_list(rng: random.Random) -> Fields:
    packages = [{"type": "carton", "count": rng.randrange(1, 60)} for _ in range(rng.randrange(1, 4))]
    return {
        "packingListNumber": _number(rng, "PL"),
        "date": _day(rng),
        "shipper": _party(rng),
        "consignee": _party(rng),
        "packages": packages,
        "totalWeight": _weight(rng),
    }


def _customs_declaration(rng: random.Random) -> Fields:
    value = _money(rng)
    return {
        "declarationNumber": _number(rng, "CD"),
        "declarationType": rng.choice(("import", "export", "transit")),
        "importer": _party(rng),
        "exporter": _party(rng),
        "hsCode": f"{rng.randrange(100000, 999999)}",
        "goodsDescription": rng.choice(_GOODS),
        "value": value,
        "currency": rng.choice(_CURRENCIES),
        "countryOfOrigin": rng.choice(_COUNTRIES),
        "dutyAmount": round(value * rng.choice((0.0, 0.025, 0.065, 0.12)), 2),
    }


def _freight_invoice(rng: random.Random) -> Fields:
    freight, surcharge = _money(rng), _money(rng)
    return {
        "invoiceNumber": _number(rng, "FRT"),
        "date": _day(rng),
        "carrier": {"name": rng.choice(_COMPANIES), "scac": rng.choice(("MAEU", "HLCU", "CMDU"))},
        "freightCharges": freight,
        "fuelSurcharge": surcharge,
        "total": round(freight + surcharge, 2),
    }


def _generic(rng: random.Random) -> Fields:
    pair = {"key": "Reference", "value": _number(rng, "REF"), "confidence": round(rng.uniform(0.6, 1), 4)}
    return {
        "rawText": f"{rng.choice(_COMPANIES)}\n{rng.choice(_GOODS)}",
        "tables": [{"tableIndex": 0, "headers": ["Item", "Qty"], "rows": [[rng.choice(_GOODS), "3"]]}],
        "keyValuePairs": [pair],
        "detectedLanguage": rng.choice(("en", "de", "zh", "ar", "pl")),
    }


_MAKERS: dict[str, Callable[[random.Random], Fields]] = {
    "invoice": _invoice,
    "receipt": _receipt,
    "bill_of_lading": _bill_of_lading,
    "packing_list": _packing_list,
    "customs_declaration": _customs_declaration,
    "freight_invoice": _freight_invoice,
    "generic": _generic,
}

# The union of every list of values in the public documentation, whose pages disagree.
DOCUMENT_TYPES = frozenset(_MAKERS) | {
    "air_waybill",
    "certificate_of_origin",
    "contract",
    "delivery_order",
    "general",
    "proof_of_delivery",
    "sea_waybill",
}


def extracted_fields(document_type: str, rng: random.Random) -> Fields:
    """Make up the fields of one document; types without a maker of their own get the generic ones."""
    return _MAKERS.get(document_type, _generic)(rng)
