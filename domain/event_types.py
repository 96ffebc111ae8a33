"""Every event type, under the one name that it has in the log. Names are ours and stable: never renamed, never reused."""

from __future__ import annotations

from collections.abc import Mapping

from domain.customer import CompanyCorrected, CustomerCaptured, FormOfAddressSet, LanguageSet, NameCorrected
from domain.customer_addresses import AddressAdded, AddressCorrected, AddressRemoved
from domain.customer_emails import EmailAdded, EmailCorrected, EmailRemoved
from domain.customer_phones import PhoneAdded, PhoneCorrected, PhoneRemoved
from domain.decider import EventType
from domain.fact import FactWithdrawn
from domain.interaction import InteractionAttributed, InteractionDetached
from domain.pointer import CustomerMerged, CustomerUnmerged, ExternalIdLinked, ExternalIdUnlinked
from domain.purchase import PurchaseMade, PurchaseReturned

EVENT_TYPES: tuple[EventType, ...] = (
    EventType("customer.captured", CustomerCaptured),
    EventType("customer.name_corrected", NameCorrected),
    EventType("customer.company_corrected", CompanyCorrected),
    EventType("customer.phone_added", PhoneAdded),
    EventType("customer.phone_corrected", PhoneCorrected),
    EventType("customer.phone_removed", PhoneRemoved),
    EventType("customer.email_added", EmailAdded),
    EventType("customer.email_corrected", EmailCorrected),
    EventType("customer.email_removed", EmailRemoved),
    EventType("customer.address_added", AddressAdded),
    EventType("customer.address_corrected", AddressCorrected),
    EventType("customer.address_removed", AddressRemoved),
    EventType("customer.language_set", LanguageSet),
    EventType("customer.form_of_address_set", FormOfAddressSet),
    EventType("external_id.linked", ExternalIdLinked),
    EventType("external_id.unlinked", ExternalIdUnlinked),
    EventType("customer.merged", CustomerMerged),
    EventType("customer.unmerged", CustomerUnmerged),
    EventType("purchase.made", PurchaseMade, interaction=True),
    EventType("purchase.returned", PurchaseReturned, interaction=True),
    EventType("fact.withdrawn", FactWithdrawn, interaction=True),
    EventType("interaction.attributed", InteractionAttributed, interaction=True),
    EventType("interaction.detached", InteractionDetached, interaction=True),
)

BY_NAME: Mapping[str, EventType] = {event_type.name: event_type for event_type in EVENT_TYPES}
BY_CLASS: Mapping[type, EventType] = {event_type.cls: event_type for event_type in EVENT_TYPES}
