"""Writes the demo's file: two years of orders of a small wholesaler, made up, and the same on every machine.

python examples/generate_purchases.py orders.csv
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

CUSTOMERS = 400
ORDERS = 4_000
COLUMNS = ("Order", "Date", "Customer", "Company", "Given name", "Family name", "Phone", "Email", "Country", "SKU", "Item", "Quantity",
           "Price")  # fmt: skip

GIVEN = ("Ana", "Ion", "Maria", "Elena", "Andrei", "Jan", "Ewa", "Piotr", "Łucja", "Maja", "Luka", "Žiga", "Nina", "Marek", "Ioana", "Radu")
FAMILY = ("Popescu", "Ionescu", "Stănescu", "Dumitru", "Kowalski", "Nowak", "Wiśniewska", "Zając", "Novak", "Horvat", "Kranjc", "Župan")
TRADE = ("Flori", "Papetărie", "Ogród", "Księgarnia", "Cvetličarna", "Trgovina", "Atelier", "Depozit")
ITEMS = (
    ("MUG-01", "Mug, white", "3.20"),
    ("LAMP-7", "Desk lamp", "24.90"),
    ("CARD-3", "Birthday cards, 12", "6.75"),
    ("VASE-2", "Vase, blue", "11.40"),
    ("BAG-9", "Cotton bag", "2.10"),
    ("CLOCK-4", "Wall clock", "18.00"),
    ("POST", "Postage", "4.50"),
)
COUNTRIES = (("RO", "+40 21 312 {:04d}"), ("PL", "+48 22 621 {:02d} {:02d}"), ("SI", "+386 1 426 {:02d} {:02d}"))


def rows(seed: int = 2026) -> Iterator[tuple[str, ...]]:
    """One row a line of an order; about one order in twenty comes back in part, as a negative quantity under R and its number."""
    random = Random(seed)  # noqa: S311 - a demo, not a secret
    customers = [_customer(random, number) for number in range(1, CUSTOMERS + 1)]
    begin = datetime(2024, 11, 1, 8)  # noqa: DTZ001 - a shop's file says local time, and so does this one
    for number in range(1, ORDERS + 1):
        at = begin + timedelta(minutes=int(number / ORDERS * 700 * 24 * 60) + random.randrange(600))
        customer = customers[int(random.random() ** 2 * CUSTOMERS)]  # a few buy often, most seldom
        lines = [(*random.choice(ITEMS), random.choice((1, 2, 3, 6, 12, 24))) for _ in range(random.randrange(1, 6))]
        for sku, item, price, quantity in lines:
            yield (f"{100000 + number}", f"{at:%d.%m.%Y %H:%M}", *customer, sku, item, str(quantity), price)
        if random.random() < 0.05:
            sku, item, price, quantity = lines[0]
            back = at + timedelta(days=random.randrange(2, 20))
            yield (f"R{100000 + number}", f"{back:%d.%m.%Y %H:%M}", *customer, sku, item, str(-quantity), price)


def _customer(random: Random, number: int) -> tuple[str, ...]:
    given, family = random.choice(GIVEN), random.choice(FAMILY)
    country, phone = COUNTRIES[number % len(COUNTRIES)]
    written = phone.format(number) if phone.count("{") == 1 else phone.format(number // 100, number % 100)
    company = f"{random.choice(TRADE)} {family}" if random.random() < 0.6 else ""
    return (f"K{number:04d}", company, given, family, written, f"{number:04d}@shop.example", country)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with Path(sys.argv[1]).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(rows())
