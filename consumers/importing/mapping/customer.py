"""`[customer]`: whose event a row is, and what is learnt about the customer on the way."""

from __future__ import annotations

from consumers.importing.errors import RowError
from consumers.importing.mapping.columns import Cells
from consumers.importing.mapping.context import Context
from consumers.importing.mapping.kinds import Kind
from consumers.importing.mapping.model import AddressRule, CaptureRule, CustomerRule, EmailRule, PhoneRule
from consumers.importing.mapping.table import Table
from consumers.importing.mapping.values import Value, compile_value
from domain.phone import PhoneKind, PhoneNumber
from domain.value import InvalidValue

REFERENCES = ("external_id", "id", "phone", "email")
TEXTS = ("company", "name", "given_name", "family_name", "form_of_address", "language", "phone_region")
ADDRESS_PARTS = ("postal_code", "city", "region", "country")


def load_customer(table: Table, context: Context) -> CustomerRule:
    """The section, compiled. Raises MappingWrong."""
    reference = tuple((key, value) for key in REFERENCES if (value := _value(table, key, context)))
    capture = table.table("capture")
    rule = CustomerRule(reference, _capture(capture, context) if capture else None, _value(table, "phone_region", context))
    table.close()
    if not reference:
        raise table.wrong(f"says nowhere which customer; add one of {', '.join(REFERENCES)}.")
    return rule


def reference_value(rule: CustomerRule, place: str) -> Value:
    """All ways of referring to the customer as one value: the `customer` of a fact's data, None where all are empty."""
    parts, region = rule.reference, rule.phone_region

    def read(cells: Cells) -> dict[str, str] | None:
        found = {key: text for key, value in parts if (text := value.read(cells)) is not None}
        if "phone" in found and region is not None and (country := region.read(cells)) is not None:
            found["phone"] = _dialled_in(country, found["phone"])
        return found or None

    slots = [slot for _, value in parts for slot in value.slots] + list(region.slots if region else ())
    return Value(place, tuple(slots), read)


def _dialled_in(country: str, number: str) -> str:
    """The number with its country; as it is where it is none, which the check of the fact will say."""
    try:
        parsed = PhoneNumber.parse(number, country)
    except InvalidValue:
        return number
    return f"{parsed.e164} ext. {parsed.extension}" if parsed.extension else parsed.e164


def _value(table: Table, key: str, context: Context) -> Value | None:
    inner = table.table(key)
    return None if inner is None else compile_value(inner, Kind.TEXT, context)


def _capture(table: Table, context: Context) -> CaptureRule:
    rule = CaptureRule(
        tuple((key, value) for key in TEXTS if (value := _value(table, key, context))),
        tuple(_phone(inner, context) for inner in table.tables("phones") or ()),
        tuple(_email(inner, context) for inner in table.tables("emails") or ()),
        tuple(_address(inner, context) for inner in table.tables("addresses") or ()),
    )
    table.close()
    return rule


def _phone(table: Table, context: Context) -> PhoneRule:
    kind = table.choice("kind", tuple(PhoneKind))
    label = table.text("label")
    return PhoneRule(compile_value(table, Kind.TEXT, context, ("kind", "label")), kind, label)


def _email(table: Table, context: Context) -> EmailRule:
    label = table.text("label")
    return EmailRule(compile_value(table, Kind.TEXT, context, ("label",)), label)


def _address(table: Table, context: Context) -> AddressRule:
    lines = tuple(compile_value(inner, Kind.TEXT, context) for inner in table.tables("lines") or ())
    parts = tuple((key, value) for key in ADDRESS_PARTS if (value := _value(table, key, context)))
    label = table.text("label")
    table.close()
    if not lines and not parts:
        raise table.wrong(f"has no part; add one of lines, {', '.join(ADDRESS_PARTS)}.")
    return AddressRule(lines, parts, label)


def captured_values(rule: CaptureRule) -> list[Value]:
    """Every value that a captured customer is made of."""
    return [
        *(value for _, value in rule.texts),
        *(phone.number for phone in rule.phones),
        *(email.address for email in rule.emails),
        *(value for address in rule.addresses for value in address.lines),
        *(value for address in rule.addresses for _, value in address.parts),
    ]


def needs_text(value: Value, cells: Cells, what: str) -> str:
    """The text of a value that must not be empty. Raises RowError."""
    text = value.read(cells)
    if text is None:
        raise RowError(f"{what} is empty")
    return str(text)
