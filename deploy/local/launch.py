"""Become another program that cannot outlive the process that started it.

Run by path with ``python -I -S launch.py HOW SIGNAL PARENT UID GID PROGRAM ARGUMENT...``; standard library only. A
program of its own, because the work must be done between ``fork`` and ``exec``, and Python code in a fork of a process
with threads (``preexec_fn``) can hang.

``HOW`` is ``kernel`` (Linux: ``prctl(2)``, ``PR_SET_PDEATHSIG``) or ``watch`` (elsewhere: a small process polls every
half second). ``UID`` and ``GID`` are numbers, or ``-`` to keep the current user.
"""

import ctypes
import os
import sys
import time

PR_SET_PDEATHSIG = 1
WATCH_SECONDS = 0.5


def become(uid: str, gid: str) -> None:
    """Drop root for good. Groups first: after ``setuid`` it is too late."""
    if uid != "-":
        os.setgroups([])
        os.setgid(int(gid))
        os.setuid(int(uid))


def tie_by_kernel(signal_number: int) -> None:
    """Make the kernel send us ``signal_number`` when our parent ends. Must come after the change of user."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, signal_number, 0, 0, 0) != 0:
        sys.exit(f"prctl(PR_SET_PDEATHSIG) failed: {os.strerror(ctypes.get_errno())}")


def tie_by_watching(signal_number: int, parent: int) -> None:
    """Start a process that signals us when ``parent`` has ended, and ends with us."""
    program = os.getpid()
    if os.fork() != 0:
        return
    while os.getppid() == program:
        try:
            os.kill(parent, 0)
        except ProcessLookupError:
            os.kill(program, signal_number)
            break
        except PermissionError:
            pass  # It lives, as another user.
        time.sleep(WATCH_SECONDS)
    os._exit(0)


def main(arguments: list[str]) -> None:
    """Change user, tie ourselves to the parent, and become the program."""
    how, signal_text, parent_text, uid, gid, *command = arguments
    signal_number, parent = int(signal_text), int(parent_text)
    become(uid, gid)
    if how == "kernel":
        tie_by_kernel(signal_number)
    if os.getppid() != parent:
        sys.exit("the process that asked for this program has ended already")
    if how == "watch":
        tie_by_watching(signal_number, parent)
    os.execv(command[0], command)  # noqa: S606  # the command comes from deploy.local.child


if __name__ == "__main__":
    main(sys.argv[1:])
