"""Which errors are sentences for a person already, and what to say of the others that a person may meet."""

from __future__ import annotations

import errno

import psycopg2
from eventsourcing.persistence import IntegrityError

from domain.decider import DomainError
from infra.broker import BrokerError
from infra.handler import OtherRequest, StreamUnreadable, VersionMoved
from infra.keys.master import WrongMasterKey
from infra.log.contract import LogError
from infra.postgres.errors import ServerError
from infra.settings import SettingsError

USED_WRONGLY = 2
_SENTENCES = (DomainError, LogError, ServerError, SettingsError, BrokerError, WrongMasterKey, OtherRequest, StreamUnreadable, VersionMoved)


class Refused(Exception):
    """A command that cannot be done; the message is a sentence."""


class UsedWrongly(Exception):
    """A command that was given what it cannot take; the message is a sentence."""


def sentence_of(error: Exception) -> str | None:
    """What to tell a person; None for what nobody expected."""
    if isinstance(error, (*_SENTENCES, Refused, UsedWrongly)):
        return str(error)
    if isinstance(error, IntegrityError):
        return "Somebody else changed this at the same moment; look at it again, then decide."
    if isinstance(error, psycopg2.errors.DiskFull):
        return "The disk that holds PostgreSQL's data is full; make room, then run the same command again."
    if isinstance(error, psycopg2.OperationalError | psycopg2.InterfaceError):
        return f"PostgreSQL does not answer ({_first_line(error)}); look whether it runs, then try again."
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return f"The disk is full{f' at {error.filename}' if error.filename else ''}; make room, then run the same command again."
    return None


def exit_code_of(error: Exception) -> int:
    """2 where the command was used wrongly, else 1."""
    return USED_WRONGLY if isinstance(error, SettingsError | UsedWrongly) else 1


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
