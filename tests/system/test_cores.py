"""How many cores there are for us: those that were lent, by number or by share of time."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from visual_foresight.system.cores import set_up_threads, usable_cores


@pytest.fixture(autouse=True)
def sixteen_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(16)), raising=False)


def group(root: Path, line: str, files: dict[str, str]) -> Path:
    """Write a control group of this process as Linux shows it."""
    for name, text in {"proc/self/cgroup": line, **files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")
    return root


def test_without_limits_all_lent_cores_count(tmp_path: Path) -> None:
    assert usable_cores(tmp_path) == 16


@pytest.mark.parametrize(
    ("limit", "expected"),
    [("200000 100000", 2), ("150000 100000", 2), ("1000 100000", 1), ("max 100000", 16)],
)
def test_a_share_of_time_counts(tmp_path: Path, limit: str, expected: int) -> None:
    of_parent = {"sys/fs/cgroup/a/cpu.max": limit, "sys/fs/cgroup/a/b/cpu.max": "max 100000"}
    assert usable_cores(group(tmp_path, "0::/a/b", of_parent)) == expected


@pytest.mark.parametrize(("quota", "expected"), [("300000", 3), ("-1", 16), ("much", 16)])
def test_an_old_kernel_says_it_elsewhere(tmp_path: Path, quota: str, expected: int) -> None:
    files = {
        "sys/fs/cgroup/cpu/job/cpu.cfs_quota_us": quota,
        "sys/fs/cgroup/cpu/job/cpu.cfs_period_us": "100000",
    }
    assert usable_cores(group(tmp_path, "4:cpu,cpuacct:/job", files)) == expected


def test_openmp_hears_of_a_share_of_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OMP_NUM_THREADS", "OMP_WAIT_POLICY"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    set_up_threads(sleep_while_waiting=False, root=tmp_path)
    assert "OMP_NUM_THREADS" not in os.environ and "OMP_WAIT_POLICY" not in os.environ
    root = group(tmp_path, "0::/", {"sys/fs/cgroup/cpu.max": "200000 100000"})
    set_up_threads(sleep_while_waiting=True, root=root)
    assert os.environ["OMP_NUM_THREADS"] == "2" and os.environ["OMP_WAIT_POLICY"] == "PASSIVE"


@pytest.mark.skipif(sys.platform != "linux", reason="cores are lent so on Linux")
def test_a_command_starts_as_many_workers_as_cores_were_lent() -> None:
    code = """
import os
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
from visual_foresight.collect.collection import CollectConfig
print(CollectConfig.workers)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout == "1\n"
