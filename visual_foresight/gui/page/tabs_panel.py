"""The tabs below: how the search went, how the run goes, the fan of futures, the runs so far, and when the model was wrong."""

from collections.abc import Callable

from nicegui import ui

from visual_foresight.gui.page.pictures import address, believed, curves
from visual_foresight.gui.page.timeline import Memory, Timeline
from visual_foresight.gui.session.archive import ANIMATIONS, Entry
from visual_foresight.gui.session.session import Session
from visual_foresight.gui.session.state import State
from visual_foresight.types import PixelGoal, Plan, to_uint8

Verb = Callable[[], object]
NAMES = ("best", "2nd", "3rd", "4th")
TABS = ("Progress", "Plans", "ActionFan", "Runs", "Check")


class TabsPanel:
    """Builds the tabs and draws them.

    `prepare` hands what is chosen at the side to the session first.
    """

    def __init__(
        self,
        session: Session,
        timeline: Timeline,
        prepare: Callable[[], bool],
        redraw: Callable[[], None],
    ) -> None:
        self._session, self._timeline, self._prepare, self._redraw = (
            session,
            timeline,
            prepare,
            redraw,
        )
        self._memories = [Memory() for _ in range(5)]
        self._buttons: list[ui.button] = []
        with ui.element("section").classes("card tabs"):
            with ui.tabs().props("dense align=left no-caps inline-label") as self._tabs:
                for name in TABS:
                    ui.tab(name)
            with (
                ui.tab_panels(self._tabs, value=TABS[0])
                .props("animated=false keep-alive")
                .classes("w-full")
            ):
                with ui.tab_panel(TABS[0]):
                    self._progress = ui.html("", sanitize=False).classes("plots")
                with ui.tab_panel(TABS[1]), ui.element("div").classes("plans"):
                    self._thumbs = ui.element("div").classes("thumbs")
                    self._search = ui.html("", sanitize=False).classes("plots")
                with ui.tab_panel(TABS[2]):
                    self._button(
                        "Imagine different actions", self._prepared(session.spread_fan)
                    )
                    self._fan = ui.element("div").classes("thumbs fan q-mt-sm")
                with ui.tab_panel(TABS[3]):
                    self._runs = ui.element("div").classes("list")
                with ui.tab_panel(TABS[4]):
                    self._button(
                        "Compare with what the model imagines", self._prepared(session.check)
                    )
                    self._check = ui.html("", sanitize=False).classes("plots q-mt-sm")
        self._tabs.on_value_change(lambda: redraw())  # from now on: the page is not whole yet

    def _button(self, text: str, verb: Verb) -> ui.button:
        self._buttons.append(
            ui.button(text, on_click=lambda: verb()).props("outline dense padding='3px 12px'")
        )
        return self._buttons[-1]

    def _prepared(self, verb: Verb) -> Verb:
        return lambda: self._prepare() and verb()

    def draw(self, state: State) -> None:
        """Show a state."""
        progress, search, fan, runs, checked = self._memories
        open_tab, plan = self._tabs.value, self._timeline.plan(state)
        # What changes at every step is drawn while it is looked at: on two cores, drawing takes
        # time from planning.
        if open_tab == "Progress" and progress.differs(
            state.trial, state.pending, self._timeline.step
        ):
            self._progress.set_content(_progress(state, self._timeline.step))
        if open_tab == "Plans" and search.differs(plan, self._timeline.number):
            goal = state.goal if state.trial is None else state.trial.goal
            self._search.set_content(_search(plan, "px" if isinstance(goal, PixelGoal) else ""))
            self._draw_thumbs(state, plan)
        if fan.differs(state.fan):
            self._draw_fan(state)
        if runs.differs(state.entries, state.shown, state.saved):
            self._draw_runs(state)
        if checked.differs(state.check):
            self._check.set_content(_checked(state))
        for button in self._buttons:
            button.set_enabled(state.is_idle)

    def _draw_thumbs(self, state: State, plan: Plan | None) -> None:
        """Show the best plans of the search's last iteration, each at its end."""
        self._thumbs.clear()
        if plan is None or state.trial is None or not len(plan.runners_up):
            return
        frame = state.trial.episode.frames[self._timeline.step]
        with self._thumbs:
            for number, name in enumerate(NAMES[: len(plan.runners_up) + 1]):
                thumb = ui.element("button").classes(
                    "thumb" + " on" * (number == self._timeline.number)
                )
                thumb.props(f'aria-label="Show the {name} plan"').on(
                    "click", lambda n=number: self._choose(n)
                )
                with thumb:
                    ui.element("img").props["src"] = address(
                        believed(plan, len(plan.actions) - 1, frame, number)
                    )
                    ui.label(name)

    def _choose(self, number: int) -> None:
        self._timeline.number = number
        self._redraw()

    def _draw_fan(self, state: State) -> None:
        self._fan.clear()
        fan = state.fan
        with self._fan:
            if fan is None:
                ui.label(
                    "A grid of futures from the present frame; clicking one carries it out."
                ).classes("soft")
                return
            frames = to_uint8(fan.prediction.frames[:, -1])
            for number, name in enumerate(fan.names):
                thumb = (
                    ui.element("button")
                    .classes("thumb")
                    .props(f'aria-label="Carry out {name}"')
                )
                thumb.on("click", lambda n=number: self._session.carry_out(n))
                with thumb:
                    ui.element("img").props["src"] = address(frames[number])
                    ui.label(name)

    def _draw_runs(self, state: State) -> None:
        self._runs.clear()
        with self._runs:
            if not state.entries:
                ui.label(
                    "No runs yet. Each one that moves the robot is kept here and in the output folder."
                ).classes("soft")
                return
            with ui.element("div").classes("run first"):
                for head in ("OngoingTrial", "Goal (row, col)", "Final", "Outcome"):
                    ui.label(head)
                ui.label("Model").classes("model")
                ui.label("")
            for entry in reversed(state.entries):
                self._draw_run(entry, state)

    def _draw_run(self, entry: Entry, state: State) -> None:
        with ui.element("div").classes("run"):
            ui.label(entry.name)
            ui.label(entry.goal)
            ui.label("" if entry.distance_m is None else f"{100 * entry.distance_m:.1f} cm")
            ui.label(entry.outcome)
            ui.label(entry.model).classes("model soft")
            with ui.element("div").classes("buttons"):
                ui.button("Open", on_click=lambda: self._session.open(entry.name)).props(
                    "flat dense size=sm"
                )
                for suffix in ANIMATIONS:
                    text = suffix[1:].upper()
                    ui.button(
                        text, on_click=lambda s=suffix: self._session.export(entry.name, s)
                    ).props("flat dense size=sm")
                saved = state.saved
                if saved is not None and saved.stem == entry.name:
                    fetch = ui.button(
                        icon="download",
                        on_click=lambda: ui.download.content(saved.read_bytes(), saved.name),
                    )
                    fetch.props(f'flat dense size=sm aria-label="Download {saved.name}"')


def _progress(state: State, step: int) -> str:
    trial = state.trial
    seconds = [plan.seconds for plan in state.plans] if not state.is_recorded else []
    distances = (
        [100 * value for value in trial.distances_m]
        if trial and isinstance(trial.goal, PixelGoal)
        else []
    )
    return curves(
        "Distance to the goal, by step", "cm", {"true": distances}, step if distances else None
    ) + curves("Planning time, by step", "s", {"one plan": seconds})


def _search(plan: Plan | None, unit: str) -> str:
    costs = () if plan is None else plan.costs
    best, middle = (
        [float(values.min()) for values in costs],
        [float(values.median()) for values in costs],
    )
    lost = (
        []
        if plan is None or not plan.prediction.lost.shape[-1]
        else plan.prediction.lost[0].abs().mean(-1).tolist()
    )
    return curves(
        "Cost, by iteration of the search", unit, {"best": best, "median": middle}
    ) + curves("Mass that the pixel maps lost, by step ahead", "", {"lost": lost})


def _checked(state: State) -> str:
    check = state.check
    if check is None:
        return '<p class="soft">Where the model expected the pixel and the frame of the shown run, and where they were.</p>'
    pixels = {"one step ahead": check.ahead_px, "from the start": check.start_px}
    quality = {
        "one step ahead": check.ahead_db,
        "from the start": check.start_db,
        "frame before": check.persistence_db,
    }
    return curves("Error of the designated pixel, by step", "px", pixels) + curves(
        "PSNR of the frame, by step", "dB", quality
    )
