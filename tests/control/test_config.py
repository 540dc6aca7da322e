"""Controllers out of a configuration: whose parts they have, and what is refused."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from jaxtyping import Float
from torch import Tensor

from tests.fakes.long_sighted import LongSighted, Sizes
from tests.fakes.packages import bring
from visual_foresight.control.config import ControllerConfig, build, make_predictor
from visual_foresight.control.judge import designate
from visual_foresight.control.loop import run_trial
from visual_foresight.envs.dot import DotEnv
from visual_foresight.goals.pixel_goal import PixelGoal
from visual_foresight.predictors.checkpoints import save
from visual_foresight.predictors.models import Model
from visual_foresight.types import (
    Clip,
    Goal,
    Pixel,
    Plan,
    Prediction,
    Search,
    UserError,
)


def test_a_model_that_wants_more_frames_than_the_loop_keeps_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bring(monkeypatch, tmp_path / "packages", "predictors", "long", Model(LongSighted, Sizes))
    env = DotEnv((16, 24))
    checkpoint = tmp_path / "checkpoint"
    save(LongSighted(Sizes(state_size=env.info.state_size)), checkpoint, {})
    with pytest.raises(
        UserError, match="wants 9 frames of context, but the control loop keeps 8"
    ):
        make_predictor(ControllerConfig(model=str(checkpoint)), env, env, ())


@dataclass(frozen=True)
class Brightness:
    """A cost of frames: dark ones are wanted."""

    goal: Goal
    final_weight: float
    needs = frozenset({"frames"})

    def __call__(self, prediction: Prediction) -> Float[Tensor, " n"]:
        return prediction.frames.mean((1, 2, 3, 4))


@dataclass(frozen=True)
class Regret(Brightness):
    """A cost of what no model here says."""

    needs = frozenset({"signals", "latent"})


@dataclass(frozen=True)
class Shoot:
    """Takes the best of some random sequences."""

    rollouts: int
    action_size: int
    horizon: int = 4
    max_proposals: int = 3
    presets = {"default": 20, "tiny": 5}  # noqa: RUF012  (read only)

    def plan(
        self, cost_of: Any, warm_start: Any, rng: Any, *, clip: Any, proposals: Any = None
    ) -> Search:
        drawn = torch.randn(self.rollouts, self.horizon, self.action_size, generator=rng)
        if proposals is not None:
            drawn[: len(proposals)] = proposals
        candidates = clip(drawn.clamp(-1, 1))
        costs = cost_of(candidates)
        order = costs.argsort(stable=True)
        return Search(candidates[order[0]], (costs,), candidates[order], costs[order])


@dataclass(frozen=True)
class Stay:
    """A locator that does not look, and counts how often it was asked."""

    def begin(self, clip: Clip, sources: tuple[Pixel, ...]) -> Any:
        return (0, sources), sources

    def locate(self, memory: Any, clip: Clip, imagined: Any) -> Any:
        count, places = memory
        return (count + 1, places), places


class Right:
    """Proposes to go right."""

    def __init__(self, info: Any, count: int, horizon: int) -> None:
        self.shape = (count, horizon, info.action_size)

    def __call__(self, clip: Clip, sources: Any, goal: Goal, rng: Any) -> Tensor:
        return torch.full(self.shape, 0.625)


def plans(config: ControllerConfig, num_steps: int = 2) -> list[Plan]:
    """Run a short trial in the dot's world, and return its plans."""
    env = DotEnv((24, 36))
    env.reset(seed=3)
    source = env.project(env.truth()[0, :3])
    goal = PixelGoal((source,), (Pixel(12.0, 12.0),))
    points = designate(env, goal)
    controller = build(config, env, points, make_predictor(config, env, env, points))
    rng = torch.Generator().manual_seed(0)
    steps = run_trial(env, controller, goal, None, rng, num_steps)
    return [step.plan for step in steps if step.plan is not None]


def test_every_part_may_come_from_a_package(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    parts: dict[str, tuple[str, object]] = {
        "planners": ("shoot", Shoot),
        "costs": ("dark", Brightness),
        "locators": ("stay", Stay),
        "proposers": ("right", Right),
    }
    for group, (name, part) in parts.items():
        bring(monkeypatch, tmp_path / group, group, name, part)
    config = ControllerConfig(
        model="still",
        planner="shoot",
        preset="tiny",
        cost="dark",
        locator="stay",
        proposals="right",
    )
    first, second = plans(config)
    assert [len(costs) for costs in first.costs] == [5]  # of the planner's preset
    assert first.actions.shape == (4, 2)
    # Nothing moves, so all costs are equal and the first candidate wins: the proposal.
    assert torch.allclose(first.actions[0], torch.tensor(0.625))
    assert first.sources == second.sources
    assert (first.memory[0], second.memory[0]) == (0, 1)


def test_a_cost_whose_needs_the_model_does_not_meet_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bring(monkeypatch, tmp_path, "costs", "regret", Regret)
    with pytest.raises(
        UserError, match="the cost needs latent and signals, which this predictor"
    ):
        plans(ControllerConfig(model="still", cost="regret"))


def test_a_cost_of_another_kind_of_goal_is_refused() -> None:
    with pytest.raises(UserError, match="'image_distance' needs a goal image"):
        plans(ControllerConfig(model="still", cost="image_distance"))


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (
            type("Planless", (), {"presets": {"default": 1}, "__init__": lambda *_: None}),
            r"the planner 'broken' has no plan\(\)",
        ),
    ],
)
def test_a_planner_that_breaks_its_protocol_is_named_with_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, broken: type, message: str
) -> None:
    bring(monkeypatch, tmp_path, "planners", "broken", broken)
    with pytest.raises(UserError, match=message):
        plans(ControllerConfig(model="still", planner="broken"))


def test_a_planner_without_presets_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class Bare:
        def plan(self) -> None: ...

    bring(monkeypatch, tmp_path, "planners", "bare", Bare)
    with pytest.raises(UserError, match="the planner 'bare' has no presets"):
        ControllerConfig(planner="bare")


def test_a_planner_without_its_sizes_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class Sizeless:
        presets = {"default": 1}  # noqa: RUF012  (read only)

        def __init__(self, settings: int, action_size: int) -> None: ...

        def plan(self) -> None: ...

    bring(monkeypatch, tmp_path, "planners", "sizeless", Sizeless)
    with pytest.raises(UserError, match="the planner 'sizeless' has no horizon, which every"):
        plans(ControllerConfig(model="still", planner="sizeless"))


@pytest.mark.parametrize("part", ["planner", "cost", "locator", "proposals", "preset"])
def test_an_unknown_part_is_refused_with_the_known_ones(part: str) -> None:
    with pytest.raises(UserError, match="unknown .*'nonsense': choose one of"):
        ControllerConfig(**{part: "nonsense"})  # type: ignore[arg-type]
