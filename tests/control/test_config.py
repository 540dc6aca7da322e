"""What is refused before a controller is built, and what identifies a method in stored results."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from torch import nn

from tests.fakes.packages import bring
from visual_foresight.control.config import build, parse
from visual_foresight.control.loop import CLIP_FRAMES
from visual_foresight.control.protocols import PROTOCOLS
from visual_foresight.envs.dot import DotEnv
from visual_foresight.predictors.checkpoints import save
from visual_foresight.predictors.models import Model
from visual_foresight.types import UserError


@pytest.mark.parametrize("part", sorted(PROTOCOLS))
def test_a_newer_version_of_the_code_has_another_key(
    monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    assert set(PROTOCOLS.values()) == {1}, "the published trials name no version"
    before = parse("still", "fast").key
    monkeypatch.setitem(PROTOCOLS, part, 2)  # type: ignore[arg-type]
    assert parse("still", "fast").key != before
    monkeypatch.undo()
    assert parse("still", "fast").key == before


def test_a_newer_version_of_a_model_has_another_key(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    keys = []
    checkpoint = tmp_path / "checkpoint"
    for protocol in (1, 2):
        with monkeypatch.context() as patch:
            packages = tmp_path / f"packages{protocol}"
            packages.mkdir()
            model = Model(LongSighted, Sizes, protocol=protocol)
            bring(patch, packages, "predictors", "long", model)
            if protocol == 1:
                save(LongSighted(Sizes()), checkpoint, {})
            keys.append(parse(str(checkpoint), "fast").key)
    assert keys[0] != keys[1]


@dataclass(frozen=True)
class Sizes:
    """What a checkpoint says that it was made for."""

    frame_size: tuple[int, int] = (16, 24)
    action_size: int = 2
    state_size: int = 2


class LongSighted(nn.Module):
    """Wants one frame more than the loop keeps."""

    context = CLIP_FRAMES + 1

    def __init__(self, config: Sizes) -> None:
        super().__init__()
        self.config = config
        self.layer = nn.Linear(1, 1)

    def observe(self, clip: Any) -> Any:
        raise AssertionError("nothing is imagined here")

    designate = observe
    calibrate = observe
    imagine = observe


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
        build(parse(str(checkpoint), "fast"), env, env, ())
