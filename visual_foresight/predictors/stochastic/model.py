"""The flow model with a latent variable, sampled from a learned prior.

As SVG-LP (Denton & Fergus, "Stochastic Video Generation with a Learned Prior", 2018):
p(z_t | past) is learned, so that the spread of the samples depends on what is seen (before
contact there is little to sample; a fixed prior, as in SV2P, Babaeizadeh et al. 2018, samples as
much everywhere), and the posterior q(z_t | past, o_{t+1}) is used in training alone. A
discriminator as in SAVP would sharpen frames, which did not help control (VP2). The latent widens
the action of `flow`, which moves the pixels. Deviations: prior and posterior see imagined
frames, as in use, not true ones; they share one recurrent memory, which the posterior reads
beside o_{t+1} (as in Chung et al. 2015); the prior also sees a_t, which decides what is uncertain.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.distributions import Normal, kl_divergence
from torch.nn import functional

from visual_foresight.predictors.flow.model import Flow, FlowConfig
from visual_foresight.predictors.layers.batching import widen
from visual_foresight.predictors.models import COARSEST_PX, Model, Recipe
from visual_foresight.predictors.rollouts import beginning
from visual_foresight.types import Clip, Prediction

ANNEALING = (1 / 6, 1 / 3)
"""Shares of the training between which the KL's weight grows from 0 (SAVP, Lee et al. 2018)."""


@dataclass(frozen=True)
class StochasticConfig:
    """Shape of the network and of what it sees, and how many futures it samples."""

    frame_size: tuple[int, int] = (64, 64)
    """Height and width in pixels; the network sees them padded to multiples of 8."""
    action_size: int = 2
    state_size: int = 4
    channels: int = field(default=32, metadata={"least": 2})
    """See `FlowConfig`."""
    homography: tuple[tuple[float, ...], ...] = (
        (1.0, 0.0, 0.0),
        (0.0, 1.0, 0.0),
        (0.0, 0.0, 1.0),
    )
    """From (row, col, 1) in the frame to the robot's (x, y, 1): see `env_info.Homography`."""
    latent_size: int = 8
    belief_size: int = 64
    """Size of the recurrent memory (an LSTM) behind prior and posterior."""
    kl_weight: float = 1e-3
    """Weight of the auxiliary loss, the KL divergence in nats per step, after annealing."""
    num_samples: int = 3
    """Futures imagined for each candidate (`Prediction.members`); their average estimates the
    expectation."""
    noise_seed: int = 0
    """Seed of the noise. Sample k at step t has the same noise for all candidates, so that a
    planner compares actions, not luck."""


@dataclass(frozen=True)
class Carry:
    """What one sample remembers between imagined steps; b is 1 or the number of candidates."""

    core: Any
    """The carry of the flow model."""
    memory: Float[Tensor, "b two_z"]
    """Hidden state and cell of the LSTM, before it sees the current frame."""
    current: Float[Tensor, "b c h w"]
    """The newest frame, seen or imagined."""
    step: int
    """How many steps were imagined since frames were seen."""


DrawLatent = Callable[[int, Normal, Float[Tensor, "n z"]], Float[Tensor, "n latent"]]
"""Draws the latent, given the step, the prior, and the hidden state that it was read from."""


class Stochastic(nn.Module):
    """p(o_{t+1}, z_t | o_{1:t}, s_t, a_t): pixels move as `flow` says, given the latent z_t."""

    context = 2

    def __init__(self, config: StochasticConfig) -> None:
        super().__init__()
        self.config = config
        self.core = Flow(
            FlowConfig(
                frame_size=config.frame_size,
                action_size=config.action_size + config.latent_size,
                state_size=config.state_size,
                channels=config.channels,
                num_latents=config.latent_size,
                homography=config.homography,
            )
        )
        layers: list[nn.Module] = []
        for inputs, outputs in ((3, 16), (16, 32), (32, 32)):
            layers += [nn.Conv2d(inputs, outputs, 3, stride=2, padding=1), nn.ReLU()]
        self.encoder = nn.Sequential(
            *layers, nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(512, config.belief_size)
        )
        self.believe = nn.LSTMCell(config.belief_size + config.action_size, config.belief_size)
        self.prior = nn.Linear(config.belief_size, 2 * config.latent_size)
        self.posterior = nn.Sequential(
            nn.Linear(2 * config.belief_size, config.belief_size),
            nn.ReLU(),
            nn.Linear(config.belief_size, 2 * config.latent_size),
        )

    def calibrate(self, clip: Clip) -> None:
        """Estimate how actions move the robot; the latent does not."""
        no_latent = clip.actions.new_zeros(*clip.actions.shape[:2], self.config.latent_size)
        self.core.calibrate(replace(clip, actions=torch.cat([clip.actions, no_latent], -1)))

    def resampled(self, num_samples: int) -> "Stochastic":
        """Return the same model with another number of samples; the first ones stay the same."""
        some_weight = next(self.parameters())
        other = Stochastic(replace(self.config, num_samples=num_samples)).to(some_weight.device)
        other.load_state_dict(self.state_dict())
        return other.train(self.training).requires_grad_(some_weight.requires_grad)

    # --- the Predictor protocol ---------------------------------------------------------------

    def observe(self, clip: Clip) -> tuple[Carry, ...]:
        """Return the carry of each sample: all the same."""
        return (self._observe(clip),) * self.config.num_samples

    def designate(
        self, carry: tuple[Carry, ...], pixels: Float[Tensor, "b p 2"]
    ) -> tuple[Carry, ...]:
        """Follow these pixels in every sample (see `interfaces.Predictor`)."""
        return tuple(
            replace(sample, core=self.core.designate(sample.core, pixels)) for sample in carry
        )

    def imagine(
        self, carry: tuple[Carry, ...], actions: Float[Tensor, "n t a"], decode: bool = False
    ) -> Prediction:
        """Imagine every sample of each candidate (see `interfaces.Predictor`).

        All frames are decoded, since the prior sees them.
        """
        members = [
            self._roll(sample_carry, actions, partial(self._from_prior, sample))
            for sample, sample_carry in enumerate(carry)
        ]
        if not decode:
            members = [replace(member, frames=member.frames[:, :0]) for member in members]
        return Prediction.average(members)

    # --- the CustomTrainingRollout protocol ---------------------------------------------------

    def training_rollout(
        self,
        clip: Clip,
        places: Float[Tensor, "b p 2"],
        rng: torch.Generator,
        progress: float,
    ) -> tuple[Prediction, Float[Tensor, ""]]:
        """Imagine with latents from the posterior (reparameterised).

        The auxiliary loss is KL(posterior, prior) (see `interfaces.CustomTrainingRollout`).
        """
        divergences: list[Tensor] = []

        def from_posterior(step: int, prior: Normal, hidden: Tensor) -> Tensor:
            following = self.encoder(clip.frames[:, self.context + step])
            posterior = _normal(self.posterior(torch.cat([hidden, following], -1)))
            divergences.append(kl_divergence(posterior, prior).sum(-1).mean())
            noise = torch.randn(prior.mean.shape, generator=rng).to(prior.mean)
            return posterior.mean + posterior.stddev * noise

        carry = self._observe(beginning(clip, self.context))
        carry = replace(carry, core=self.core.designate(carry.core, places))
        actions = clip.actions[:, self.context - 1 :]
        prediction = self._roll(carry, actions, from_posterior)
        begin, end = ANNEALING
        annealed = min(max((progress - begin) / (end - begin), 0.0), 1.0)
        return prediction, self.config.kl_weight * annealed * torch.stack(divergences).mean()

    # --- one sample ---------------------------------------------------------------------------

    def _from_prior(
        self, sample: int, step: int, prior: Normal, hidden: Float[Tensor, "n z"]
    ) -> Float[Tensor, "n latent"]:
        """Draw a latent from the prior, with the noise of a sample and a step."""
        rng = np.random.default_rng([self.config.noise_seed, sample, step])
        noise = prior.mean.new_tensor(rng.standard_normal(self.config.latent_size))
        return prior.mean + prior.stddev * noise

    def _observe(self, clip: Clip) -> Carry:
        memory = clip.frames.new_zeros(len(clip.frames), 2 * self.config.belief_size)
        # The newest frame has no action yet.
        for frame, action in zip(clip.frames.unbind(1), clip.actions.unbind(1), strict=False):
            memory = self._remember(frame, action, memory)
        return Carry(self.core.observe(clip), memory, clip.frames[:, -1], step=0)

    def _remember(
        self,
        frame: Float[Tensor, "b c h w"],
        action: Float[Tensor, "b a"],
        memory: Float[Tensor, "b two_z"],
    ) -> Float[Tensor, "b two_z"]:
        """Return the LSTM's hidden state and cell after a frame and an action."""
        hidden, cell = memory.chunk(2, -1)
        seen = torch.cat([self.encoder(frame), action], -1)
        return torch.cat(self.believe(seen, (hidden, cell)), -1)

    def _roll(
        self, carry: Carry, actions: Float[Tensor, "n t a"], draw: DrawLatent
    ) -> Prediction:
        """Draw a latent and imagine, step by step."""
        count = len(actions)
        carry = replace(
            carry, memory=widen(carry.memory, count), current=widen(carry.current, count)
        )
        frames, maps, lost = [], [], []
        for action in actions.unbind(1):
            memory = self._remember(carry.current, action, carry.memory)
            hidden = memory.chunk(2, -1)[0]
            latent = draw(carry.step, _normal(self.prior(hidden)), hidden)
            wide_action = torch.cat([action, latent], -1)[:, None]
            step = self.core.imagine(carry.core, wide_action, decode=True)
            carry = Carry(step.carry, memory, step.frames[:, 0], carry.step + 1)
            frames.append(step.frames)
            maps.append(step.pixel_maps)
            lost.append(step.lost)
        return Prediction(
            frames=torch.cat(frames, 1),
            pixel_maps=torch.cat(maps, 1),
            lost=torch.cat(lost, 1),
            carry=carry,
            frame_size=self.config.frame_size,
        )


def _normal(numbers: Float[Tensor, "b two_z"]) -> Normal:
    """Return the distribution with the mean and the deviation that the numbers stand for.

    The deviation is 0.01 at least: 0 would make the divergence infinite.
    """
    mean, spread = numbers.float().chunk(2, -1)
    return Normal(mean, functional.softplus(spread) + 1e-2)


STOCHASTIC = Model(Stochastic, StochasticConfig, Recipe(single=0.65), multiple=COARSEST_PX)
