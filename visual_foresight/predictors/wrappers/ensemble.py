"""An ensemble: several predictors of one kind, whose average is imagined.

Deep ensembles (Lakshminarayanan et al. 2017), as in the planners of Visual Foresight (Ebert et
al. 2018: four). What every member imagines stays in `Prediction.members`, so that any cost can
be averaged over them and their disagreement penalised (`planning.costs.DisagreementPenalty`);
nothing else needs to know that there are several. One checkpoint holds all members' weights.
"""

from dataclasses import dataclass
from typing import Any, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from visual_foresight.env_info import Homography
from visual_foresight.interfaces import FramesOnly, Learner
from visual_foresight.predictors.models import Model, Recipe
from visual_foresight.predictors.registry import create
from visual_foresight.predictors.rollouts import training_rollout
from visual_foresight.types import Clip, Prediction, UserError


@dataclass(frozen=True)
class EnsembleConfig:
    """What the members are, and what they see."""

    frame_size: tuple[int, int] = (64, 64)
    """Height and width in pixels; the members may restrict it further."""
    action_size: int = 2
    state_size: int = 4
    homography: Homography | None = (
        (1.0, 0.0, 0.0),
        (0.0, 1.0, 0.0),
        (0.0, 0.0, 1.0),
    )
    """From (row, col, 1) in the frame to the robot's (x, y, 1); None if no member needs it."""
    member: str = "flow"
    """Name of a learned predictor."""
    num_members: int = 3
    channels: int | None = None
    """Channels of each member; None for its own default."""


class Ensemble(nn.Module):
    """The average of predictors of one kind.

    The members start from different weights and learn from different clips. Each keeps its own
    frames and pixel maps, so that imagining six steps is imagining four and then two.
    """

    def __init__(self, config: EnsembleConfig) -> None:
        super().__init__()
        if config.member == "ensemble" or config.num_members < 2:
            raise UserError(
                f"an ensemble has two or more members that are no ensembles, "
                f"got {config.num_members} x {config.member!r}: choose others"
            )
        self.config = config
        known = {
            "views": (),  # an ensemble reads the first view
            **{
                field: value
                for field, value in vars(config).items()
                if value is not None or field == "homography"
            },
        }
        self.members = nn.ModuleList(
            create(config.member, known) for _ in range(config.num_members)
        )
        self.context = self._learners()[0].context
        if isinstance(self.members[0], FramesOnly):
            self.frames_only = True

    def _learners(self) -> list[Learner]:
        return [cast(Learner, member) for member in self.members]

    def calibrate(self, clip: Clip) -> None:
        """Calibrate every member."""
        for member in self._learners():
            member.calibrate(clip)

    def observe(self, clip: Clip) -> tuple[Any, ...]:
        """Return the carry of every member."""
        return tuple(member.observe(clip) for member in self._learners())

    def designate(
        self, carry: tuple[Any, ...], pixels: Float[Tensor, "b p 2"]
    ) -> tuple[Any, ...]:
        """Let every member follow the pixels (see `interfaces.Predictor`)."""
        return tuple(
            member.designate(memory, pixels)
            for member, memory in zip(self._learners(), carry, strict=True)
        )

    def imagine(
        self, carry: tuple[Any, ...], actions: Float[Tensor, "n t a"], decode: bool = False
    ) -> Prediction:
        """Imagine each candidate with every member (see `interfaces.Predictor`)."""
        return Prediction.average(
            [
                member.imagine(memory, actions, decode)
                for member, memory in zip(self._learners(), carry, strict=True)
            ]
        )

    def training_rollout(
        self,
        clip: Clip,
        places: Float[Tensor, "b p 2"],
        rng: torch.Generator,
        progress: float,
    ) -> tuple[Prediction, Float[Tensor, ""]]:
        """Let each member learn from its own share of the clips, for the price of one predictor.

        With fewer clips than members, the last members learn nothing. The auxiliary loss is the
        mean of theirs (see `interfaces.CustomTrainingRollout`).
        """
        count = len(self.members)
        clips = map(
            Clip,
            clip.actions.tensor_split(count),
            clip.frames.tensor_split(count),
            clip.states.tensor_split(count),
        )
        shares = places.tensor_split(count)
        # All members draw the same: what one leaves out of its training, all leave out.
        seed = int(torch.randint(2**31, (), generator=rng))
        predictions = []
        auxiliary_losses = []
        for member, own_clip, own_places in zip(self._learners(), clips, shares, strict=True):
            if not len(own_places):
                continue
            own_rng = torch.Generator().manual_seed(seed)
            prediction, auxiliary_loss = training_rollout(
                member, own_clip, own_places, own_rng, progress
            )
            predictions.append(prediction)
            auxiliary_losses.append(auxiliary_loss)
        joined = Prediction(
            frames=torch.cat([prediction.frames for prediction in predictions]),
            pixel_maps=torch.cat([prediction.pixel_maps for prediction in predictions]),
            lost=torch.cat([prediction.lost for prediction in predictions]),
            carry=tuple(prediction.carry for prediction in predictions),
            frame_size=clip.frame_size,
            signals={
                name: torch.cat([prediction.signals[name] for prediction in predictions])
                for name in predictions[0].signals
            },
        )
        return joined, torch.stack(auxiliary_losses).mean()


ENSEMBLE = Model(Ensemble, EnsembleConfig, Recipe(single=0.65))
