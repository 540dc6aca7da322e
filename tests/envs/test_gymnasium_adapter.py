"""Any Gymnasium env with {"frame", "state"} is an env of ours."""

from typing import Any

import gymnasium
import numpy as np
import pytest

from tests.envs.slider import HIGH, LOW, SIZE, Slider
from visual_foresight.env_info import View
from visual_foresight.envs.gymnasium_adapter import GymnasiumEnv
from visual_foresight.interfaces import Env, Judge, Snapshots, require_judge, require_simulator
from visual_foresight.types import Observation, UserError


def test_it_is_an_env_without_snapshots_and_judge() -> None:
    env = GymnasiumEnv(Slider())
    assert isinstance(env, Env)
    assert not isinstance(env, Snapshots) and not isinstance(env, Judge)
    info = env.info
    assert (info.frame_size, info.action_size, info.state_size) == (SIZE, 2, 3)
    assert info.workspace is None and info.view.homography is None
    assert info.renderer == "Slider"


def test_actions_are_scaled_and_rewards_are_signals() -> None:
    slider = Slider()
    env = GymnasiumEnv(slider)
    env.reset(seed=3)
    assert env.observe().signals == {}
    start = slider.place.copy()
    seen, reward, *_ = env.step([1, -1])
    np.testing.assert_allclose(slider.place - start, (HIGH[0], LOW[1] - 3))
    assert Observation.of(seen).signals == env.observe().signals == {"reward": reward}
    np.testing.assert_array_equal(env.observe().frame, seen["frame"])
    silent = GymnasiumEnv(Slider(), reward_signal=None)
    silent.reset(seed=3)
    assert Observation.of(silent.step([0, 0])[0]).signals == {}


def test_after_the_end_the_world_rests_until_a_reset() -> None:
    env = GymnasiumEnv(Slider(num_steps=2))
    env.reset(seed=0)
    env.step([0, 0.5])
    last, *_ = env.step([0, 0.5])
    seen, reward, terminated, *_ = env.step([1, 1])
    np.testing.assert_array_equal(seen["frame"], last["frame"])
    assert (reward, terminated) == (0, True) and env.observe().signals == {"reward": 0}
    env.reset(seed=0)
    assert (env.step([0, 0.5])[0]["frame"] != last["frame"]).any()


def test_it_is_closed_once() -> None:
    slider = Slider()
    env = GymnasiumEnv(slider)
    env.close()
    env.close()
    assert slider.num_closed == 1


def test_what_is_missing_is_said_in_one_sentence() -> None:
    env = GymnasiumEnv(Slider())
    with pytest.raises(UserError, match="nothing has been seen yet"):
        env.observe()
    env.reset(seed=0)
    for action in ([0, 0, 0], [np.nan, 0]):
        with pytest.raises(UserError, match="2 finite numbers"):
            env.step(action)
    with pytest.raises(UserError, match="^the suite: this needs a judge"):
        require_judge(env, "the suite")
    with pytest.raises(UserError, match="^the model: this needs snapshots"):
        require_simulator(env, "the model")
    with pytest.raises(UserError, match="^a push: this needs a calibrated camera"):
        env.info.view.calibration("a push")
    with pytest.raises(UserError, match="^a push: this needs to know where an action takes"):
        env.info.require_workspace("a push")


@pytest.mark.parametrize(
    ("part", "space", "sentence"),
    [
        (
            "frame",
            gymnasium.spaces.Box(0, 1, (8, 8, 3), np.float32),
            "frames of Slider must be",
        ),
        ("frame", gymnasium.spaces.Box(0, 255, (8, 8), np.uint8), "frames of Slider must be"),
        ("state", gymnasium.spaces.Box(0, 1, (2, 2), np.float32), "must have one axis"),
        ("state", None, "its observation must be"),
    ],
)
def test_other_observations_are_refused(
    part: str, space: gymnasium.spaces.Space | None, sentence: str
) -> None:
    slider = Slider()
    assert isinstance(slider.observation_space, gymnasium.spaces.Dict)
    parts = dict(slider.observation_space.spaces)
    if space is None:
        del parts[part]
    else:
        parts[part] = space
    slider.observation_space = gymnasium.spaces.Dict(parts)
    with pytest.raises(UserError, match=sentence):
        GymnasiumEnv(slider)


def test_other_actions_are_refused() -> None:
    slider = Slider()
    slider.action_space = gymnasium.spaces.Discrete(4)
    with pytest.raises(UserError, match="must be a bounded Box"):
        GymnasiumEnv(slider)


class TwoEyed(Slider):
    """The slider with a second camera, of half the height, that sees it upside down."""

    def __init__(self) -> None:
        super().__init__()
        parts = dict(self.observation_space.spaces)  # type: ignore[attr-defined]
        half = gymnasium.spaces.Box(0, 255, (SIZE[0] // 2, SIZE[1], 3), np.uint8)
        frames = gymnasium.spaces.Dict({"up": parts["frame"], "down": half})
        self.observation_space = gymnasium.spaces.Dict(
            {"frames": frames, "state": parts["state"]}
        )

    def reset(self, **options: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        seen, notes = super().reset(**options)
        return two_eyed(seen), notes

    def step(self, action: Any) -> tuple[dict[str, Any], float, bool, bool, dict[str, Any]]:
        seen, *rest = super().step(action)
        return two_eyed(seen), *rest  # type: ignore[return-value]


def two_eyed(seen: dict[str, Any]) -> dict[str, Any]:
    return {
        "frames": {"up": seen["frame"], "down": seen["frame"][::-2]},
        "state": seen["state"],
    }


def test_several_cameras_are_several_views() -> None:
    matrix = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
    env = GymnasiumEnv(TwoEyed(), homography=matrix, views=("up", "down"))
    assert env.info.views == {"up": View(SIZE, matrix), "down": View((16, 40))}
    env.reset(seed=3)
    seen, *_ = env.step([0, 0])
    assert list(Observation.of(seen).frames) == list(env.observe().frames) == ["up", "down"]
    frames = env.observe().frames
    np.testing.assert_array_equal(frames["up"][::-2], frames["down"])
    assert env.observe().frame is frames["up"]
    assert list(GymnasiumEnv(TwoEyed()).info.views) == ["down", "up"], "as Gymnasium sorts them"
    assert list(GymnasiumEnv(TwoEyed(), views=("down",)).info.views) == ["down"]


@pytest.mark.parametrize(
    ("views", "sentence"), [(("left",), "'left'"), (("up", "up"), "twice")]
)
def test_views_that_are_not_there_are_refused(views: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        GymnasiumEnv(TwoEyed(), views=views)


class Dim(Slider):
    """Promises frames of 8 bits and returns floats from 0 to 1."""

    def step(self, action: Any) -> Any:
        seen, *rest = super().step(action)
        return {**seen, "frame": (seen["frame"] / 255).astype(np.float32)}, *rest


class Cropped(Slider):
    """Returns smaller frames than it promises."""

    def step(self, action: Any) -> Any:
        seen, *rest = super().step(action)
        return {**seen, "frame": seen["frame"][1:]}, *rest


@pytest.mark.parametrize(("kind", "got"), [(Dim, "float32"), (Cropped, "uint8")])
def test_frames_that_are_not_what_was_promised_are_refused(kind: type, got: str) -> None:
    env = GymnasiumEnv(kind())
    env.reset(seed=0)
    with pytest.raises(UserError, match=f"promised frames of uint8 .*, and returned {got} of"):
        env.step([0, 0.5])
