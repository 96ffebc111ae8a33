"""The index's tables: left alone while they are ours, made anew from the log where they are not."""

from __future__ import annotations

import pytest

from infra.log.contract import Outgoing
from infra.postgres.schema import create_index
from tests.infra.crm import F, Shop


def create(shop: Shop) -> None:
    with shop.crm.pool.transaction() as cursor:
        create_index(cursor, shop.crm.log)


def refused(shop: Shop) -> int:
    ((count,),) = shop.rows("SELECT count(*) FROM index.refused")
    return int(count)


def test_an_index_that_stands_is_left_alone(embedded_shop: Shop) -> None:
    embedded_shop.append(F, Outgoing(b"no envelope", b"nonsense"))
    embedded_shop.indexed()
    create(embedded_shop)
    assert refused(embedded_shop) == 1


@pytest.mark.parametrize("damage", ["COMMENT ON SCHEMA index IS 'made by older software'", "DROP TABLE index.snapshot"])
def test_an_index_of_another_shape_is_made_anew_and_comes_back_from_the_log(still_shop: Shop, damage: str) -> None:
    still_shop.append(F, Outgoing(b"no envelope", b"nonsense"))
    still_shop.catch_up()
    still_shop.rows(damage)
    create(still_shop)
    assert refused(still_shop) == 0
    still_shop.catch_up()
    assert refused(still_shop) == 1
