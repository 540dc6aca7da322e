"""The row of layers, and the SVG that lies over each of the two frames."""

import json
from collections.abc import Callable

from nicegui import ui

from visual_foresight.gui.page.changes import ChangeDetector
from visual_foresight.gui.page.layers.choices import LAYERS, USUAL, Layer, read, written
from visual_foresight.gui.page.layers.intent import intent_shapes
from visual_foresight.gui.page.layers.pixel_shapes import pixel_shapes
from visual_foresight.gui.page.layers.shapes import canvas
from visual_foresight.gui.page.prediction.timeline import Timeline
from visual_foresight.gui.session.session import Session
from visual_foresight.gui.session.state import State
from visual_foresight.types import Plan

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
        self._over_scene = _layer_over(scene_frame)
        self._over_prediction = _layer_over(prediction_frame)
        self._buttons: dict[str, ui.element] = {}
        with ui.element("div").classes("layer-row").props('role=group aria-label="Layers"'):
            ui.label("Layers").classes("soft")
            for layer in LAYERS:
                self._buttons[layer.name] = self._button(layer)
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
        if not self._changes.changed(*state.run_shown, *shown, self._on, state.frame):
            return
        self._over_scene.set_content(self._scene_svg(state, index))
        self._over_prediction.set_content(self._prediction_svg(state))

    def _scene_svg(self, state: State, index: int | None) -> str:
        """Draw what was intended, or is, in the frame that the scene shows."""
        step = state.num_done if index is None else index
        plan = state.plans[step] if step < len(state.plans) else None
        if plan is None:
            return ""
        drawn = self._intent(state, plan, step, ahead=0, rank=0)
        return canvas(drawn, plan.prediction.frame_size)

    def _prediction_svg(self, state: State) -> str:
        timeline = self._timeline
        plan = timeline.plan(state)
        if plan is None or not plan.prediction.gives & {"frames", "maps"}:
            return ""
        rank = timeline.rank
        ahead = min(timeline.ahead, len(plan.actions))
        drawn = pixel_shapes(plan, ahead, rank, self._on)
        drawn += self._intent(state, plan, timeline.step, ahead, rank)
        return canvas(drawn, plan.prediction.frame_size)

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
