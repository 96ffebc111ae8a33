"""Every projection, as an explicit literal."""

from __future__ import annotations

from projections.batch import Projection
from projections.customer import CUSTOMER
from projections.identity import IDENTITY
from projections.ledger import LEDGER
from projections.timeline import TIMELINE

PROJECTIONS: tuple[Projection, ...] = (IDENTITY, CUSTOMER, TIMELINE, LEDGER)
BY_NAME = {projection.name: projection for projection in PROJECTIONS}
