"""`crm broker start`, `crm broker stop`: a Kafka of one's own, and what is in it stays."""

from __future__ import annotations

import socket

from tests.endtoend.installation import Installation, processes_of
from tests.endtoend.shop import ShopFile
from tests.faults import Broker, free_port, quick_folder


def test_what_was_imported_is_there_after_a_stop_and_a_start(
    embedded: Installation, broker: Broker, shop: ShopFile, shop_import: tuple[object, ...]
) -> None:
    assert broker.address, "where no broker can be had, this test has nothing to say either"
    port = free_port()
    address = f"127.0.0.1:{port}"
    one = embedded.with_(CRM_LOG="kafka", CRM_KAFKA=address)
    started = one.crm("broker", "start", "--port", port)
    assert f"export CRM_LOG=kafka CRM_KAFKA={address}" in started.out
    try:
        assert one.imports(*shop_import)["recorded"] == shop.events
        one.project()
        before = one.full()
        one.crm("broker", "stop")
        refused = one.crm("lag", code=1)
        assert f"Kafka at {address}" in refused.err
        one.crm("broker", "start", "--port", port)
        again = one.imports(*shop_import)
        assert (again["recorded"], again["known"]) == (0, shop.events)
        assert one.full() == before
    finally:
        one.crm("broker", "stop")
    assert not processes_of(one.data)


def test_a_taken_port_is_a_sentence(embedded: Installation, broker: Broker) -> None:
    assert broker.address
    other = embedded.with_(CRM_DATA=str(quick_folder("annals-port-")))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = other.crm("broker", "start", "--port", port, code=1)
    other.close()
    assert done.err == f"Port {port} is taken by another program; choose another one (--port).\n"
