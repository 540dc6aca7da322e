"""The row of layers, and the SVG that lies over each of the two frames."""

import json
from collections.abc import Callable

from nicegui import ui

from visual_foresight.gui.page.changes import ChangeDetector
from visual_foresight.gui.page.layers.asked_shapes import answer_shapes
from visual_foresight.gui.page.layers.choices import (
    LAYERS,
    PATHS,
    PLANS,
    USUAL,
    Layer,
    read,
    written,
)
from visual_foresight.gui.page.layers.doubt_sign import (
    Doubt,
    DoubtSign,
    doubt_of,
    findings_of,
)
from visual_foresight.gui.page.layers.intent import intent_shapes
from visual_foresight.gui.page.layers.pixel_shapes import pixel_shapes
from visual_foresight.gui.page.layers.shapes import canvas
from visual_foresight.gui.page.prediction.timeline import Timeline
from visual_foresight.gui.session.layers.answers import AskedLayer, NoAnswer, Wish
from visual_foresight.gui.session.session import Session
from visual_foresight.gui.session.state import State
from visual_foresight.types import Plan

ASKED: tuple[AskedLayer, ...] = ("flow", "things")
"""Layers that the model has to be asked for, the lower one first."""
UNDER_MARKERS = 1
"""Place of a layer among the children of a frame: over its picture, under the goal's markers."""
KEEP_JS = "try { localStorage.setItem('layers', TEXT); } catch (error) {}"
"""Where the browser keeps nothing (a private window may refuse), the usual layers come back."""
KEPT_JS = "try { return localStorage.getItem('layers'); } catch (error) { return null; }"
PATIENCE_S = 10


class LayersPanel:
    """Builds the row where it is made, and a layer over each frame; draws all of them.

    Args:
        session: the one that all pages show.
        timeline: what this page shows of a run.
        redraw: draws the whole page now.
        scene_frame: the element that holds what the camera saw.
        prediction_frame: the element that holds what is imagined.
    """

    def __init__(
        self,
        session: Session,
        timeline: Timeline,
        redraw: Callable[[], None],
        scene_frame: ui.element,
        prediction_frame: ui.element,
    ) -> None:
        self._session = session
        self._timeline = timeline
        self._redraw = redraw
        self._on = USUAL
        self._changes = ChangeDetector()
        self._asked: set[Wish] = set()
        """What the session has been asked for of what is shown now."""
        self._asks_again = False
        """Whether the session was busy when it was asked."""
        self._over_scene = _layer_over(scene_frame)
        self._over_prediction = _layer_over(prediction_frame)
        self._buttons: dict[str, ui.element] = {}
        with ui.element("div").classes("layer-row").props('role=group aria-label="Layers"'):
            ui.label("Layers").classes("soft")
            for layer in LAYERS:
                self._buttons[layer.name] = self._button(layer)
            ui.element("div").classes("grow")
            self._doubt = DoubtSign()
        self._missing = ui.label().classes("soft").props("role=status")
        self._mark_buttons()
        ui.timer(0.1, self._restore, once=True)

    def _button(self, layer: Layer) -> ui.element:
        button = ui.element("button").classes("layer").props("type=button")
        with button:
            ui.html(layer.label, sanitize=False, tag="span")
            ui.tooltip(f"{layer.label}: {layer.hint}")
        button.props["aria-description"] = layer.hint
        button.on("click", lambda: self._switch(layer.name))
        return button

    async def _restore(self) -> None:
        """Switch the layers on that this browser had on before."""
        try:
            kept = await ui.run_javascript(KEPT_JS, timeout=PATIENCE_S)
        except TimeoutError:  # the page has been left
            return
        if read(kept) != self._on:
            self._on = read(kept)
            self._mark_buttons()
            self._redraw()

    def _switch(self, name: str) -> None:
        self._on = self._on ^ {name}
        ui.run_javascript(KEEP_JS.replace("TEXT", json.dumps(written(self._on))))
        self._mark_buttons()
        self._redraw()

    def _mark_buttons(self) -> None:
        for name, button in self._buttons.items():
            is_on = name in self._on
            button.props(f"aria-pressed={str(is_on).lower()}")
            button.classes(**{"add" if is_on else "remove": "on"})

    def draw(self, state: State) -> None:
        """Show a state."""
        timeline = self._timeline
        index = timeline.frame_index(state)
        shown = (timeline.step, timeline.ahead, timeline.rank, timeline.preview, index)
        known = (state.frame, state.answers, state.is_idle)
        is_new = self._changes.changed(*state.run_shown, *shown, *known, self._on)
        if not is_new and not self._asks_again:
            return
        wishes = self._wishes(state, index)
        self._ask(state, wishes)
        self._over_scene.set_content(self._scene_svg(state, index))
        self._over_prediction.set_content(self._prediction_svg(state))
        self._doubt.draw(self._doubt_of_shown(state))
        self._say_what_is_missing(state, wishes)

    def _scene_svg(self, state: State, index: int | None) -> str:
        """Draw what was intended, or is, in the frame that the scene shows."""
        step = state.num_done if index is None else index
        if state.recording is not None:
            step = index or 0  # the frame at hand is the one that is imagined from
        plan = state.plans[step] if step < len(state.plans) else None
        if plan is None:
            return ""
        drawn = self._answers(state, step, ahead=0, rank=0)
        drawn += self._intent(state, plan, step, ahead=0, rank=0)
        return canvas(drawn, plan.prediction.frame_size)

    def _doubt_of_shown(self, state: State) -> Doubt | None:
        timeline = self._timeline
        plan = timeline.plan(state)
        if plan is None:
            return None
        model = state.settings.model if timeline.preview is not None else state.imagined_by
        return doubt_of(plan, timeline.ahead, timeline.rank, findings_of(model))

    def _prediction_svg(self, state: State) -> str:
        timeline = self._timeline
        plan = timeline.plan(state)
        if plan is None or not plan.prediction.gives & {"frames", "maps"}:
            return ""
        rank = timeline.rank
        ahead = min(timeline.ahead, len(plan.actions))
        drawn = []
        if timeline.preview is None:
            drawn += self._answers(state, timeline.step, ahead, rank)
        drawn += pixel_shapes(plan, ahead, rank, self._on)
        drawn += self._intent(state, plan, timeline.step, ahead, rank)
        return canvas(drawn, plan.prediction.frame_size)

    def _wish(self, state: State, layer: AskedLayer, step: int, rank: int) -> Wish | None:
        """Return what the session is to be asked for; None where there is no such plan."""
        is_there = step < len(state.plans) and state.plans[step].prediction.gives
        if layer not in self._on or not is_there:
            return None
        return Wish(layer, state.run_of_plans, step, rank)

    def _wishes(self, state: State, index: int | None) -> set[Wish]:
        """Return what the session is to be asked for of what both frames show."""
        timeline = self._timeline
        plans = [(state.num_done if index is None else index, 0)]
        if timeline.preview is None:
            plans.append((timeline.step, timeline.rank))
        wishes = (self._wish(state, layer, *plan) for layer in ASKED for plan in plans)
        return {wish for wish in wishes if wish is not None}

    def _ask(self, state: State, wishes: set[Wish]) -> None:
        """Ask the session for what is not known yet; it is asked again when it was busy."""
        self._asked &= wishes
        self._asks_again = False
        for wish in wishes - self._asked - state.answers.keys():
            if self._session.ask(wish):
                self._asked.add(wish)
            else:
                self._asks_again = True

    def _answers(self, state: State, step: int, ahead: int, rank: int) -> list[str]:
        drawn = []
        for layer in ASKED:
            wish = self._wish(state, layer, step, rank)
            answer = None if wish is None else state.answers.get(wish)
            if answer is not None:
                size = state.plans[step].prediction.frame_size
                drawn += answer_shapes(answer, ahead, size)
        return drawn

    def _say_what_is_missing(self, state: State, wishes: set[Wish]) -> None:
        """Say why a layer that is on shows nothing."""
        missing: dict[str, str] = {}
        for wish in wishes:
            answer = state.answers.get(wish)
            if isinstance(answer, NoAnswer):
                missing[wish.layer] = answer.reason
            elif answer is None and not state.is_idle:
                missing["busy"] = "flow and things are asked for when the robot rests"
        has_arm = {PATHS.name, PLANS.name} & self._on and len(state.plans)
        if has_arm and state.arm is not None and state.arm.why_unknown:
            missing["arm"] = f"the arm's way is not drawn: {state.arm.why_unknown}"
        sentences = [f"{text[:1].upper()}{text[1:]}." for text in missing.values()]
        self._missing.set_text(" ".join(sentences))
        self._missing.set_visibility(bool(sentences))

    def _intent(self, state: State, plan: Plan, step: int, ahead: int, rank: int) -> list[str]:
        states = () if state.trial is None else state.trial.episode.states
        if state.arm is None or step >= len(states):
            return []
        return intent_shapes(state.arm, states[step], plan, ahead, rank, self._on)


def _layer_over(frame: ui.element) -> ui.html:
    with frame:
        layer = ui.html("", sanitize=False).classes("layers")
    layer.move(target_index=UNDER_MARKERS)
    return layer
