"""`crm screen-pop NUMBER | --customer ID | --external-id SOURCE:ID`: who it is, and what we know of them."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from domain.external_id import ExternalId
from domain.fact import MatchHow
from domain.phone import PhoneNumber
from domain.withheld import is_withheld
from infra.cli.errors import UsedWrongly
from infra.cli.output import print_json, print_table
from infra.cli.runtime import caught_up
from infra.settings import Settings
from projections.candidates import Asked, FoundCustomer
from projections.screen_pop import Found, Purchase, ScreenPop, pop

WHY = {
    MatchHow.ID: "by our id",
    MatchHow.EXTERNAL_ID: "by the source's id",
    MatchHow.DIRECT_LINE: "their own number",
    MatchHow.SHARED_LINE: "a number that several use",
    MatchHow.EMAIL: "their e-mail address",
    MatchHow.MAYBE: "maybe: only the last digits are the same",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("number", metavar="NUMBER", nargs="?", help="a telephone number in any writing")
    parser.add_argument("--customer", metavar="ID", help="our id of the customer")
    parser.add_argument("--external-id", metavar="SOURCE:ID", help="the id that a source gave")
    parser.add_argument("--json", action="store_true", help="machine output")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """0 if somebody was found, 1 if nobody was."""
    asked = asked_for(args, settings.region)
    with caught_up(settings) as crm, crm.pool.transaction() as cursor:
        answer = pop(cursor, asked)
    if args.json:
        print_json(asdict(answer))
    else:
        _print(answer, ZoneInfo(settings.time_zone))
    return 0 if answer.candidates else 1


def asked_for(args: argparse.Namespace, region: str) -> Asked:
    """Exactly one of the three. Raises UsedWrongly."""
    given = [one for one in (args.number, args.customer, args.external_id) if one is not None]
    if len(given) != 1:
        raise UsedWrongly("Give one of NUMBER, --customer ID and --external-id SOURCE:ID.")
    if args.customer is not None:
        try:
            return Asked(customer=UUID(args.customer))
        except ValueError as error:
            raise UsedWrongly(
                f"--customer {args.customer} is no id of ours; one looks like 7358fb3e-849b-516d-a10e-03d898bf1658."
            ) from error
    if args.external_id is not None:
        source, colon, external_id = args.external_id.rpartition(":")
        if not colon or not source or not external_id:
            raise UsedWrongly(f"--external-id {args.external_id} is not SOURCE:ID; one looks like online-retail:17850.")
        return Asked(external_id=ExternalId(source, external_id))
    return Asked() if is_withheld(args.number) else Asked(phone=PhoneNumber.parse(args.number, region))


def _print(answer: ScreenPop, zone: ZoneInfo) -> None:
    if answer.found is None:
        print("Nobody is known by that.")
    else:
        _print_found(answer.candidates, answer.found, zone)
    behind = "nothing is waiting" if not answer.age.events else f"{answer.age.events} records are waiting"
    print(f"\nThis answer is {answer.age.seconds:.1f} s old ({behind}).")


def _print_found(candidates: tuple[FoundCustomer, ...], found: Found, zone: ZoneInfo) -> None:
    print(f"{name_of(found)}   ({WHY.get(candidates[0].how, candidates[0].how)})")
    for line in _facts(found):
        print(f"  {line}")
    if len(candidates) > 1:
        print(f"  It could also be: {', '.join(f'{other.customer} ({WHY.get(other.how, other.how)})' for other in candidates[1:])}")
    if found.parked:
        print("  Part of what is known of them is set aside, so this is incomplete: see `crm parked`.")
    for value in found.values:
        counts = f"{value.orders} orders, {value.returns} returns" + (f", {value.adjustments} adjustments" if value.adjustments else "")
        print(f"\nValue  {_amount(value.value)} {value.currency}   {counts}")
    _print_purchases("Last orders", found.orders, zone)
    _print_purchases("Last returns", found.returns, zone)
    for source, last in found.sources:
        print(f"\n{source}: its last word is of {_time(last, zone)} ({zone.key}).")


def name_of(found: Found) -> str:
    """Person and company, as far as they are known; else the source's id."""
    own = found.documents[0] if found.documents else {}
    person, company = (own.get("name") or {}).get("text"), own.get("company")
    both = ", ".join(part for part in (person, company) if part)
    if own.get("erased") and not both:
        return "(erased)"
    return both or ("customer " + ":".join(found.external_ids[0]) if found.external_ids else f"customer {found.customer}")


def _facts(found: Found) -> list[str]:
    lines = []
    for one in found.documents:
        lines += [f"{phone['number']}  {phone['label'] or phone['kind'].replace('_', ' ')}" for phone in one.get("phones", [])]
        lines += [email["address"] for email in one.get("emails", [])]
        lines += [_address(address) for address in one.get("addresses", [])]
        if one.get("language") or one.get("form_of_address"):
            lines.append("  ".join(part for part in (one.get("form_of_address"), one.get("language")) if part))
    if found.external_ids:
        lines.append("known as " + ", ".join(f"{source}:{external_id}" for source, external_id in found.external_ids))
    if found.merged:
        lines.append(f"with {len(found.merged)} merged into it")
    lines.append(f"id {found.customer}")
    return list(dict.fromkeys(lines))


def _address(address: dict[str, Any]) -> str:
    place = " ".join(part for part in (address["postal_code"], address["city"]) if part)
    return ", ".join(part for part in (*address["lines"], place, address["region"], address["country"]) if part)


def _print_purchases(title: str, purchases: tuple[Purchase, ...], zone: ZoneInfo) -> None:
    if purchases:
        print(f"\n{title}")
        print_table(
            (f"when ({zone.key})", "number", "total", "lines", ""),
            [
                (_time(one.occurred_at, zone), one.subject, f"{_amount(one.total)} {one.currency}", one.lines, one.reason or "")
                for one in purchases
            ],
        )


def _amount(number: Decimal) -> str:
    """With at least two decimals, as money is read; more where there are more."""
    exponent = number.as_tuple().exponent
    return f"{number:,.2f}" if isinstance(exponent, int) and exponent > -2 else f"{number:,f}"


def _time(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"
