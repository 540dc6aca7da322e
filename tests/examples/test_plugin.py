"""The package of `examples/plugin`, installed as its users install it, through the command line."""

import json
import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
PLUGIN = ROOT / "examples" / "plugin"
EXTEND = ROOT / "docs" / "extend"
PROJECT = tomllib.loads((PLUGIN / "pyproject.toml").read_text(encoding="utf-8"))["project"]
GROUPS: dict[str, dict[str, str]] = PROJECT["entry-points"]
SOURCE, GOAL = "31,25", "20,25"
"""In the scene of seed 0: the mark on the disc, and a place to which the finger can push it."""


@dataclass(frozen=True)
class Program:
    """The command line in a venv of its own."""

    python: Path
    folder: Path
    """Where commands run."""

    def run(self, words: str) -> subprocess.CompletedProcess[str]:
        """Run a command, and return what it said."""
        return subprocess.run(
            [str(self.python), "-m", "visual_foresight", *words.split()],
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )

    def figures(self, words: str) -> dict[str, Any]:
        """Return the figures of a command that ends well."""
        done = self.run(f"{words} --json")
        assert done.returncode == 0, done.stderr
        figures: dict[str, Any] = json.loads(done.stdout)
        return figures

    def refusal(self, words: str) -> str:
        """Return the one sentence of a command that is refused."""
        done = self.run(words)
        assert (done.returncode, done.stdout) == (2, "") and "Traceback" not in done.stderr
        return done.stderr.strip().splitlines()[-1]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Program:
    """Install the example into an empty venv that borrows this one's packages, and ours."""
    venv = tmp_path_factory.mktemp("plugin") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    python = venv / "bin" / "python"
    (site,) = venv.glob("lib/python*/site-packages")
    borrowed = [path for path in sys.path if Path(path).name == "site-packages"]
    (site / "borrowed.pth").write_text("\n".join([str(ROOT), *borrowed]))
    pip = [sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check"]
    alone = ["--no-deps", "--no-index", "--no-build-isolation"]
    subprocess.run([*pip, "install", "--quiet", *alone, str(PLUGIN)], check=True, timeout=240)
    return Program(python, tmp_path_factory.mktemp("folder"))


@pytest.fixture(scope="module")
def data(program: Program) -> Path:
    words = "collect --env puck --explorer crossing --format npz --episodes 24 --steps 16"
    figures = program.figures(f"{words} --folder data --workers 1")
    assert figures["episodes_new"] == 24
    return program.folder / "data"


@pytest.fixture(scope="module")
def checkpoint(program: Program, data: Path) -> Path:
    words = "--recipe.steps 60 --recipe.horizon 4 --recipe.teacher patches --device cpu"
    figures = program.figures(f"train nudge --data data --out run {words}")
    assert figures["teacher"] == "patches"
    return Path(figures["checkpoint"])


def test_every_part_is_one_file_of_its_own() -> None:
    modules = [value.split(":")[0] for parts in GROUPS.values() for value in parts.values()]
    files = {path.stem for path in (PLUGIN / "vf_example").glob("*.py")} - {"__init__"}
    assert sorted(modules) == sorted(f"vf_example.{stem}" for stem in files)
    for path in (PLUGIN / "vf_example").glob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert len(text.splitlines()) <= 125, f"{path.name} is too long to be copied"
        assert "vf_example" not in text, f"{path.name} needs another file"
    assert not [name for name in list(GROUPS) if not name.startswith("visual_foresight.")]


def test_nothing_of_the_package_knows_the_example() -> None:
    for path in (ROOT / "visual_foresight").rglob("*.py"):
        assert "vf_example" not in path.read_text(encoding="utf-8"), path


def test_every_file_has_its_page_and_every_group_its_row() -> None:
    pages = {path.stem: path.read_text(encoding="utf-8") for path in EXTEND.glob("*.md")}
    shown = [
        stem
        for text in pages.values()
        for stem in re.findall(
            r"^<!-- file: examples/plugin/vf_example/(\w+)\.py -->", text, re.M
        )
    ]
    files = {path.stem for path in (PLUGIN / "vf_example").glob("*.py")} - {"__init__"}
    assert sorted(shown) == sorted(files) and set(shown) <= pages.keys()
    for group in GROUPS:
        assert f"| `{group.removeprefix('visual_foresight.')}` |" in pages["index"]
        assert any(f'[project.entry-points."{group}"]' in text for text in pages.values())


@pytest.mark.slow
def test_episodes_are_of_its_world_and_its_format(program: Program, data: Path) -> None:
    files = sorted(data.glob("episode_*"))
    assert [path.suffix for path in files] == [".npz"] * 24
    with np.load(files[0]) as episode:
        assert episode["frames"].shape == (17, 64, 64, 3)
        assert episode["states"].shape == (17, 2) and episode["tracks"].shape == (17, 0, 2)
        assert episode["signal_reward"].shape == (16,)
        assert json.loads(str(episode["meta"]))["index"] == 0
    assert program.figures("validate --folder data")["sound_episodes"] == 24
    first = files[0].read_bytes()
    words = "collect --env puck --explorer crossing --format npz --episodes 1 --steps 16"
    program.figures(f"{words} --folder again --workers 1")
    assert (program.folder / "again" / files[0].name).read_bytes() == first


@pytest.mark.slow
def test_its_predictor_learns_from_its_teacher(program: Program, checkpoint: Path) -> None:
    words = f"evaluate prediction --data data --model {checkpoint} --horizon 4"
    steps = program.figures(words)["steps"]
    assert steps["1"]["psnr_moving"] > steps["1"]["still_psnr_moving"]
    assert "error_px" not in steps["1"]  # nobody knows where the disc truly was


@pytest.mark.slow
def test_it_plans_with_its_own_parts(program: Program, checkpoint: Path) -> None:
    parts = "--planner shooting --cost arrival --locator template --proposals rays"
    words = (
        f"plan --env puck --model {checkpoint} --preset fast --source {SOURCE} --goal {GOAL}"
    )
    figures = program.figures(f"{words} {parts} --animation trial.gif")
    assert figures["believed_start_distance_px"] == 11
    assert 0 <= figures["believed_final_distance_px"] < 90
    assert "success" not in figures
    assert (program.folder / "trial.gif").stat().st_size > 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("plan --env puck", "suite 'near' has no tasks in 'puck'"),
        ("plan --env puck --model simulator --source 9,9 --goal 5,5", "this needs snapshots"),
        (
            "plan --env puck --model still --proposals pushes --source 9,9 --goal 5,5",
            "has no workspace",
        ),
        ("collect --env puck --folder other --workers 1", "needs a calibrated camera"),
        ("collect --env puck --privileged --explorer crossing --folder third", "needs a judge"),
        ("evaluate control --methods random --suites puck", "unknown suite 'puck'"),
        ("plan --env puck --cost arrivals", "unknown cost 'arrivals': choose one of auto, "),
    ],
)
def test_what_its_world_does_not_have_is_said(
    program: Program, words: str, sentence: str
) -> None:
    assert sentence in program.refusal(words)
    assert not [name for name in ("other", "third") if (program.folder / name).exists()]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["control --trials 1 --methods", "ranking --states 1 --model"])
def test_benchmarks_of_the_pushing_table_refuse_its_model(
    program: Program, checkpoint: Path, kind: str
) -> None:
    assert "state" in program.refusal(f"evaluate {kind} {checkpoint}")
