"""Bytes that somebody might put into the log, and what every reader must make of them for ever (format 1).

One line a case: its name, the verdict, the bytes. ACCEPTED: a commit whose event is at version 1 of a stream of its own. REFUSED: no
valid envelope. STALE: a valid envelope that the rule refuses, since its stream is new. STOPS: a higher format.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from uuid import NAMESPACE_OID, UUID, uuid5

KEY = UUID("6f9619ff-8b86-4011-b42d-00cf4fc964ff")
RECORD_KEY = str(KEY).encode()
OTHER = b"3b241101-e2bb-4255-8caf-4136c566a962"


class Verdict(Enum):
    ACCEPTED = "accepted"
    REFUSED = "refused"
    STALE = "stale"
    STOPS = "stops"


A, R, S, H = Verdict.ACCEPTED, Verdict.REFUSED, Verdict.STALE, Verdict.STOPS


@dataclass(frozen=True)
class Case:
    """One record. `misplaced`: it stands in a partition that is not its key's."""

    name: str
    verdict: Verdict
    value: bytes | None
    key: bytes | None = RECORD_KEY
    misplaced: bool = False


def stream(name: str) -> UUID:
    """The stream of the case's event."""
    return uuid5(NAMESPACE_OID, f"stream {name}")


def commit(name: str) -> UUID:
    """The id of the case's commit."""
    return uuid5(NAMESPACE_OID, f"commit {name}")


def event(name: str, **changes: str | None) -> str:
    """The case's event as JSON; `changes` are raw JSON by field, None takes a field out."""
    fields: dict[str, str | None] = {
        "stream": f'"{stream(name)}"',
        "version": "1",
        "type": '"customer.language_set"',
        "schema": "1",
        "occurred_at": '"2026-11-22T10:00:00.000000Z"',
        "data": '{"language":"ro"}',
    }
    return _object(fields | changes)


def envelope(name: str, tail: str = "", **changes: str | None) -> bytes:
    """The case's commit; `tail` is put before the last brace."""
    fields: dict[str, str | None] = {
        "format": "1",
        "id": f'"{commit(name)}"',
        "attempt": "1",
        "key": f'"{KEY}"',
        "recorded_at": '"2026-11-22T10:00:00.000000Z"',
        "actor": '"user:test"',
        "reads": "{}",
        "events": f"[{event(name)}]",
    }
    return (_object(fields | changes)[:-1] + tail + "}").encode()


def _object(fields: dict[str, str | None]) -> str:
    return "{" + ",".join(f'"{name}":{value}' for name, value in fields.items() if value is not None) + "}"


def _of(verdict: Verdict, name: str, tail: str = "", **changes: str | None) -> Case:
    return Case(name, verdict, envelope(name, tail, **changes))


def _with(verdict: Verdict, name: str, **changes: str | None) -> Case:
    """The event is changed."""
    return Case(name, verdict, envelope(name, events=f"[{event(name, **changes)}]"))


def _raw(name: str, value: bytes | None) -> Case:
    return Case(name, R, value)


def _nested(depth: int) -> str:
    """Data that makes the whole record `depth` deep: the record, the events, the event and the data's lists."""
    return "[" * (depth - 3) + "]" * (depth - 3)


def _padded(name: str, megabytes: int) -> Case:
    return _with(A, name, data=f'{{"text":"{"x" * (megabytes << 20)}"}}')


_GOOD = envelope("good")
_UUID = str(KEY)

CASES: tuple[Case, ...] = (
    # what is no JSON
    _raw("no value", None),
    _raw("an empty value", b""),
    _raw("blanks", b"  \n"),
    _raw("cut short", _GOOD[:-1]),
    _raw("something after it", _GOOD + b"{}"),
    _raw("a NUL after it", _GOOD + b"\0"),
    _raw("a byte order mark", b"\xef\xbb\xbf" + _GOOD),
    _raw("UTF-16", _GOOD.decode().encode("utf-16")),
    _raw("invalid UTF-8", _GOOD.replace(b"user:test", b"user:\xff")),
    _raw("overlong UTF-8", _GOOD.replace(b"user:test", b"user:\xc0\xaf")),
    _raw("a surrogate in UTF-8", _GOOD.replace(b"user:test", b"user:\xed\xa0\x80")),
    _raw("a raw control character", _GOOD.replace(b"user:test", b"user:\x01")),
    _raw("a comment", _GOOD.replace(b'"attempt":1', b'"attempt":1/**/')),
    _raw("single quotes", _GOOD.replace(b'"', b"'")),
    _of(A, "blanks around it", "  "),
    _of(R, "half a surrogate pair", actor=r'"user:\ud800"'),
    _of(R, "the other half", actor=r'"user:\udc00"'),
    _of(A, "a whole surrogate pair", actor=r'"user:\ud83d\udcde"'),
    _of(R, "not a number", attempt="NaN"),
    _of(R, "infinite", attempt="Infinity"),
    _of(R, "beyond any float", attempt="1e999"),
    _of(R, "a leading zero", format="01"),
    _of(R, "a leading plus", format="+1"),
    # what is no envelope
    _raw("null", b"null"),
    _raw("a list", b"[" + _GOOD + b"]"),
    _raw("a text", b'"' + b"x" * 40 + b'"'),
    _raw("an empty object", b"{}"),
    _of(R, "format missing", format=None),
    _of(R, "format null", format="null"),
    _of(R, "format 0", format="0"),
    _of(R, "format -1", format="-1"),
    _of(H, "format 2", format="2"),
    _of(H, "format 2^63", format=str(2**63)),
    _of(H, "format 2^64 - 1", format=str(2**64 - 1)),
    _of(R, "format beyond 64 bits", format=str(2**64)),
    _of(R, "format 1.0", format="1.0"),
    _of(R, "format 2.0", format="2.0"),
    _of(R, "format 1e0", format="1e0"),
    _of(R, "format true", format="true"),
    _of(R, "format as text", format='"1"'),
    Case("format 2 and nothing else", H, b'{"format":2}', None),
    # of two equal names the last counts
    _of(A, "a later format 1 counts", '," format":2,"format":2,"format":1'),
    _of(H, "a later format 2 counts", ',"format":2'),
    _of(R, "a later empty list of events counts", ',"events":[]'),
    _of(A, "an earlier format does not count", ',"format":1', format='"x"'),
    _with(A, "an earlier version does not count", version='7,"version":1'),
    _with(S, "a later version counts", version='1,"version":7'),
    _of(A, "a name written with an escape is the same name", r',"\u0066ormat":1', format="9"),
    # ids
    _of(R, "id missing", id=None),
    _of(R, "id a number", id="7"),
    _of(R, "id in upper case", id=f'"{str(commit("x")).upper()}"'),
    _of(R, "id in braces", id=f'"{{{_UUID}}}"'),
    _of(R, "id as URN", id=f'"urn:uuid:{_UUID}"'),
    _of(R, "id without hyphens", id=f'"{_UUID.replace("-", "")}"'),
    _of(R, "id of 35 characters", id=f'"{_UUID[:-1]}"'),
    _of(R, "id of 37 characters", id=f'"{_UUID}0"'),
    _of(R, "id with a line break after it", id=f'"{_UUID}\\n"'),
    _of(R, "id with Arabic digits", id=f'"{_UUID[:-1]}\u0661"'),
    _of(R, "id with full-width letters", id=f'"{_UUID[:-1]}\uff46"'),
    _of(A, "id of no known kind of UUID", id='"00000000-0000-0000-0000-000000000000"'),
    _of(R, "key missing", key=None),
    _of(R, "key another than the record's", key=f'"{OTHER.decode()}"'),
    Case("key in upper case, the record's too", R, envelope("upper", key=f'"{_UUID.upper()}"'), _UUID.upper().encode()),
    Case("record without a key", R, envelope("record without a key"), None),
    Case("record with an empty key", R, envelope("record with an empty key"), b""),
    Case("record with another key", R, envelope("record with another key"), OTHER),
    Case("record's key in upper case", R, envelope("record's key in upper case"), _UUID.upper().encode()),
    Case("record's key as 16 bytes", R, envelope("record's key as 16 bytes"), KEY.bytes),
    Case("a partition that is not the key's", R, envelope("a partition that is not the key's"), misplaced=True),
    # reads
    _of(A, "reads missing", reads=None),
    _of(A, "reads a new stream", reads=f'{{"{OTHER.decode()}":0}}'),
    _of(A, "reads at minus nought", reads=f'{{"{OTHER.decode()}":-0}}'),
    _of(S, "reads a version that is not there", reads=f'{{"{OTHER.decode()}":1}}'),
    _of(R, "reads null", reads="null"),
    _of(R, "reads a list", reads="[]"),
    _of(R, "reads at true", reads=f'{{"{OTHER.decode()}":true}}'),
    _of(R, "reads at 0.0", reads=f'{{"{OTHER.decode()}":0.0}}'),
    _of(R, "reads at text", reads=f'{{"{OTHER.decode()}":"0"}}'),
    _of(R, "reads at -1", reads=f'{{"{OTHER.decode()}":-1}}'),
    _of(R, "reads at 2^31", reads=f'{{"{OTHER.decode()}":{2**31}}}'),
    _of(R, "reads something that is no stream", reads='{"x":0}'),
    # events
    _of(R, "events missing", events=None),
    _of(R, "events null", events="null"),
    _of(R, "events empty", events="[]"),
    _of(R, "events an object", events="{}"),
    _of(R, "events a text", events='"x"'),
    _of(R, "an event null", events="[null]"),
    _of(R, "an event a list", events="[[]]"),
    _of(R, "an event empty", events="[{}]"),
    _of(R, "a good event and a bad one", events=f"[{event('a good event and a bad one')},7]"),
    _with(R, "stream missing", stream=None),
    _with(R, "stream in upper case", stream=f'"{_UUID.upper()}"'),
    _with(R, "version missing", version=None),
    _with(R, "version null", version="null"),
    _with(R, "version 0", version="0"),
    _with(R, "version -1", version="-1"),
    _with(R, "version 1.0", version="1.0"),
    _with(R, "version true", version="true"),
    _with(R, "version as text", version='"1"'),
    _with(S, "version 2 of a new stream", version="2"),
    _with(S, "version 2^31 - 1", version=str(2**31 - 1)),
    _with(R, "version 2^31", version=str(2**31)),
    _with(R, "version beyond 64 bits", version=str(2**64)),
    # what the rule does not look at: accepted, whatever it is
    _of(A, "unknown fields", ',"colour":"blue","":{"a":[1,2.5,null]}'),
    _with(A, "unknown fields of an event", colour='"blue"'),
    _with(A, "type missing", type=None),
    _with(A, "type a number", type="7"),
    _with(A, "type a list", type='["customer.captured"]'),
    _with(A, "type unknown", type='"customer.abducted"'),
    _with(A, "type as long as a book", type=f'"{"x" * 70_000}"'),
    _with(A, "type of a snapshot", type='"snapshot:customer:0"'),
    _with(A, "schema a text", schema='"1"'),
    _with(A, "schema beyond 64 bits", schema=str(2**70)),
    _with(A, "schema true", schema="true"),
    _with(A, "data missing", data=None),
    _with(A, "data null", data="null"),
    _with(A, "data a list", data="[1]"),
    _with(A, "data with a number beyond 64 bits", data=f'{{"n":{2**70}}}'),
    _with(A, "data with numbers at the edge", data=f'{{"n":[{2**64 - 1},{-(2**63)},1e308,5e-324,-0.0]}}'),
    _with(A, "a NUL in the data", data=r'{"text":"a\u0000b","\u0000":1}'),
    _with(A, "a NUL in the type", type=r'"a\u0000b"'),
    _of(A, "a NUL in the actor", actor=r'"user:\u0000"'),
    _with(A, "what COPY has a meaning for", data=r'{"text":"\\.\n\\N\t\r\\","\\":"\b\f\u007f\u0085\u2028"}'),
    _of(A, "the same in the actor", actor=r'"\\.\n\\N\t\r\\x41\b\u000b\u0085\u2028"'),
    _of(A, "what a driver has a meaning for", actor=r'"%s %(x)s %% \u0027; {}"'),
    _of(A, "attempt 1.5", attempt="1.5"),
    _of(A, "attempt beyond 64 bits", attempt=str(2**70)),
    _of(A, "attempt beyond 32 bits", attempt=str(2**31)),
    _of(A, "actor an object", actor="{}"),
    _of(A, "actor missing", actor=None),
    _of(A, "request a number", request="7"),
    _of(A, "recorded_at a number", recorded_at="7"),
    _with(A, "occurred_at missing", occurred_at=None),
    _with(A, "occurred_at a number", occurred_at="1700000000"),
    _with(A, "occurred_at no time", occurred_at='"yesterday"'),
    _with(A, "occurred_at infinite", occurred_at='"infinity"'),
    _with(A, "occurred_at without an offset", occurred_at='"2026-11-22T10:00:00"'),
    _with(A, "occurred_at only a date", occurred_at='"2026-11-22"'),
    _with(A, "occurred_at on a day that is none", occurred_at='"2026-02-30T10:00:00.000000Z"'),
    _with(A, "occurred_at in a leap second", occurred_at='"2016-12-31T23:59:60.000000Z"'),
    _with(A, "occurred_at in the year 0", occurred_at='"0000-01-01T00:00:00.000000Z"'),
    _with(A, "occurred_at in the year 1", occurred_at='"0001-01-01T00:00:00.000000Z"'),
    _with(A, "occurred_at before the year 1", occurred_at='"0001-01-01T00:00:00+01:00"'),
    _with(A, "occurred_at after the year 9999", occurred_at='"9999-12-31T23:59:59-23:59"'),
    _with(A, "occurred_at at the very end", occurred_at='"9999-12-31T23:59:59.999999Z"'),
    _with(A, "occurred_at with an odd offset", occurred_at='"2026-11-22T10:00:00+02:30:15.5"'),
    _with(A, "occurred_at by week", occurred_at='"2026-W47-7T10:00:00Z"'),
    _with(A, "occurred_at with Arabic digits", occurred_at='"\u0662026-11-22T10:00:00.000000Z"'),
    _with(A, "said_at no time", said_at='"soon"'),
    # size and depth
    _with(A, "1024 deep", data=_nested(1024)),
    _with(R, "1025 deep", data=_nested(1025)),
    _with(R, "2000 deep", data=_nested(2000)),
    _padded("3 MB", 3),
    Case("two events of one stream", A, envelope("two", events=f"[{event('two')},{event('two', version='2')}]")),
    Case("two events of one version", S, envelope("twin", events=f"[{event('twin')},{event('twin')}]")),
    Case("two events in disorder", S, envelope("back", events=f"[{event('back', version='2')},{event('back')}]")),
)
