"""`python launch.py UID GID CAPABILITIES PROGRAM ARGUMENT…`: become that user, for ever, then become that program.

CAPABILITIES: Linux capability numbers with commas, of which the first that we have is kept; empty for none. A process of its
own, since what stands here must not run between fork and exec of a process with threads. Imports nothing of ours.
Source: capabilities(7), "Ambient" and "The securebits flags"; prctl(2).
"""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

PR_SET_SECUREBITS, PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE = 28, 38, 47, 2
# Without it, setuid() drops every capability, and access(), which PostgreSQL asks about its own files, ignores those that are left.
SECBIT_NO_SETUID_FIXUP = 4
ADVICE = "use a data folder (--data) and a Python that every user may reach, or run as an ordinary user"
LINUX_CAPABILITY_VERSION_3 = 0x20080522


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Set(ctypes.Structure):
    _fields_ = (("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32))


def main(uid: int, gid: int, capabilities: list[int], command: list[str]) -> None:
    kept = _first_permitted(capabilities) if capabilities else None
    libc = ctypes.CDLL(None, use_errno=True) if kept is not None else None
    if libc is not None:
        _checked(libc.prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0, 0, 0))
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
    if libc is not None and kept is not None:
        sets = (_Set * 2)(_Set(1 << kept, 1 << kept, 1 << kept))
        _checked(libc.capset(ctypes.byref(_Header(LINUX_CAPABILITY_VERSION_3, 0)), sets))
        _checked(libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, kept, 0, 0))
        _checked(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    os.execv(command[0], command)  # noqa: S606 - a program of ours, by its full path


def _first_permitted(capabilities: list[int]) -> int:
    status = Path("/proc/self/status").read_text("ascii")
    permitted = int(status.partition("CapPrm:")[2].split()[0], 16)
    for capability in capabilities:
        if permitted >> capability & 1:
            return capability
    raise PermissionError("this root has no capability to pass through closed folders")


def _checked(result: int) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


if __name__ == "__main__":
    try:
        main(int(sys.argv[1]), int(sys.argv[2]), [int(part) for part in sys.argv[3].split(",") if part], sys.argv[4:])
    except OSError as error:
        sys.exit(f"LAUNCH:  it does not run as root, and cannot be run as another user here ({error}); {ADVICE}")
