"""How we talk to Kafka through kafka-python: what every client is given, and its errors as sentences."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from kafka import KafkaConsumer
from kafka.errors import KafkaError
from kafka.net.compat import KafkaNetClient

from infra.log.contract import LogMisconfigured, LogUnreachable, Topic

CONNECT_SECONDS = 4.0
SECURITY = ("security_", "ssl_", "sasl_")


@dataclass(frozen=True)
class Cluster:
    """Where the brokers are, and the names of our topics there."""

    servers: tuple[str, ...]
    prefix: str
    security: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def name(self, topic: Topic) -> str:
        """The topic's name on the brokers: `crm.decisions`."""
        return f"{self.prefix}.{topic.value}"

    def connect(self, client: Callable[..., Any], **options: Any) -> Any:
        """A kafka-python client of the class given. Raises LogUnreachable within about five seconds, LogMisconfigured.

        A constructor that fails leaves its network thread running, so we make the network client, and close it.
        """
        made: list[Any] = []

        def network(**config: Any) -> Any:
            made.append(KafkaNetClient(**config))
            return made[0]

        try:
            return client(
                bootstrap_servers=list(self.servers),
                bootstrap_timeout_ms=int(CONNECT_SECONDS * 1000),
                reconnect_backoff_max_ms=1000,  # by default a broker that was away is left alone for up to 30 seconds
                kafka_client=network,
                **self.security,
                **options,
            )
        except (KafkaError, OSError, ValueError) as error:
            for one in made:
                with suppress(Exception):
                    one.close()
            raise self.explained(error) from error

    def explained(self, error: Exception) -> LogUnreachable | LogMisconfigured:
        """The error as the log's callers know it."""
        where = ", ".join(self.servers)
        if isinstance(error, OSError) or (isinstance(error, KafkaError) and error.retriable):
            return LogUnreachable(f"Kafka at {where} did not answer ({type(error).__name__}); is the broker running?")
        return LogMisconfigured(f"Kafka at {where} cannot be used ({type(error).__name__}: {error}); correct CRM_KAFKA and CRM_KAFKA_….")


def security_from(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Kafka-python's security options, of the types it wants, from the words of the environment. Raises LogMisconfigured."""
    options: dict[str, Any] = {}
    for name, value in settings.items():
        if not name.startswith(SECURITY) or name not in KafkaConsumer.DEFAULT_CONFIG:
            raise LogMisconfigured(f"CRM_KAFKA_{name.upper()} is no security setting of kafka-python; remove it or correct its name.")
        if isinstance(KafkaConsumer.DEFAULT_CONFIG[name], bool) and isinstance(value, str):
            if value.lower() not in {"true", "false"}:
                raise LogMisconfigured(f"CRM_KAFKA_{name.upper()} is {value!r}; it must be true or false.")
            options[name] = value.lower() == "true"
        else:
            options[name] = value
    return options


def servers_from(servers: Sequence[str]) -> tuple[str, ...]:
    """The brokers' addresses. Raises LogMisconfigured if there is none."""
    if not servers:
        raise LogMisconfigured("CRM_KAFKA names no broker; it looks like 127.0.0.1:9092,127.0.0.1:9093.")
    return tuple(servers)
