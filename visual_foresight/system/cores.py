"""How many cores this process may use, and what its threads do while they wait for one another.

A scheduler or a container often lends fewer cores than the machine has. Light: imported before
PyTorch, which reads what is set here when it is loaded.
"""

import math
import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

ROOT = Path("/")


def usable_cores(root: Path = ROOT) -> int:
    """Return how many cores this process may use: one or more.

    Args:
        root: of the file system, where the limits of control groups are read (Linux).
    """
    lent = _lent_cores()
    return max(1, min([lent, *(math.ceil(quota) for quota in _quotas(root))]))


def set_up_threads(sleep_while_waiting: bool, root: Path = ROOT) -> None:
    """Tell OpenMP, which PyTorch computes with, how many threads to start and how they wait.

    What the user has set stays. It counts for this process and its children, if nothing has
    loaded OpenMP yet.

    Args:
        sleep_while_waiting: threads that wait leave their core to others; see
            `docs/decisions/0040-threads-that-wait.md`.
        root: as in `usable_cores`.
    """
    if usable_cores(root) < _lent_cores():  # a share of time: OpenMP counts cores alone
        os.environ.setdefault("OMP_NUM_THREADS", str(usable_cores(root)))
    if sleep_while_waiting:
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def _lent_cores() -> int:
    """Return on how many cores the system lets this process run."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS has no such limits
        return os.cpu_count() or 1


def _quotas(root: Path) -> Iterator[float]:
    """Yield the shares of time, in cores, that the control groups of this process allow."""
    for line in _words_of_lines(root / "proc" / "self" / "cgroup", ":", 2):
        _, controllers, group = line
        for folder in (PurePosixPath(group), *PurePosixPath(group).parents):
            below = str(folder).lstrip("/")
            if not controllers:  # version 2
                unified = root / "sys" / "fs" / "cgroup" / below / "cpu.max"
                for quota, period in _words_of_lines(unified, " ", 1):
                    yield from _share(quota, period)
            elif "cpu" in controllers.split(","):
                named = root / "sys" / "fs" / "cgroup" / "cpu" / below
                for (quota,) in _words_of_lines(named / "cpu.cfs_quota_us", " ", 0):
                    for (period,) in _words_of_lines(named / "cpu.cfs_period_us", " ", 0):
                        yield from _share(quota, period)


def _share(quota: str, period: str) -> Iterator[float]:
    """Yield the share of time in cores, if there is a limit ("max" and -1 are none)."""
    if quota.isdigit() and period.isdigit() and int(quota) and int(period):
        yield int(quota) / int(period)


def _words_of_lines(path: Path, separator: str, num_splits: int) -> Iterator[list[str]]:
    """Yield the lines of a file that can be read, each split into its words."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return
    for line in lines:
        words = line.split(separator, num_splits)
        if len(words) == num_splits + 1:
            yield words
