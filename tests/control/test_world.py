"""The world that a model plans in is the one that its checkpoint was trained in."""

import json
from pathlib import Path

import pytest

from tests.fakes.checkpoints import untrained
from visual_foresight.control.config import WITHOUT_CHECKPOINT
from visual_foresight.control.world import World, require_one_view, world_of
from visual_foresight.predictors.checkpoints import CONFIG_FILE
from visual_foresight.types import UserError

SIZE = (48, 80)


def test_a_checkpoint_says_which_frames_its_world_has(tmp_path: Path) -> None:
    folder = untrained(tmp_path / "mine", SIZE)
    world = world_of(str(folder))
    assert world == World(SIZE) and world.size_text == "48x80"
    env = world.make("dot", held_out=True)
    assert env.info.frame_size == SIZE
    env.reset(seed=1)
    assert env.observe().frame.shape == (*SIZE, 3)


@pytest.mark.parametrize("model", [*WITHOUT_CHECKPOINT, "flow", "rigid"])
def test_published_models_and_what_has_no_checkpoint_have_the_published_frames(model) -> None:
    assert world_of(model) == World((64, 64))


def test_only_what_has_no_checkpoint_takes_the_frames_that_are_offered(tmp_path: Path) -> None:
    folder = untrained(tmp_path / "mine", (16, 24))
    assert world_of("still", World(SIZE)) == World(SIZE)
    assert world_of(str(folder), World(SIZE)) == World((16, 24))


def test_a_damaged_or_missing_checkpoint_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no predictor or checkpoint 'nobody'"):
        world_of("nobody")
    folder = untrained(tmp_path / "mine", (16, 24))
    content = json.loads((folder / CONFIG_FILE).read_text())
    content["config"]["frame_size"] = "large"
    (folder / CONFIG_FILE).write_text(json.dumps(content))
    with pytest.raises(UserError, match="is damaged: a frame size .* got large"):
        world_of(str(folder))


def test_the_views_come_from_the_checkpoint_too(tmp_path: Path) -> None:
    folder = untrained(tmp_path / "mine", (32, 48), "push")
    content = json.loads((folder / CONFIG_FILE).read_text())
    content["meta"]["views"] = ["side"]
    (folder / CONFIG_FILE).write_text(json.dumps(content))
    world = world_of(str(folder))
    assert world == World((32, 48), ("side",)) and world.text == "32x48-side"
    env = world.make("push")
    assert list(env.info.views) == ["side"] and env.info.frame_size == (32, 48)
    env.close()
    require_one_view(world, "this test")
    with pytest.raises(UserError, match="one view, and the model reads side, front"):
        require_one_view(World(SIZE, ("side", "front")), "this test")
