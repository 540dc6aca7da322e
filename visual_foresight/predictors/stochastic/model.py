"""The flagship with a latent variable: what cannot be known of the next frame is drawn, from a
learned prior.

As SVG-LP (Denton, Fergus, "Stochastic Video Generation with a Learned Prior", 2018): p(z_t |
past) is learned, so that a draw depends on what is seen (before contact there is little to
draw; a fixed prior as in SV2P, Babaeizadeh et al. 2018, draws as much everywhere), and the
posterior q(z_t | past, o_{t+1}) helps in training alone. A discriminator as in SAVP would
sharpen frames, which did not help control (VP2). The latent widens the action of `flow`, so
whatever moves pixels there is used here. Deviations: prior and posterior see imagined frames,
as in use, not true ones; they share one recurrent memory, which the posterior reads beside
o_{t+1} (as in Chung et al. 2015); the prior also sees a_t, which decides what is uncertain.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
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
from visual_foresight.predictors.rollouts import beginning
from visual_foresight.types import Clip, Prediction

# the KL's weight grows between these shares of the training, as in SAVP (Lee et al. 2018)
ANNEALING = (1 / 6, 1 / 3)


@dataclass(frozen=True)
class StochasticConfig:
    """Shape of the network and of what it sees, and how many futures it draws."""

    frame_size: tuple[int, int] = (64, 64)
    """Height and width in pixels; multiples of 8."""
    action_size: int = 2
    state_size: int = 4
    channels: int = 32
    """As of `flow`."""
    homography: tuple[tuple[float, ...], ...] = (
        (1.0, 0.0, 0.0),
        (0.0, 1.0, 0.0),
        (0.0, 0.0, 1.0),
    )
    """Homography from (row, col, 1) in the frame to the robot's (x, y, 1): see
    `interfaces.Env.homography`."""
    latent_size: int = 8
    belief_size: int = 64
    """Size of the prior's recurrent memory."""
    kl_weight: float = 1e-3
    """Weight of the KL divergence, in nats per step, once it is annealed."""
    num_samples: int = 3
    """Futures imagined for each candidate: `Prediction.members`. Their average is the mean over
    chance."""
    noise_seed: int = 0
    """Decides the draws: sample k at step t draws the same for all candidates, so that chance
    does not choose among them."""


@dataclass(frozen=True)
class Carry:
    """What one sample remembers between imagined steps; b is 1 or the number of candidates."""

    core: Any
    belief: Float[Tensor, "b two_z"]
    """Hidden state and cell of the prior's LSTM, before it sees `now`."""
    now: Float[Tensor, "b c h w"]
    step: int
    """How many steps were imagined since frames were seen."""


Draw = Callable[[int, Normal, Float[Tensor, "n z"]], Float[Tensor, "n latent"]]
"""From the step, the prior and the hidden state behind it: the latent."""


class Stochastic(nn.Module):
    """p(o_{t+1}, z_t | o_{1:t}, s_t, a_t): pixels move as `flow` says, given what was drawn."""

    context = 2

    def __init__(self, config: StochasticConfig) -> None:
        super().__init__()
        self.config = config
        action_size = config.action_size + config.latent_size
        self.core = Flow(
            FlowConfig(
                config.frame_size,
                action_size,
                config.state_size,
                config.channels,
                config.latent_size,
                config.homography,
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
        """Find from experience how actions move the robot; a latent does not."""
        silent = clip.actions.new_zeros(*clip.actions.shape[:2], self.config.latent_size)
        self.core.calibrate(replace(clip, actions=torch.cat([clip.actions, silent], -1)))

    def resampled(self, num_samples: int) -> "Stochastic":
        """Return the same model with another number of samples, for the best of N.

        The first ones stay the same.
        """
        other = Stochastic(replace(self.config, num_samples=num_samples)).to(
            next(self.parameters()).device
        )
        other.load_state_dict(self.state_dict())
        return other.train(self.training).requires_grad_(next(self.parameters()).requires_grad)

    # --- the Predictor protocol ---------------------------------------------------------------

    def observe(self, clip: Clip) -> tuple[Carry, ...]:
        """Return what each sample remembers of the frames: all the same."""
        return (self._observe(clip),) * self.config.num_samples

    def imagine(
        self,
        carry: tuple[Carry, ...],
        actions: Float[Tensor, "n t a"],
        pixel_maps: Float[Tensor, "n p map_h map_w"],
        decode: bool = False,
    ) -> Prediction:
        """Imagine every sample of each candidate (see `interfaces.Predictor`).

        The prior looks at each frame.
        """
        members = [
            self._roll(memory, actions, pixel_maps, partial(self._sample, sample))
            for sample, memory in enumerate(carry)
        ]
        if not decode:
            members = [replace(member, frames=member.frames[:, :0]) for member in members]
        return Prediction.average(members)

    def training_rollout(
        self,
        clip: Clip,
        pixel_maps: Float[Tensor, "b p map_h map_w"],
        rng: torch.Generator,
        progress: float,
    ) -> tuple[Prediction, Float[Tensor, ""]]:
        """Imagine with latents of the posterior, by reparameterisation.

        The extra loss is KL(posterior, prior).
        """
        context = self.context
        divergences: list[Tensor] = []

        def draw(step: int, prior: Normal, hidden: Tensor) -> Tensor:
            following = self.encoder(clip.frames[:, context + step])
            posterior = _normal(self.posterior(torch.cat([hidden, following], -1)))
            divergences.append(kl_divergence(posterior, prior).sum(-1).mean())
            noise = torch.randn(prior.mean.shape, generator=rng).to(prior.mean)
            return posterior.mean + posterior.stddev * noise

        prediction = self._roll(
            self._observe(beginning(clip, context)),
            clip.actions[:, context - 1 :],
            pixel_maps,
            draw,
        )
        begin, end = ANNEALING
        annealed = min(max((progress - begin) / (end - begin), 0.0), 1.0)
        return prediction, self.config.kl_weight * annealed * torch.stack(divergences).mean()

    # --- one sample ---------------------------------------------------------------------------

    def _sample(
        self, sample: int, step: int, prior: Normal, hidden: Float[Tensor, "n z"]
    ) -> Float[Tensor, "n latent"]:
        rng = np.random.default_rng([self.config.noise_seed, sample, step])
        return prior.mean + prior.stddev * prior.mean.new_tensor(
            rng.standard_normal(self.config.latent_size)
        )

    def _observe(self, clip: Clip) -> Carry:
        belief = clip.frames.new_zeros(len(clip.frames), 2 * self.config.belief_size)
        for frame, action in zip(clip.frames.unbind(1), clip.actions.unbind(1), strict=False):
            # the newest frame waits for its action
            belief = self._believe(frame, action, belief)
        return Carry(self.core.observe(clip), belief, clip.frames[:, -1], 0)

    def _believe(
        self,
        frame: Float[Tensor, "b c h w"],
        action: Float[Tensor, "b a"],
        belief: Float[Tensor, "b two_z"],
    ) -> Float[Tensor, "b two_z"]:
        hidden, cell = belief.chunk(2, -1)
        return torch.cat(
            self.believe(torch.cat([self.encoder(frame), action], -1), (hidden, cell)), -1
        )

    def _roll(
        self,
        carry: Carry,
        actions: Float[Tensor, "n t a"],
        pixel_maps: Float[Tensor, "n p map_h map_w"],
        draw: Draw,
    ) -> Prediction:
        """Draw and imagine, step by step."""
        count = len(actions)
        carry = replace(carry, belief=widen(carry.belief, count), now=widen(carry.now, count))
        frames, maps, lost = [], [], []
        for action in actions.unbind(1):
            belief = self._believe(carry.now, action, carry.belief)
            hidden = belief.chunk(2, -1)[0]
            latent = draw(carry.step, _normal(self.prior(hidden)), hidden)
            step = self.core.imagine(
                carry.core, torch.cat([action, latent], -1)[:, None], pixel_maps, decode=True
            )
            pixel_maps = step.pixel_maps[:, 0]
            carry = Carry(step.carry, belief, step.frames[:, 0], carry.step + 1)
            frames.append(step.frames)
            maps.append(step.pixel_maps)
            lost.append(step.lost)
        return Prediction(torch.cat(frames, 1), torch.cat(maps, 1), torch.cat(lost, 1), carry)


def _normal(numbers: Float[Tensor, "b two_z"]) -> Normal:
    """Read a mean and a deviation; a deviation of 0 would make the divergence infinite."""
    mean, spread = numbers.float().chunk(2, -1)
    return Normal(mean, functional.softplus(spread) + 1e-2)
