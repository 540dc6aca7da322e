"""Result tables, made from the trials that are committed beside each model."""

import json
from pathlib import Path
from typing import Any

from docs.generate.architecture import NOTICE
from visual_foresight.evaluation.control.command import ceiling_path
from visual_foresight.evaluation.control.outcomes import figures_of_rows
from visual_foresight.evaluation.statistics import wilson

ROOT = Path(__file__).parents[2]
FLOORS = Path(__file__).with_name("floors.json")
CEILING = "simulator"
TRIALS_FILES = {"trials.json": "fast", "trials_default.json": "default"}
"""Files of trials in a model's folder, and the preset that each is of."""
INTRODUCTION = """\
# Closed-loop control

Each table is made from the trials committed in `models/NAME/trials.json` and
`trials_default.json`, and from the ceiling's in `visual_foresight/evaluation/control/ceilings/`.
Brackets are 95 % intervals: Wilson's for rates, bootstrap over trials for the rest. Every trial
has 20 steps. *Ceiling* is the same planner with the simulator as its model, on the first 50
tasks. Its trials are of before the camera's calibration was moved by 3 mm. *Floors* are
`scripted`, which carries out proposed pushes without any model, `still`, which plans with a
model in which nothing moves, and `random`; their counts are those of the model's card.
"""
HEAD = (
    "| suite | row | trials | 2.5 cm | 5 cm [95 %] | 7.5 cm | of the ceiling [95 %] "
    "| start cm | end cm [95 %] |"
)


def control_page() -> str:
    """Return the page of the control benchmark, a section for each file of trials."""
    parts = [NOTICE, INTRODUCTION]
    for folder in sorted(path.parent for path in (ROOT / "models").glob("*/trials.json")):
        for name, preset in TRIALS_FILES.items():
            if (folder / name).is_file():
                parts += _section(folder.name, preset, json.loads((folder / name).read_text()))
    return "\n".join(parts)


def _section(model: str, preset: str, kept: dict[str, Any]) -> list[str]:
    """Return the table of one file of trials, and the command that runs them again."""
    suites = list(dict.fromkeys(trial["suite"] for trial in kept["trials"]))
    lines = []
    count = 0
    for suite in suites:
        own = {t["index"]: t for t in kept["trials"] if t["suite"] == suite}
        ceiling = json.loads(ceiling_path(suite, preset).read_text())["trials"]
        best = {trial["index"]: trial for trial in ceiling if trial["index"] in own}
        count = len(own)
        figures = figures_of_rows({CEILING: best, model: own}, CEILING)
        lines.append(_row(suite, f"`{model}`", figures[model]))
        lines.append(_row(suite, "ceiling: `simulator`", figures[CEILING]))
        lines += _floors(model, preset, suite)
    chosen = "" if preset == "fast" else f" --suites {' '.join(suites)} --preset {preset}"
    floors = json.loads(FLOORS.read_text())[model][preset][suites[0]]["within_5cm"]
    command = (
        f"visual-foresight evaluate control --methods {model} simulator {' '.join(floors)}"
    )
    return [
        f"## {model}, preset {preset}\n",
        f"```bash\n{command} \\\n  --trials {count}{chosen}\n```\n",
        HEAD,
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
        *lines,
        "",
    ]


def _row(suite: str, label: str, figures: dict[str, Any]) -> str:
    low, high = figures["interval_5cm"]
    end_low, end_high = figures["interval_final_distance_cm"]
    share = ""
    if "of_ceiling_5cm" in figures:
        share_low, share_high = figures["interval_of_ceiling_5cm"]
        share = f"{figures['of_ceiling_5cm']:.2f} [{share_low:.2f}, {share_high:.2f}]"
    cells = (
        suite,
        label,
        str(figures["trials"]),
        f"{figures['success_2.5cm']:.2f}",
        f"{figures['success_5cm']:.2f} [{low:.2f}, {high:.2f}]",
        f"{figures['success_7.5cm']:.2f}",
        share,
        f"{figures['start_distance_cm']:.1f}",
        f"{figures['final_distance_cm']:.1f} [{end_low:.1f}, {end_high:.1f}]",
    )
    return f"| {' | '.join(cells)} |"


def _floors(model: str, preset: str, suite: str) -> list[str]:
    """Return the rows of the floors, of which only the counts within 5 cm were kept."""
    floors = json.loads(FLOORS.read_text())[model][preset][suite]
    rows = []
    for name, successes in floors["within_5cm"].items():
        rate = wilson(successes, floors["trials"])
        shown = f"{rate.value:.2f} [{rate.low:.2f}, {rate.high:.2f}]"
        rows.append(f"| {suite} | floor: `{name}` | {floors['trials']} | | {shown} | | | | |")
    return rows
