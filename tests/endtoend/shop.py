"""A small shop, always the same: orders and returns of customers with and without names, numbers and addresses, as a CSV file."""

from __future__ import annotations

import csv
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

COLUMNS = ("order", "when", "customer", "name", "company", "phone", "email", "country", "sku", "description", "quantity", "price")
SOURCE = "corner-shop"
CURRENCY = "RON"
ORDERS, RETURNS, CUSTOMERS = 270, 30, 60
SCATTERED = "O1007"
"""Its lines stand all over the file."""

MAPPING = f"""
source = "{SOURCE}"

[file]
zone = "Europe/Bucharest"
dates = ["%Y-%m-%d %H:%M"]

[group]
by = {{ column = "order" }}

[customer]
external_id = {{ column = "customer" }}

[customer.capture]
name = {{ column = "name" }}
company = {{ column = "company" }}
phone_region = {{ value = "RO" }}

[[customer.capture.phones]]
column = "phone"

[[customer.capture.emails]]
column = "email"

[[customer.capture.addresses]]
country = {{ column = "country" }}

[[event]]
when = {{ column = "order", starts_with = "R" }}
type = "purchase.returned"
subject = {{ column = "order" }}
time = {{ column = "when" }}
currency = {{ value = "{CURRENCY}" }}
lines.sku = {{ column = "sku" }}
lines.description = {{ column = "description" }}
lines.quantity = {{ column = "quantity", negate = true }}
lines.unit_price = {{ column = "price" }}

[[event]]
when = {{ column = "order", starts_with = "O" }}
type = "purchase.made"
subject = {{ column = "order" }}
time = {{ column = "when" }}
currency = {{ value = "{CURRENCY}" }}
lines.sku = {{ column = "sku" }}
lines.description = {{ column = "description" }}
lines.quantity = {{ column = "quantity" }}
lines.unit_price = {{ column = "price" }}
"""

Line = dict[str, str]


@dataclass
class ShopFile:
    """Lines of a file, and what they come to."""

    lines: list[Line] = field(default_factory=list)

    @property
    def total(self) -> Decimal:
        """Orders less returns: quantities of returns are negative."""
        return sum((Decimal(line["quantity"]) * Decimal(line["price"]) for line in self.lines), Decimal(0))

    @property
    def total_with_customer(self) -> Decimal:
        """Without what is nobody's."""
        return ShopFile([line for line in self.lines if line["customer"]]).total

    @property
    def events(self) -> int:
        return len({line["order"] for line in self.lines})

    @property
    def customers(self) -> set[str]:
        return {line["customer"] for line in self.lines if line["customer"]}

    def personal_words(self) -> set[str]:
        """Every name, number and address in the file."""
        return {line[column] for line in self.lines for column in ("name", "phone", "email") if line[column]}

    def write(self, path: Path) -> Path:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(self.lines)
        return path


def small_shop(seed: int = 7) -> ShopFile:
    """300 events in some 1,200 lines; one order is not contiguous."""
    draw = random.Random(seed)
    people = [_customer(number) for number in range(CUSTOMERS)]
    goods = [(f"S{number:03}", f"Thing no. {number}", f"{draw.randrange(1, 9000) / 100:.2f}") for number in range(80)]
    subjects = [f"O{1000 + number}" for number in range(ORDERS)] + [f"R{1000 + number}" for number in range(RETURNS)]
    draw.shuffle(subjects)
    lines: list[Line] = []
    at = datetime(2025, 1, 3, 9, 0)
    for subject in subjects:
        at += timedelta(minutes=draw.randrange(5, 600))
        who = dict.fromkeys(_customer(0), "") if draw.random() < 0.2 else draw.choice(people)
        for _ in range(draw.randrange(1, 8)):
            sku, description, price = draw.choice(goods)
            quantity = draw.randrange(1, 25) * (-1 if subject.startswith("R") else 1)
            lines.append(
                {
                    "order": subject, "when": f"{at:%Y-%m-%d %H:%M}", **who,
                    "sku": sku, "description": description, "quantity": str(quantity), "price": price,
                }
            )  # fmt: skip
    return ShopFile(_scattered(lines))


def in_other_order(lines: Sequence[Line], seed: int = 1) -> list[Line]:
    """The same lines, shuffled."""
    shuffled = list(lines)
    random.Random(seed).shuffle(shuffled)
    return shuffled


def _customer(number: int) -> Line:
    """One in four without a name, one in three without a number, one in five without an address for mail; one in six a company."""
    name = "" if number % 4 == 3 else f"Ștefana Îngrijorescu{chr(97 + number // 26)}{chr(97 + number % 26)}"
    phone = "" if number % 3 == 2 else f"0721 44{number // 10} {number % 10}87"
    email = "" if number % 5 == 4 else f"stefana.ingrijorescu{number}@posta-noastra.example"
    company = f"Fabrica {number} SRL" if number % 6 == 0 else ""
    return {"customer": f"C{number:03}", "name": name, "company": company, "phone": phone, "email": email, "country": "RO"}


def _scattered(lines: list[Line]) -> list[Line]:
    own = [line for line in lines if line["order"] == SCATTERED]
    rest = [line for line in lines if line["order"] != SCATTERED]
    for number, line in enumerate(own):
        rest.insert((number * len(rest)) // max(1, len(own) - 1), line)
    return rest
