"""Which fields each type of fact has, and of which kind: the contract's table of inbound facts, as a literal.

What may be recorded today is told by whoever calls the importer; this table says only how a mapping writes each field.
"""

from __future__ import annotations

from collections.abc import Mapping

from consumers.importing.mapping.kinds import Compound, Kind

FieldKind = Kind | Compound

_T, _N, _I, _B, _S = Kind.TEXT, Kind.NUMBER, Kind.INTEGER, Kind.BOOLEAN, Kind.SECONDS
_TIME, _DATE, _MONEY, _TEXTS = Kind.TIME, Kind.DATE, Compound.MONEY, Compound.TEXTS

LINE_FIELDS: Mapping[str, FieldKind] = {"sku": _T, "description": _T, "quantity": _N, "unit_price": _MONEY}
"""The fields of one member of `lines`."""

_PURCHASE: Mapping[str, FieldKind] = {"total": _MONEY, "reason": _T}
_SHIPMENT: Mapping[str, FieldKind] = {"order": _T, "carrier": _T, "tracking": _T, "expected_on": _DATE}
_BILL: Mapping[str, FieldKind] = {"amount": _MONEY, "due_on": _DATE, "invoice": _T}
_EMAIL: Mapping[str, FieldKind] = {
    "message_id": _T,
    "from": _T,
    "to": _TEXTS,
    "cc": _TEXTS,
    "subject": _T,
    "text": _T,
    "html": _T,
    "in_reply_to": _TEXTS,
    "references": _TEXTS,
}
_MESSAGE: Mapping[str, FieldKind] = {"channel": _T, "from": _T, "to": _T, "text": _T}
_CALL_STEP: Mapping[str, FieldKind] = {"queue": _T, "agent": _T, "extension": _T, "from": _T, "to": _T, "how": _T}

FIELDS: Mapping[str, Mapping[str, FieldKind]] = {
    "call.rang": {
        "direction": _T,
        "from": _T,
        "to": _T,
        "dialled": _T,
        "queue": _T,
        "extensions": _TEXTS,
        "customer_number": _T,
        "ticket": _T,
        "language": _T,
        "verified": _T,
        "linked_id": _T,
    },
    "call.queued": _CALL_STEP,
    "call.answered": _CALL_STEP,
    "call.held": _CALL_STEP,
    "call.resumed": _CALL_STEP,
    "call.transferred": _CALL_STEP,
    "call.ended": {
        "direction": _T,
        "from": _T,
        "to": _T,
        "began_at": _TIME,
        "outcome": _T,
        "queue": _T,
        "queue_seconds": _S,
        "talk_seconds": _S,
        "hold_seconds": _S,
        "agent": _T,
        "recording": _T,
    },
    "agent.state_changed": {"agent": _T, "state": _T},
    "email.received": _EMAIL,
    "email.sent": _EMAIL,
    "email.bounced": _EMAIL,
    "message.received": _MESSAGE,
    "message.sent": _MESSAGE,
    "message.delivered": _MESSAGE,
    "purchase.made": _PURCHASE,
    "purchase.returned": _PURCHASE,
    "shipment.sent": _SHIPMENT,
    "shipment.delivered": _SHIPMENT,
    "invoice.issued": _BILL,
    "invoice.cancelled": _BILL,
    "credit_note.issued": _BILL,
    "payment.received": _BILL,
    "payment.reversed": _BILL,
    "balance.stated": {"amount": _MONEY, "as_at": _TIME},
    "credit.limit_set": {"amount": _MONEY, "terms_days": _I, "hold": _B, "reason": _T, "valid_until": _DATE},
    "ticket.reported": {
        "ticket": _T,
        "state": _T,
        "sequence": _I,
        "reopened": _B,
        "kind": _T,
        "priority": _T,
        "group": _T,
        "assignee": _T,
        "text": _T,
    },
}

WITH_LINES = frozenset({"purchase.made", "purchase.returned"})
"""The types whose data has `lines`."""

WITH_CUSTOMER = frozenset(
    name
    for name in FIELDS
    if name in {"call.ended", "balance.stated", "credit.limit_set", "ticket.reported", *WITH_LINES} or FIELDS[name] is _BILL
)
"""The types whose data has `customer`; for the others `[customer]` is captured, not referred to."""
