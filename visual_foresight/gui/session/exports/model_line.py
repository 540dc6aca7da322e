"""One line about a model, as its card has it."""

import re

import safetensors

from visual_foresight.gui.session.settings import LIVE_ONLY, installed_models
from visual_foresight.predictors.checkpoints import WEIGHTS_FILE, read_config, resolve
from visual_foresight.types import UserError

CARD_NAME = "card.md"
CARD_ROW = re.compile(r"^\| predictor \| (.+) \|$", re.MULTILINE)
"""The row of a model card that says what the model is."""


def model_line(name: str) -> str:
    """Say what a model is, in one line.

    Args:
        name: as settings have it. What its checkpoint says now is told, if there is one.
    """
    if name in LIVE_ONLY:
        return installed_models().get(name, name)
    try:
        folder = resolve(name)
        config = read_config(folder)
    except UserError:
        return installed_models().get(name, f"{name} (not on this machine now)")
    try:
        row = CARD_ROW.search((folder / CARD_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        row = None
    if row is not None:
        return row[1].replace("`", "")
    steps = config["meta"].get("steps")
    parts = [str(config["predictor"]), _parameters(name)]
    parts.append(f"trained for {steps:,} steps" if isinstance(steps, int) else "")
    return ", ".join(filter(None, parts))


def _parameters(name: str) -> str:
    """Return how many numbers a checkpoint's weights are; nothing if they cannot be read."""
    path = resolve(name) / WEIGHTS_FILE
    count = 0
    try:
        with safetensors.safe_open(path, framework="numpy") as weights:
            for key in weights.keys():  # noqa: SIM118 (it is no dictionary)
                size = 1
                for side in weights.get_slice(key).get_shape():
                    size *= side
                count += size
    except (OSError, safetensors.SafetensorError):
        return ""
    return f"{count / 1e6:.2f} M parameters"
