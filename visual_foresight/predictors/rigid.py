"""The flagship: what stands on the table is rigid, and the finger pushes it; mechanics foresees, and learns where it errs.

From the newest frame, bodies are told from the table and from the arm (`silhouettes.py`). A rollout moves their poses: the
mechanics of planar pushing (`contact.py`) says what a finger's way does to them, and a small network what it does besides. Whatever
a frame shows is moved with its body, so things stay sharp and rest where nothing touches them. What is recurrent is the robot's
state, the poses and their speeds; frames are drawn only when somebody looks.

Sources: residual learning over the mechanics of pushing, as in Kloss, Schaal & Bohg, "Combining learned and analytical models for
predicting action effects from sensory data" (2017) and Ajay et al., "Augmenting Physical Simulators with Stochastic Neural
Networks: Case Study of Planar Pushing and Bouncing" (2018); frames as moved pixels of a seen one, as in Ebert et al. 2018;
layers as in Wang & Adelson, "Representing Moving Images with Layers" (1994).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch
from einops import rearrange, reduce, repeat
from jaxtyping import Complex, Float, Int
from torch import Tensor, nn
from torch.nn import functional

from visual_foresight.pixel_maps import grid
from visual_foresight.predictors.arm import Arm
from visual_foresight.predictors.blocks import Robot, widen
from visual_foresight.predictors.contact import Bodies, Contact, Poses
from visual_foresight.predictors.motion import Motion, Points, sample
from visual_foresight.predictors.rehearsal import beginning
from visual_foresight.predictors.silhouettes import Overlook, apart_from, filled, solid
from visual_foresight.predictors.window import pixel_side
from visual_foresight.types import Clip, Prediction, UserError

POSTURE_SIZE = 16
COVERED, ALIKE = 0.1, 0.25  # a pixel shows the arm if it is drawn there, so much of it, in a colour that is so near
REACH_M = 0.01  # the network speaks where the finger comes so near
LOOKS = 9  # places on the finger's way from which a body's distance is taken
DRAWN_FIRST, DRAWN_SHARE = 1 / 5, 1 / 4  # of the gradient steps: in the first of them the arm alone is learnt, later in so many
LENGTH_M, TURN = 0.02, 0.3  # what a network sees as 1


@dataclass(frozen=True)
class RigidConfig:
    """Shape of the network and of what it sees."""

    frame_size: tuple[int, int] = (64, 64)
    """Height and width in pixels; multiples of 8."""
    action_size: int = 2
    state_size: int = 4
    width: int = 128
    """Of the network's hidden layers."""
    table: tuple[tuple[float, ...], ...] = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
    """Homography from (row, col, 1) in the frame to the robot's (x, y, 1): see `interfaces.Env.table`."""


@dataclass(frozen=True)
class Scene:
    """What was seen, and does not change while it is imagined; b is 1 or the number of candidates."""

    bodies: Bodies
    places: Complex[Tensor, "b k"]
    """Where their middles were."""
    owner: Int[Tensor, "b hf wf"]
    """Which body a pixel shows; -1 for none."""
    lean: Complex[Tensor, "b hf wf"]
    """See `silhouettes.Silhouettes`."""
    things: Float[Tensor, "b 4 hf wf"]
    """What differs from the empty table, without the arm: colours times opacity, and opacity."""
    posture: Float[Tensor, "b z"]
    """What of the arm's shape the robot's state does not say."""


@dataclass(frozen=True)
class Held:
    """Pixel maps as points, each fixed to a body or to the table."""

    points: Points
    owner: Int[Tensor, "n m"]
    """-1 for the table."""
    local: Complex[Tensor, "n m"]
    """In the body's frame."""
    lean: Complex[Tensor, "n m"]
    """From where it stands to where it is seen."""


@dataclass(frozen=True)
class Carry:
    """A moment of the imagination."""

    scene: Scene
    state: Float[Tensor, "b s"]
    came: Complex[Tensor, " b"]
    """How the fingertip has moved in the action before."""
    poses: Poses
    held: Held | None = None
    """What the pixel maps were drawn from that were returned with this carry."""


class Rigid(nn.Module):
    """p(o_{t+1} | o_{t-1:t}, s_{t-1:t}, a_t) by moving rigid bodies."""

    context = 2
    to_frame: Tensor
    to_table: Tensor
    seen_at: Tensor
    empty: Tensor

    def __init__(self, config: RigidConfig) -> None:
        super().__init__()
        size = config.frame_size
        if size[0] % 8 or size[1] % 8:
            raise UserError(
                f"frames whose sides are multiples of 8 are needed, got {size}: collect others, or choose another predictor"
            )
        self.config = config
        self.robot = Robot(config.action_size, config.state_size)
        table = np.array(config.table)
        self.overlook = Overlook(table, size, pixel_side(config.table, size))
        self.posture = nn.Sequential(
            nn.Conv2d(8, 16, 4, stride=2, padding=1), nn.ReLU(), nn.Conv2d(16, 32, 4, stride=2, padding=1), nn.ReLU(),
            nn.Conv2d(32, 32, 3, padding=1), nn.ReLU(),
        )  # fmt: skip
        self.bend = nn.Linear(32, POSTURE_SIZE)
        self.arm = Arm(config.state_size + POSTURE_SIZE, size)
        nn.init.constant_(self.arm.finest.bias[12:], -3.0)  # type: ignore[index]  # at first, no arm is known
        self.contact = Contact()
        self.think = nn.Sequential(
            nn.Linear(NUM_FEATURES, config.width), nn.SiLU(), nn.Linear(config.width, config.width), nn.SiLU()
        )
        self.error = nn.Linear(config.width, 3, bias=False)
        nn.init.zeros_(self.error.weight)  # at first, mechanics is right
        self.register_buffer("to_table", torch.from_numpy(table).float(), persistent=False)
        self.register_buffer("to_frame", torch.from_numpy(np.linalg.inv(table)).float(), persistent=False)
        self.register_buffer("seen_at", _complex(torch.from_numpy(self.overlook.seen_at).float()), persistent=False)
        self.register_buffer("empty", torch.zeros(3, *size))

    # --- robot ---------------------------------------------------------------------------------------------------

    def calibrate(self, clip: Clip) -> None:
        """Find from experience how actions move the robot and how far it gets, and what the table looks like with nothing on it."""
        self.robot.calibrate(clip)
        self.empty.copy_(rearrange(clip.frames, "b t c h w -> (b t) c h w").median(0).values)
        tips = clip.states[..., :2].flatten(0, 1)
        self.contact.walls.copy_(torch.stack([tips.amin(0), tips.amax(0)]))

    def _arm(
        self, state: Float[Tensor, "b s"], posture: Float[Tensor, "b z"]
    ) -> tuple[Float[Tensor, "b 3 hf wf"], Float[Tensor, "b 1 hf wf"]]:
        """Draw the arm: its colours, and how much of each pixel it covers."""
        numbers = torch.cat([self.robot.standardised(state), posture], -1)
        drawn = self.arm(numbers, _to_pixel(_complex(state[:, :2]), self.to_frame)).float().sigmoid()
        return drawn[:, :3], drawn[:, 3:]

    # --- the Predictor protocol ----------------------------------------------------------------------------------

    def observe(self, clip: Clip) -> Carry:
        """Tell the arm, the table and the bodies of the newest frame apart."""
        return self._observe(clip, blind=False)

    def _observe(self, clip: Clip, blind: bool) -> Carry:
        """Do so, or take the table for empty."""
        frames, states = clip.frames[:, -2:], clip.states[:, -2:]
        if frames.shape[1] < 2:
            raise ValueError(f"a clip of at least 2 frames is needed, got {frames.shape[1]}")
        size = self.config.frame_size
        here = rearrange(grid(size, size).to(frames), "h w two -> two h w").expand(len(frames), -1, -1, -1)
        place = (here + 0.5) * (2 / rearrange(here.new_tensor(size), "two -> two 1 1")) - 1
        pair = rearrange(frames, "b t c h w -> b (t c) h w")
        posture = self.bend(reduce(self.posture(torch.cat([pair, place], 1)), "b z h w -> b z", "mean")).float()
        with torch.no_grad():
            scene = self._scene(frames[:, -1], states[:, -1], posture, blind)
        still, came = torch.zeros_like(scene.places), _complex(states[:, -1, :2] - states[:, 0, :2])
        return Carry(scene, states[:, -1], came, Poses(scene.places, still.real, still, still.real))

    def _scene(
        self, newest: Float[Tensor, "b 3 hf wf"], state: Float[Tensor, "b s"], posture: Float[Tensor, "b z"], blind: bool
    ) -> Scene:
        """Take the arm off a frame, fill in what it hides, and find the bodies."""
        colours, cover = self._arm(state, posture)
        alike = (newest - colours).abs().amax(1) < ALIKE
        arm = ((cover[:, 0] > COVERED) & alike).cpu().numpy().astype(np.uint8)
        hidden = np.stack([cv2.dilate(each, np.ones((3, 3), np.uint8)) > 0 for each in arm])
        images, empty = rearrange(newest, "b c h w -> b h w c"), rearrange(self.empty, "c h w -> h w c").cpu().numpy()
        bare = filled(images.cpu().numpy(), empty, hidden)
        apart = apart_from(bare, empty) * (not blind)
        seen = self.overlook.look(solid(apart))
        owner, places, lean = (part.to(newest.device) for part in (seen.owner, seen.places, seen.lean))
        opacity = torch.from_numpy((apart / SHOWN).clip(0, 1)).to(newest)[:, None] * (owner >= 0)[:, None]
        things = torch.cat([rearrange(torch.from_numpy(bare).to(newest), "b h w c -> b c h w") * opacity, opacity], 1)
        return Scene(seen.bodies.to(newest.device), places, owner, lean, things, posture)

    def imagine(
        self,
        carry: Carry,
        actions: Float[Tensor, "n t a"],
        pixel_maps: Float[Tensor, "n p map_h map_w"],
        decode: bool = False,
    ) -> Prediction:
        """Roll poses and pixel maps, and draw frames only when asked (see `interfaces.Predictor`)."""
        return self._prediction(list(self._roll(self._begin(carry, pixel_maps), actions)), pixel_maps, decode)

    def motions(self, carry: Carry, actions: Float[Tensor, "n t a"]) -> tuple[Motion, ...]:
        """Return the motion of each step (see `interfaces.MotionPredictor`); newly made are the arm and the empty table."""
        found, before = [], carry
        for after in self._roll(carry, actions):
            count = len(actions)
            shown, back, forth = self._flows(before, after, count)
            cover = self._arm(after.state, widen(after.scene.posture, count))[1]
            shown = (1 - cover) * shown
            masks = torch.cat([torch.zeros_like(cover).expand(-1, 2, -1, -1), shown, 1 - shown], 1)
            found.append(Motion(back[:, None], masks, forth, drawn=True))
            before = after
        return tuple(found)

    # --- the Rehearser protocol ----------------------------------------------------------------------------------

    def rehearse(
        self, clip: Clip, pixel_maps: Float[Tensor, "b p map_h map_w"], rng: torch.Generator, progress: float
    ) -> tuple[Prediction, Float[Tensor, ""]]:
        """Imagine freely. At first the arm alone is learnt, on a table taken for empty; then frames, which cost most, seldom."""
        first = progress < DRAWN_FIRST
        draws = first or bool(torch.rand((), generator=rng) < DRAWN_SHARE)
        with torch.set_grad_enabled(draws):
            seen = self._observe(beginning(clip, self.context), blind=first)
        steps = list(self._roll(self._begin(seen, pixel_maps), clip.actions[:, self.context - 1 :]))
        nothing = 0 * self.error.weight.sum()  # a gradient, also where nothing is touched
        return self._prediction(steps, pixel_maps, decode=draws), nothing

    # --- the roll ------------------------------------------------------------------------------------------------

    def _roll(self, carry: Carry, actions: Float[Tensor, "n t a"]) -> Iterator[Carry]:
        """Yield the moment after each action."""
        count = len(actions)
        poses = Poses(*(widen(part, count) for part in vars(carry.poses).values()))
        carry = replace(carry, state=widen(carry.state, count), came=widen(carry.came, count), poses=poses)
        with torch.autocast(actions.device.type, enabled=False):  # which would round places
            for action in actions.unbind(1):
                carry = self._step(carry, action.float())
                yield carry

    def _step(self, carry: Carry, action: Float[Tensor, "n a"]) -> Carry:
        """Move the finger, what it pushes, and what is fixed to that."""
        state = self.robot(carry.state, action)
        low, high = self.contact.walls  # as far as it ever got
        state = torch.cat([state[:, :2].maximum(low).minimum(high), state[:, 2:]], -1)
        before, after = _complex(carry.state[:, :2]), _complex(state[:, :2])
        scene, held = carry.scene, carry.held
        if not carry.poses.turn.shape[1]:
            return replace(carry, state=state, came=after - before)
        poses = self.contact(scene.bodies, carry.poses, before, after)
        poses = self._corrected(carry, poses, before, after)
        if held is not None:
            held = self._moved(held, poses)
        return Carry(scene, state, after - before, poses, held)

    def _corrected(
        self, carry: Carry, foreseen: Poses, before: Complex[Tensor, " n"], after: Complex[Tensor, " n"]
    ) -> Poses:
        """Add what mechanics misses, seen along the finger's way, so that a turned push is the same push, and a mirrored one."""
        bodies, poses = carry.scene.bodies, carry.poses
        way, before = (after - before)[:, None], before[:, None]
        length = way.abs()
        along = way / length.clamp(min=1e-6)
        shares = torch.linspace(0, 1, LOOKS, device=way.device)
        away = (before + way * shares)[:, None] - poses.place[..., None]
        heading = torch.polar(torch.ones_like(poses.turn), poses.turn)
        surface, slope = bodies.distance(away * heading.conj()[..., None])
        gap = surface - self.contact.number("finger")
        nearest, when = gap.min(-1, keepdim=True)
        touching = torch.where(gap < 0, 1.0, 0.0).argmax(-1, keepdim=True).where(nearest < 0, when)
        normal, arm = (slope * heading[..., None]).gather(2, touching)[..., 0], away.gather(2, touching)[..., 0]
        first, nearest = torch.where(gap < 0, shares, 1.0).amin(-1), nearest[..., 0]
        lengths = torch.stack(torch.broadcast_tensors(bodies.spread, bodies.gyration, gap[..., 0], nearest, length), -1)
        vectors = torch.broadcast_tensors(
            foreseen.place - poses.place, poses.speed, carry.came[:, None], arm, LENGTH_M * normal
        )
        directed = torch.view_as_real(torch.stack(vectors, -1) * along.conj()[..., None]) / LENGTH_M
        turns = torch.stack([foreseen.turn - poses.turn, poses.spin], -1) / TURN
        known = [lengths / LENGTH_M, first[..., None], directed[..., 0]]
        odd = torch.cat([directed[..., 1], turns], -1)  # what a mirror turns round
        plain, mirrored = (self.error(self.think(torch.cat([*known, sign * odd], -1))) for sign in (1, -1))
        missed = torch.cat([(plain + mirrored)[..., :1], (plain - mirrored)[..., 1:]], -1)
        speaks = (1 - nearest / REACH_M).clamp(0, 1) * (length / LENGTH_M).clamp(max=1) * bodies.present
        shift, turn = torch.complex(missed[..., 0], missed[..., 1]) * along, missed[..., 2]
        place, turned = foreseen.place + LENGTH_M * speaks * shift, foreseen.turn + TURN * speaks * turn
        return Poses(place, turned, foreseen.speed, foreseen.spin)

    # --- pixel maps ----------------------------------------------------------------------------------------------

    def _begin(self, carry: Carry, pixel_maps: Float[Tensor, "n p map_h map_w"]) -> Carry:
        """Give the carry the points of these maps, unless it has them."""
        size, map_size = self.config.frame_size, (pixel_maps.shape[-2], pixel_maps.shape[-1])
        held = carry.held
        if held is None or not torch.equal(held.points.maps(map_size, size), pixel_maps):
            held = self._hold(carry, Points.of(pixel_maps.float(), size))
        return replace(carry, held=held)

    def _hold(self, carry: Carry, points: Points) -> Held:
        """Find what each point is fixed to: the body that shows at the pixel from which its place has come."""
        (height, width), count, scene = self.config.frame_size, len(points.places), carry.scene
        place, turn = widen(carry.poses.place, count), widen(carry.poses.turn, count)
        seen = _to_table(points.places, self.to_table)
        owner = torch.full(points.places.shape[:2], -1, device=seen.device)
        local, lean = torch.zeros_like(seen), torch.zeros_like(seen)
        owners, leans = widen(scene.owner, count).flatten(1), widen(scene.lean, count).flatten(1)
        for k in range(turn.shape[1]):
            # As if the body had carried the picture with it; where the point stands follows from its height there.
            back = torch.polar(torch.ones_like(turn), -turn)[:, k, None]
            offset = seen - place[:, k, None]
            rows, cols = _to_pixel(offset * back + widen(scene.places, count)[:, k, None], self.to_frame).round().unbind(-1)
            index = (rows.clamp(0, height - 1) * width + cols.clamp(0, width - 1)).long()
            mine, leaning = (owners.gather(1, index) == k) & (owner < 0), leans.gather(1, index)
            owner = torch.where(mine, k, owner)
            local, lean = torch.where(mine, (offset - leaning) * back, local), torch.where(mine, leaning, lean)
        return Held(points, owner, local, lean)

    def _moved(self, held: Held, poses: Poses) -> Held:
        """Return the points where their bodies have brought them, but not off the frame."""
        index = held.owner.clamp(min=0)
        turn, place = poses.turn.gather(1, index), poses.place.gather(1, index)
        there = place + held.local * torch.polar(torch.ones_like(turn), turn) + held.lean
        there = _to_pixel(there, self.to_frame).clamp(min=0)
        there = there.minimum(there.new_tensor(self.config.frame_size) - 1)
        places = torch.where((held.owner >= 0)[..., None], there, held.points.places)
        return replace(held, points=Points(places, held.points.mass))

    def _prediction(self, steps: list[Carry], pixel_maps: Float[Tensor, "n p map_h map_w"], decode: bool) -> Prediction:
        size, map_size = self.config.frame_size, (pixel_maps.shape[-2], pixel_maps.shape[-1])
        maps = torch.stack([step.held.points.maps(map_size, size) for step in steps if step.held is not None], 1)
        frames = self._draw(steps) if decode else maps.new_zeros(len(maps), 0, 3, *size)
        return Prediction(frames, maps, maps.new_zeros(maps.shape[:3]), steps[-1])

    # --- frames --------------------------------------------------------------------------------------------------

    def _draw(self, steps: list[Carry]) -> Float[Tensor, "n t 3 hf wf"]:
        """Draw the arm over the bodies over the table, at all steps."""
        count, scene = len(steps[0].state), steps[0].scene
        states = rearrange(torch.stack([step.state for step in steps], 1), "n t s -> (n t) s")
        things, owner, places, posture = (
            repeat(widen(part, count), "n ... -> (n t) ...", t=len(steps))
            for part in (scene.things, scene.owner, scene.places, scene.posture)
        )
        bare = self.empty.expand(len(states), -1, -1, -1)
        for k in range(places.shape[1]):
            place, turn = (
                rearrange(torch.stack([getattr(step.poses, name)[:, k] for step in steps], 1), "n t ... -> (n t) ...")
                for name in ("place", "turn")
            )
            source = self._source(place, turn, places[:, k])
            layer = sample(things * (owner == k)[:, None], source, self.config.frame_size, "zeros")
            bare = layer[:, :3] + (1 - layer[:, 3:]) * bare
        drawn = torch.lerp(bare, *self._arm(states, posture))
        return rearrange(drawn, "(n t) c h w -> n t c h w", n=count)

    def _source(
        self, place: Complex[Tensor, " n"], turn: Float[Tensor, " n"], start: Complex[Tensor, " n"]
    ) -> Float[Tensor, "n hf wf 2"]:
        """Return from which pixel, (row, col), a body that has moved brings what each pixel shows."""
        place, back, start = (
            rearrange(each, "n -> n 1 1") for each in (place, torch.polar(torch.ones_like(turn), -turn), start)
        )
        return _to_pixel((self.seen_at - place) * back + start, self.to_frame)

    def _flows(
        self, before: Carry, after: Carry, count: int
    ) -> tuple[Float[Tensor, "n 1 hf wf"], Float[Tensor, "n 2 hf wf"], Float[Tensor, "n 2 hf wf"]]:
        """Return where bodies are seen after a step, and the backward and the forward flow of the step, in pixels."""
        size, scene = self.config.frame_size, after.scene
        here = grid(size, size).to(after.state)
        shown = here.new_zeros(count, 1, *size)
        back, forth = here.new_zeros(2, count, *size, 2).unbind(0)
        owner, starts, opacity = (widen(part, count) for part in (scene.owner, scene.places, scene.things[:, 3:]))
        old = [widen(part, count) for part in (before.poses.place, before.poses.turn)]
        new = [widen(part, count) for part in (after.poses.place, after.poses.turn)]
        for k in range(starts.shape[1]):
            mine = opacity * (owner == k)[:, None]
            (place, turn), (then, turned) = ((part[:, k] for part in pose) for pose in (old, new))
            covers = sample(mine, self._source(then, turned, starts[:, k]), size, "zeros")
            covered = sample(mine, self._source(place, turn, starts[:, k]), size, "zeros")[:, 0, ..., None] > 0.5
            back = torch.where(covers[:, 0, ..., None] > 0.5, self._source(then, turned - turn, place) - here, back)
            forth = torch.where(covered, self._source(place, turn - turned, then) - here, forth)
            shown = torch.maximum(shown, covers)
        return shown, rearrange(back, "n h w two -> n two h w"), rearrange(forth, "n h w two -> n two h w")


SHOWN = 0.12  # difference of a colour to the empty table from which on a pixel of a body shows nothing else
NUM_FEATURES = 5 + 1 + 2 * 5 + 2


def _complex(vectors: Float[Tensor, "*b 2"]) -> Complex[Tensor, "*b"]:
    """Return (x, y) as x + iy."""
    return torch.complex(vectors[..., 0], vectors[..., 1])


def _to_pixel(places: Complex[Tensor, "*b"], homography: Float[Tensor, "3 3"]) -> Float[Tensor, "*b 2"]:
    """Return at which (row, col) places on the calibrated plane are seen."""
    rows, cols, scale = (a * places.real + b * places.imag + c for a, b, c in homography.unbind())
    return torch.stack([rows / scale, cols / scale], -1)


def _to_table(pixels: Float[Tensor, "*b 2"], homography: Float[Tensor, "3 3"]) -> Complex[Tensor, "*b"]:
    """Return which places on the calibrated plane are seen at (row, col)."""
    return _complex(_to_pixel(_complex(pixels), homography))
