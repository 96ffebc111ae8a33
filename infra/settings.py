"""Settings, from the environment (contract: `CRM_…`). This module alone reads it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DEFAULT_DATA = Path("annals-data")


class SettingsError(Exception):
    """A setting that cannot be right; the message is a sentence."""


@dataclass(frozen=True)
class Settings:
    """Everything that an installation chooses. Immutable; read once at start."""

    data: Path
    log: Literal["embedded", "kafka"] = "embedded"
    kafka: tuple[str, ...] = ("127.0.0.1:9092",)
    prefix: str = "crm"
    decision_partitions: int = 4
    fact_partitions: int = 8
    database: str | None = None
    """A libpq URL; None means the embedded PostgreSQL in `data`."""
    master_key: bytes | None = field(default=None, repr=False)
    """32 bytes; None means the file `master.key` in `data`, made on first use."""
    region: str = "GB"
    time_zone: str = "UTC"
    currency: str = "EUR"
    language: str = "en"
    host: str = "127.0.0.1"
    port: int = 8000
    kafka_security: Mapping[str, Any] = field(default_factory=dict)
    """kafka-python's own names (`security_protocol`, `sasl_mechanism`, …)."""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None, **changes: Any) -> Self:
        """Read the environment; `changes` (from the command line) win. Raises SettingsError."""
        env = os.environ if environ is None else environ
        given: dict[str, Any] = {
            "data": Path(env.get("CRM_DATA") or DEFAULT_DATA),
            "log": _choice(env, "CRM_LOG", ("embedded", "kafka")),
            "kafka": tuple(part.strip() for part in env.get("CRM_KAFKA", "127.0.0.1:9092").split(",") if part.strip()),
            "prefix": env.get("CRM_PREFIX") or "crm",
            "decision_partitions": _count(env, "CRM_DECISION_PARTITIONS", 4),
            "fact_partitions": _count(env, "CRM_FACT_PARTITIONS", 8),
            "database": env.get("CRM_DATABASE") or None,
            "master_key": _master_key(env),
            "region": (env.get("CRM_REGION") or "GB").upper(),
            "time_zone": _zone(env),
            "currency": (env.get("CRM_CURRENCY") or "EUR").upper(),
            "language": env.get("CRM_LANGUAGE") or "en",
            "host": env.get("CRM_HOST") or "127.0.0.1",
            "port": _count(env, "CRM_PORT", 8000),
            "kafka_security": _kafka_security(env),
        }
        given.update({name: value for name, value in changes.items() if value is not None})
        return cls(**given)

    def to_environment(self) -> dict[str, str]:
        """The same settings for a process of ours that is started as a child."""
        env = {
            "CRM_DATA": str(self.data),
            "CRM_LOG": self.log,
            "CRM_KAFKA": ",".join(self.kafka),
            "CRM_PREFIX": self.prefix,
            "CRM_DECISION_PARTITIONS": str(self.decision_partitions),
            "CRM_FACT_PARTITIONS": str(self.fact_partitions),
            "CRM_REGION": self.region,
            "CRM_TIME_ZONE": self.time_zone,
            "CRM_CURRENCY": self.currency,
            "CRM_LANGUAGE": self.language,
            "CRM_HOST": self.host,
            "CRM_PORT": str(self.port),
        }
        if self.database:
            env["CRM_DATABASE"] = self.database
        if self.master_key:
            env["CRM_MASTER_KEY"] = self.master_key.hex()
        env.update({f"CRM_KAFKA_{name.upper()}": str(value) for name, value in self.kafka_security.items()})
        return env


def child_environment(settings: Settings) -> dict[str, str]:
    """The environment for a child process of ours: what we were given, with the settings as we understood them."""
    return {**os.environ, **settings.to_environment()}


def _choice(env: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str:
    value = env.get(name) or choices[0]
    if value not in choices:
        raise SettingsError(f"{name} is {value!r}; it must be one of {', '.join(choices)}.")
    return value


def _count(env: Mapping[str, str], name: str, default: int) -> int:
    text = env.get(name) or str(default)
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 65536):
        raise SettingsError(f"{name} is {text!r}; it must be a number from 1 to 65535.")
    return int(text)


def _zone(env: Mapping[str, str]) -> str:
    name = env.get("CRM_TIME_ZONE") or "UTC"
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise SettingsError(f"CRM_TIME_ZONE is {name!r}, which is no time zone; one looks like Europe/Bucharest.") from error
    return name


def _master_key(env: Mapping[str, str]) -> bytes | None:
    text = env.get("CRM_MASTER_KEY")
    if text:
        return read_master_key(text, "CRM_MASTER_KEY")
    name = env.get("CRM_MASTER_KEY_FILE")
    if not name:
        return None
    try:
        return read_master_key(Path(name).read_text("ascii"), name)
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"CRM_MASTER_KEY_FILE names {name}, which cannot be read: {error}.") from error


def read_master_key(text: str, where: str) -> bytes:
    """32 bytes written as 64 hexadecimal digits. Raises SettingsError."""
    try:
        key = bytes.fromhex(text.strip())
    except ValueError:
        key = b""
    if len(key) != 32:
        raise SettingsError(f"The master key in {where} must be 64 hexadecimal digits (32 bytes).")
    return key


def _kafka_security(env: Mapping[str, str]) -> dict[str, Any]:
    return {name.removeprefix("CRM_KAFKA_").lower(): value for name, value in env.items() if name.startswith("CRM_KAFKA_") and value}
