"""The `plan` command, with the persistence baseline `still`, which needs no checkpoint."""

import contextlib
import json
import re
import subprocess
import sys
from pathlib import Path

import imageio.v3 as imageio
import pytest

from visual_foresight.control.judge import designate
from visual_foresight.envs.pushing.env import PushEnv
from visual_foresight.envs.registry import make
from visual_foresight.goals.pixel_goal import PixelGoal
from visual_foresight.plan import PlanConfig, plan
from visual_foresight.types import Pixel, UserError


def test_a_trial_reports_its_figures_and_writes_its_animation(tmp_path):
    words = "plan --model still --preset fast --seed 1 --json --animation out/a.gif"
    command = [sys.executable, "-m", "visual_foresight", *words.split()]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=240, check=True
    )
    figures = json.loads(done.stdout)
    assert figures.keys() == {
        "success",
        "start_distance_cm",
        "final_distance_cm",
        "replan_seconds_median",
        "animation",
    }
    assert 8 <= figures["start_distance_cm"] <= 12, "suite near"
    assert figures["success"] == (figures["final_distance_cm"] <= 5)
    assert figures["replan_seconds_median"] > 0
    assert figures["animation"] == str(tmp_path / "out" / "a.gif")
    assert imageio.improps(figures["animation"], index=None, plugin="pillow").shape[0] > 20
    assert done.stderr.count(" cm to go") == 21, "a line before each of 20 steps and at the end"


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"suite": "moon"}, "unknown suite 'moon': choose one of near, far, novel"),
        ({"locator": "dowse"}, "unknown locator 'dowse'"),
        ({"preset": "lazy"}, "unknown preset 'lazy'"),
        ({"source": ("1,2",)}, "--source names 1 pixels and --goal 0: each needs its goal"),
        ({"source": ("1,2",), "goal": ("3",)}, "given as ROW,COL, as in 40,20; got '3'"),
        ({"source": ("1,2,3",), "goal": ("3,4",)}, "got '1,2,3'"),
        ({"source": ("nan,2",), "goal": ("3,4",)}, "got 'nan,2'"),
        ({"num_objects": 2}, "--num-objects goes with --source and --goal"),
        ({"seed": -1}, "a seed is a whole number from 0"),
        ({"animation": "a.webm"}, r"\.gif or \.mp4"),
    ],
)
def test_wrong_settings_are_refused(tmp_path, wrong, sentence):
    if "animation" in wrong:
        wrong = {"animation": tmp_path / wrong["animation"]}
    with pytest.raises(UserError, match=sentence):
        PlanConfig(**wrong)


def test_what_keeps_the_animation_from_being_written_is_said_before_the_trial(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(tmp_path / "nowhere"))
    (tmp_path / "folder.gif").mkdir()
    (tmp_path / "link.gif").symlink_to(tmp_path / "gone")
    for name, words in (
        ("folder.gif", "is a folder"),
        ("link.gif", "which is not there"),
        ("a.mp4", "nowhere' of IMAGEIO_FFMPEG_EXE cannot be run"),
    ):
        with pytest.raises(UserError, match=words):
            plan(PlanConfig(model="still", animation=tmp_path / name))


@pytest.mark.parametrize(
    ("source", "goal", "sentence"),
    [
        (
            "3,3",
            "99,3",
            r"the goal pixel \(row 99, col 3\) is outside the frame of 64 rows and 64 columns",
        ),
        ("-1,3", "9,3", r"the designated pixel \(row -1, col 3\) is outside the frame"),
        ("63,3", "9,3", "does not show an object but the background"),
        ("63,3", "0,3", r"nothing can get to the goal pixel \(row 0, col 3\), .* 17 cm beyond"),
    ],
)
def test_chosen_pixels_must_make_sense(tmp_path, source, goal, sentence):
    animation = tmp_path / "a.gif"
    with pytest.raises(UserError, match=sentence):
        plan(
            PlanConfig(
                source=(source,),
                goal=(goal,),
                model="still",
                preset="fast",
                animation=animation,
            )
        )
    assert not animation.exists()


def test_the_pixels_that_the_readme_chooses_are_on_an_object_of_the_page(tmp_path):
    readme = (Path(__file__).parents[1] / "README.md").read_text()
    (source, goal), *_ = re.findall(r"plan --source (\d+,\d+) --goal (\d+,\d+)", readme)
    with contextlib.closing(make("push")) as env:
        env.reset(seed=0)  # as the page does
        row, col = map(float, source.split(","))
        designate(env, PixelGoal((Pixel(row, col),), (Pixel(20, 20),)))
    config = PlanConfig(
        source=(source,),
        goal=(goal,),
        model="still",
        preset="fast",
        animation=tmp_path / "a.gif",
    )
    assert plan(config)["start_distance_cm"] > 5


def test_several_pixels_of_a_chosen_scene_are_pushed_at_once(tmp_path):
    with contextlib.closing(PushEnv()) as env:
        env.reset(seed=3, options={"num_objects": 2})
        places = [env.project(pose[:3]) for pose in env.truth()]
    sources = tuple(f"{place.row:.0f},{place.col:.0f}" for place in places)
    figures = plan(
        PlanConfig(
            3,
            source=sources,
            goal=("20,20", "40,40"),
            num_objects=2,
            model="random",
            animation=tmp_path / "a.gif",
        )
    )
    assert figures["start_distance_cm"] > 0
    assert (tmp_path / "a.gif").exists()
