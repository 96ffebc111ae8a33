"""An input file as lines of text: plain or gzip, in any encoding, with a digest of what was read. Failures are sentences."""

from __future__ import annotations

import gzip
import hashlib
import io
import re
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Self

from consumers.importing.errors import RefusedError, UsedWrongly

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

LONGEST_LINE = 1_048_576
"""Characters; a longer line is a row that cannot be read. No cell of a table is that long, but a file without line ends is."""

_BUFFER = 262_144
_OTHER_KINDS = (
    (b"PK\x03\x04", "a ZIP archive or an XLSX workbook; unpack it, or save the sheet as CSV UTF-8"),
    (b"BZh", "packed with bzip2; unpack it, or pack it with gzip"),
    (b"\xfd7zXZ", "packed with xz; unpack it, or pack it with gzip"),
    (b"\x28\xb5\x2f\xfd", "packed with zstd; unpack it, or pack it with gzip"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook; save the sheet as CSV UTF-8"),
    (b"%PDF", "a PDF; ask for the table as CSV"),
)
_ESCAPED = re.compile("[\udc80-\udcff]")
"""How a byte that the encoding does not know comes out of `surrogateescape`."""


class TextFile:
    """An opened file. Use as a context manager; `lines` once. `position` and `size` are bytes of the file as it lies there."""

    def __init__(self, path: Path, encoding: str) -> None:
        self.path = path
        self.name = path.name
        self.encoding = encoding
        self.number = 0
        """Lines read so far."""
        self._digest = hashlib.sha256()
        self._open = ExitStack()
        try:
            self._raw: io.BufferedReader = self._open.enter_context(_opened(path))
            self.size = path.stat().st_size
            self._text = self._open.enter_context(self._decoded())
        except (OSError, EOFError, zlib.error) as error:
            self._open.close()
            raise _unreadable(self.path, error, 0) from None
        except RefusedError:
            self._open.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._open.close()

    @property
    def position(self) -> int:
        """How far the file has been read; 0 where that cannot be told (a pipe)."""
        return self._raw.tell() if not self._raw.closed and self._raw.seekable() else 0

    @property
    def digest(self) -> bytes:
        """SHA-256 of the content, unpacked. Whole once all lines are read."""
        return self._digest.digest()

    def lines(self) -> Iterator[str]:
        """Every line with its end. A line that is too long is cut, and longer than LONGEST_LINE by one. Raises RefusedError."""
        try:
            while line := self._text.readline(LONGEST_LINE + 1):
                self.number += 1
                yield line
                if len(line) > LONGEST_LINE:
                    self._pass_over_the_rest(line)
        except (OSError, EOFError, zlib.error) as error:
            raise _unreadable(self.path, error, self.number) from None
        except UnicodeError:
            where = f"{self.path} is not {self.encoding} after line {self.number}"
            raise RefusedError(f"{where}; say in the mapping which encoding it is in ([file] encoding).") from None

    def _pass_over_the_rest(self, line: str) -> None:
        while line and not line.endswith(self._line_end):
            line = self._text.readline(LONGEST_LINE)

    def _decoded(self) -> io.TextIOWrapper:
        first = self._raw.peek(8)
        for magic, what in _OTHER_KINDS:
            if first.startswith(magic):
                raise RefusedError(f"{self.path} is {what}.")
        plain: io.BufferedReader | gzip.GzipFile = self._raw
        if first.startswith(b"\x1f\x8b"):
            plain = self._open.enter_context(gzip.GzipFile(fileobj=self._raw, mode="rb"))
        buffered = io.BufferedReader(_Digested(plain, self._digest), _BUFFER)
        sample = buffered.peek(_BUFFER)
        if not sample:
            raise RefusedError(f"{self.path} is empty; there is nothing to import.")
        wide = self.encoding.startswith(("utf-16", "utf-32"))
        if sample.startswith((b"\xff\xfe", b"\xfe\xff")) and not wide:
            raise RefusedError(f'{self.path} is in UTF-16; add encoding = "utf-16" to [file] of the mapping.')
        self._line_end = "\r" if not wide and b"\r" in sample and b"\n" not in sample else "\n"
        return io.TextIOWrapper(buffered, self.encoding, errors="strict" if wide else "surrogateescape", newline=self._line_end)


class _Digested(io.RawIOBase):
    """Passes bytes on and feeds the digest."""

    def __init__(self, inner: io.BufferedReader | gzip.GzipFile, digest: hashlib._Hash) -> None:
        self._inner = inner
        self._feed = digest.update

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        data = self._inner.read(len(memoryview(buffer)))
        memoryview(buffer)[: len(data)] = data
        self._feed(data)
        return len(data)


def _opened(path: Path) -> io.BufferedReader:
    try:
        return path.open("rb")
    except OSError as error:
        raise UsedWrongly(f"{path} cannot be opened: {error.strerror or error}; check the name.") from None


def _unreadable(path: Path, error: Exception, line: int) -> RefusedError:
    if isinstance(error, EOFError):
        return RefusedError(
            f"{path} is torn: the packed data ends in the middle, after line {line}. Nothing was recorded; fetch the file again."
        )
    if isinstance(error, (gzip.BadGzipFile, zlib.error)):
        return RefusedError(f"{path} is damaged after line {line} ({error}). Nothing was recorded; fetch the file again.")
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return RefusedError(f"{path} could not be read after line {line}: {reason}. Nothing was recorded; try again when it can.")


def flaw(line: str, encoding: str) -> str | None:
    """What makes a line unusable whatever its form; None if nothing does."""
    if len(line) > LONGEST_LINE:
        return f"the line is longer than {LONGEST_LINE:,} characters"
    if "\0" in line:
        return "the line holds a NUL byte, which no text can"
    if line.isascii():
        return None
    found = _ESCAPED.search(line)
    if found is None:
        return None
    known_as = encoding.removesuffix("-sig")
    byte = len(line[: found.start()].encode(known_as, "surrogateescape")) + 1
    what = f"byte {byte} of the line is 0x{ord(found[0]) - 0xDC00:02X}, which is not {known_as}"
    return f"{what}; if the file is in another encoding, such as {others(known_as)}, say so in [file]"


def others(encoding: str) -> str:
    """The encodings that a file is most often in when it is not in this one."""
    return " or ".join(name for name in ("utf-8", "cp1252", "cp1250") if name != encoding)


def printable(text: str) -> str:
    """The text with bytes that are none of its encoding written as \\xE9, so that it can be kept as UTF-8."""
    return _ESCAPED.sub(lambda found: f"\\x{ord(found[0]) - 0xDC00:02X}", text)
