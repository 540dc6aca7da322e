"""The report is one file that shows what was measured, through the real command line."""

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch

from tests.fakes.dot_model import FramesOnlyDotModel
from tests.fakes.episodes import patch_episode
from visual_foresight import cli
from visual_foresight.episodes.episode_files import write_episode
from visual_foresight.episodes.info import DatasetInfo, write_info
from visual_foresight.evaluation.prediction.command import (
    PredictionConfig,
    evaluate_episodes,
    figures_of,
)
from visual_foresight.evaluation.prediction.perceptual import Perceptual
from visual_foresight.evaluation.report.page import write_report
from visual_foresight.evaluation.report.pictures import FLOW_PX, flow_colours, mean_flow
from visual_foresight.predictors.checkpoints import WEIGHTS_FILE, save
from visual_foresight.predictors.flow.model import Flow, FlowConfig
from visual_foresight.predictors.layers.warping import KernelMotion, Motion
from visual_foresight.types import Episode, Workspace

SIZE = (24, 32)
HOMOGRAPHY = ((0.0, 0.01, 0.0), (0.01, 0.0, 0.0), (0.0, 0.0, 1.0))
"""Action 0 leads to the right in the frame, action 1 down."""
INFO = DatasetInfo(
    "dot", SIZE, 3, Workspace((-9, -9), (9, 9), (0.1, 0.1)), HOMOGRAPHY, "none", "0", {}
)


def episode(seed: int) -> Episode:
    """A patch that goes right by 1.5 pixels a step."""
    right = np.tile((0.0, 0.75), (8, 1))
    return replace(patch_episode(seed, SIZE, right), states=np.zeros((9, 3), np.float32))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    write_info(folder, INFO)
    for seed in range(3):
        write_episode(folder, seed, episode(seed))
    return folder


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    save(Flow(FlowConfig(frame_size=SIZE, state_size=3, channels=8)), tmp_path / "model", {})
    return tmp_path / "model"


def check_alone(page: str) -> None:
    assert not re.search(r"https?:|//www", page)
    for address in re.findall(r'(?:src|href)="([^"]*)"', page):
        assert address.startswith(("data:image/", "#")), address[:60]
    assert "{{" not in page and "{%" not in page


def test_the_command_writes_a_page_that_stands_alone(
    data: Path, checkpoint: Path, capfd
) -> None:
    out = data.parent / "new" / "report.html"
    words = f"--data {data} --model {checkpoint} --horizon 4 --clips 4 --report {out} --json"
    cli.main(["evaluate", "prediction", *words.split()])
    figures = json.loads(capfd.readouterr().out)
    step = figures["steps"]["4"]
    for key in (
        "error_px",
        "still_px",
        "ratio",
        "psnr",
        "still_psnr",
        "ssim_moving",
        "coverage_90",
        "lost",
        "made",
    ):
        assert np.isfinite(step[key]), key
    assert {"interval_px", "interval_ratio", "interval_psnr", "background"} <= step.keys()
    assert figures["clips"] == 4 and figures["report"] == str(out)
    page = out.read_text()
    check_alone(page)
    embedded = re.search(r'id="figures">(.*?)</script>', page)
    assert embedded is not None
    assert json.loads(embedded[1])["steps"] == figures["steps"]
    for said in (
        "The action fan",
        "→ (+1, 0)",
        "↓ (0, +1)",
        "mask: newly made",
        "flow (mean",
        "LPIPS is left out",
    ):
        assert said in page, said
    assert page.count("<svg") >= 8 and page.count("image/webp") == 4  # three clips and the fan
    assert "prefers-color-scheme: dark" in page


def test_a_notebooks_backend_and_a_name_that_is_no_text_do_no_harm(
    data: Path, tmp_path: Path
) -> None:
    there = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9")
    data.rename(there)
    report = Path(there) / "report.html"
    words = ["--data", there, "--model", "still", "--horizon", "3", "--report", str(report)]
    done = subprocess.run(
        [sys.executable, "-m", "visual_foresight", "evaluate", "prediction", *words, "--json"],
        env={**os.environ, "MPLBACKEND": "module://matplotlib_inline.backend_inline"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["report"] == str(report)
    page = report.read_text(encoding="utf-8")
    assert "caf\\udce9" in page and page.count("<svg") >= 8


def test_people_get_tables_and_the_protocol(data: Path, capfd) -> None:
    cli.main(
        ["evaluate", "prediction", "--data", str(data), "--model", "still", "--horizon", "3"]
    )
    out = capfd.readouterr().out
    for said in (
        "crop: none",
        "Where the pixel goes: objects",
        "Pictures: moving pixels only",
        "SSIM",
    ):
        assert said in out
    assert re.search(r"\n +3 +\d+\.\d\d \[", out)


def stopped(capfd, *words) -> str:
    with pytest.raises(SystemExit) as caught:
        cli.main(["evaluate", "prediction", *map(str, words)])
    assert caught.value.code == 2
    out, err = capfd.readouterr()
    assert not out
    return err.splitlines()[-1]


def test_bad_input_is_one_sentence(data: Path, checkpoint: Path, tmp_path: Path, capfd) -> None:
    assert "ask for a shorter horizon" in stopped(
        capfd, "--data", data, "--model", checkpoint, "--horizon", 20
    )
    assert "is a folder" in stopped(
        capfd, "--data", data, "--model", checkpoint, "--report", tmp_path
    )
    taken = tmp_path / "file"
    taken.write_text("")
    assert "cannot be written" in stopped(
        capfd, "--data", data, "--report", taken / "report.html"
    )
    save(
        Flow(FlowConfig(frame_size=(16, 32), state_size=3, channels=8)), tmp_path / "other", {}
    )
    assert "was trained on frames" in stopped(
        capfd, "--data", data, "--model", tmp_path / "other"
    )
    assert "--clips is 1 or more" in stopped(capfd, "--data", data, "--clips", 0)


def test_a_nan_in_a_checkpoint_is_one_sentence(data: Path, checkpoint: Path, capfd) -> None:
    path = checkpoint / WEIGHTS_FILE
    weights = safetensors.torch.load(path.read_bytes())
    next(iter(weights.values()))[0] = torch.nan
    path.write_bytes(safetensors.torch.save(weights))
    assert "not finite" in stopped(capfd, "--data", data, "--model", checkpoint, "--horizon", 5)


def test_a_page_without_maps_masks_and_flows(tmp_path: Path) -> None:
    config = PredictionConfig(data=tmp_path, horizon=4)
    evaluation = evaluate_episodes(
        FramesOnlyDotModel(step_px=0.0, context=1),
        [episode(0), episode(1)],
        config,
        Perceptual(),
    )
    figures = {"model": "frames", "data": "here", **figures_of(evaluation, 1)}
    write_report(
        tmp_path / "report.html",
        figures,
        FramesOnlyDotModel(step_px=0.0, context=1),
        evaluation,
        INFO,
    )
    page = (tmp_path / "report.html").read_text()
    check_alone(page)
    assert "imagines frames only" in page
    assert "mask:" not in page and "pixel map, ring" not in page


def test_the_colour_of_a_flow_is_its_direction() -> None:
    flow = np.zeros((2, 1, 4), np.float32)
    flow[1, 0, 0] = FLOW_PX  # right
    flow[1, 0, 1] = -FLOW_PX  # left
    flow[0, 0, 2] = FLOW_PX / 2  # down, half as far
    red, cyan, half, resting = flow_colours(flow)[0].astype(int)
    assert red[0] == 255 and red[1] == red[2] < 60
    assert cyan[0] < 60 and cyan[1] > 150 and cyan[2] > 200
    assert half[0] > half[2] > 100 and (resting == 255).all()
    np.testing.assert_array_equal(flow_colours(2 * flow)[0, :2], flow_colours(flow)[0, :2])


def test_the_mean_flow_points_where_objects_move() -> None:
    # from 2 pixels above: it moves down
    flows = torch.tensor([[[-2.0, 0.0], [0.0, 8.0]]])[..., None, None]
    masks = torch.tensor([[0.25, 0.0, 0.5, 0.25, 0.0]])[..., None, None]
    assert mean_flow(Motion(flows, masks))[0, :, 0, 0].tolist() == [1.0, -2.0]


def test_the_mean_flow_of_a_kernel_is_that_of_its_taps() -> None:
    kernel = torch.zeros(1, 1, 3, 5, 1, 1)
    # half from 3 pixels above, half from 6 to the right
    kernel[0, 0, 0, 2] = kernel[0, 0, 1, 4] = 0.5
    masks = torch.tensor([0.0, 0.5, 0.5, 0.0])[None, :, None, None].expand(1, 4, 2, 3)
    found = mean_flow(KernelMotion(kernel, masks, spacing_px=3))
    assert found.shape == (1, 2, 2, 3)
    assert found[0, :, 1, 2].tolist() == [0.75, -1.5]
