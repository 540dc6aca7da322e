"""Checkpoints: `save` writes a folder, `load` builds a predictor from a folder or a name.

A checkpoint holds `config.json` (which predictor, its configuration, training facts) and
`weights.safetensors`.
"""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn

import visual_foresight
from visual_foresight.interfaces import Predictor
from visual_foresight.predictors.padding import build, padded_class
from visual_foresight.predictors.registry import PREDICTORS, SHIPPED, model_of
from visual_foresight.system.files import expanded, write_bytes
from visual_foresight.types import UserError

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "weights.safetensors"
PAST_NAMES: dict[str, dict[str, str]] = json.loads(
    Path(__file__).with_name("past_names.json").read_text()
)
"""Name in checkpoints of earlier versions -> present name, for the fields of configurations
("config") and for the parts of the names of weights ("weights")."""


@dataclass(frozen=True)
class Seen:
    """What a checkpoint's predictor looks at."""

    frame_size: tuple[int, int]
    """Height and width of its frames, in pixels."""
    views: tuple[str, ...] = ()
    """Names of the cameras that it reads, that of the frames first; empty: the env's own first."""


def renamed(weights: Mapping[str, Any]) -> dict[str, Any]:
    """Return the weights of a checkpoint, or a run, of any version by their present names."""
    now = PAST_NAMES["weights"]
    return {
        ".".join(now.get(part, part) for part in name.split(".")): value
        for name, value in weights.items()
    }


def load(
    source: str | Path,
    device: torch.device | str = "cpu",
    frame_size: tuple[int, int] | None = None,
    action_size: int | None = None,
    state_size: int | None = None,
    views: Sequence[str] | None = None,
) -> Predictor:
    """Build a predictor, ready to imagine (evaluation mode, no gradients).

    Args:
        source: a name in `PREDICTORS` (a learned one stands for its shipped checkpoint) or a
            checkpoint's folder.
        device: where its weights go.
        frame_size: (height, width) of the frames that it will see, in pixels; None: not checked.
        action_size: how many numbers an action has; None: not checked.
        state_size: how many numbers the robot's state has; None: not checked.
        views: names of the cameras that it will see, that of the frames first; None: not checked.

    Raises:
        UserError: there is no such predictor or checkpoint, it is damaged, or it was made for
            other sizes or other cameras.
    """
    if str(source) in PREDICTORS and (model := model_of(str(source))).config is None:
        return cast(Predictor, model.predictor())
    folder = resolve(source)
    predictor = _build(folder, read_config(folder))
    config = cast(Any, predictor).config
    for what, wanted, made_for in (
        ("frames of (height, width)", frame_size, config.frame_size),
        ("actions of size", action_size, config.action_size),
        ("states of size", state_size, config.state_size),
    ):
        if wanted is not None and wanted != made_for:
            raise UserError(
                f"the checkpoint {folder} was trained on {what} {made_for}, but {wanted} was asked "
                f"for: choose another checkpoint, or the env and frame size that it was trained on"
            )
    if views is not None:
        _require_views(folder, seen_by(folder).views, tuple(views))
    predictor.load_state_dict(_read_weights(folder, predictor.state_dict()))
    return cast(Predictor, predictor.to(device).eval().requires_grad_(False))


def save(predictor: nn.Module, folder: Path, meta: Mapping[str, Any]) -> None:
    """Write a checkpoint, the weights first; each file is replaced whole or not at all.

    Args:
        predictor: an instance of a class in `PREDICTORS`.
        folder: where to; made if need be, and its files replaced.
        meta: training facts as plain JSON values: env, data, steps, seconds, seed.

    Raises:
        ValueError: a weight is not finite, or the predictor is not registered. Nothing is
            written then.
    """
    config = cast(Any, predictor).config
    name = _name_of(padded_class(predictor), type(config))
    if name is None:
        raise ValueError(
            f"a predictor out of {', '.join(PREDICTORS)} was expected, "
            f"got {type(predictor).__name__}"
        )
    weights = {
        key: value.detach().cpu().contiguous().clone()
        for key, value in predictor.state_dict().items()
    }
    if broken := _not_finite(weights):
        raise ValueError(
            f"weights that are not finite are not saved: {', '.join(broken)} in {name}"
        )
    content = {"predictor": name, "config": dataclasses.asdict(config), "meta": dict(meta)}
    text = json.dumps(content, indent=2, allow_nan=False) + "\n"
    write_bytes(folder / WEIGHTS_FILE, safetensors.torch.save(weights))
    write_bytes(folder / CONFIG_FILE, text.encode())


def resolve(source: str | Path) -> Path:
    """Return a checkpoint's folder, given the folder itself or a shipped predictor's name.

    A folder in the current directory does not hide a predictor of the same name: write `./flow`
    for the folder.

    Raises:
        UserError: there is no such folder.
    """
    if str(source) in SHIPPED:
        package = Path(visual_foresight.__file__).parent
        for root in (package.parent, package / "shipped"):
            if (folder := root / "models" / str(source)).is_dir():
                return folder
        raise UserError(
            f"the shipped checkpoint of {source!r}, models/{source}, is missing: "
            f"get it back from the repository, train one, or give the folder of another"
        )
    folder = expanded(Path(source))
    if folder.is_dir():
        return folder
    if str(source) in PREDICTORS:
        raise UserError(
            f"no trained {str(source)!r} is shipped: train one, and give its checkpoint's folder"
        )
    without_weights = [name for name in PREDICTORS if model_of(name).config is None]
    known = ", ".join(sorted({*SHIPPED, *without_weights}))
    raise UserError(
        f"there is no predictor or checkpoint {str(source)!r}: "
        f"give one of {known}, or a checkpoint's folder"
    )


def read_config(folder: Path) -> dict[str, Any]:
    """Return a checkpoint's `config.json`.

    It has "predictor" (a name), "config" (its fields, by their present names) and "meta" (a dict).

    Raises:
        UserError: it is missing, damaged or names an unknown predictor.
    """
    path = folder / CONFIG_FILE
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UserError(
            f"{folder} is no checkpoint: it has no {CONFIG_FILE}; give a folder that `train` wrote"
        ) from error
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise UserError(
            f"{path} is damaged (no JSON: {error}): get the checkpoint again, or train it again"
        ) from error
    kinds = {"predictor": str, "config": dict, "meta": dict}
    if not isinstance(content, dict) or not all(
        isinstance(content.get(key), kind) for key, kind in kinds.items()
    ):
        raise UserError(
            f'{path} is damaged: "predictor", "config" and "meta" were expected; '
            f"get the checkpoint again"
        )
    if content["predictor"] not in PREDICTORS:
        known = ", ".join(sorted(PREDICTORS))
        raise UserError(
            f"{path} names the unknown predictor {content['predictor']!r}: this version knows "
            f"{known}; update Visual Foresight or choose another checkpoint"
        )
    now = PAST_NAMES["config"]
    content["config"] = {
        now.get(name, name): value for name, value in content["config"].items()
    }
    return content


def seen_by(folder: Path) -> Seen:
    """Return what a checkpoint's predictor looks at, from its `config.json` alone.

    A configuration says its views itself if it has the field; those of other predictors, which
    read one, are among the training facts.

    Raises:
        UserError: see `read_config`; or the frame size or the views are damaged.
    """
    content = read_config(folder)
    size = _tuples(content["config"].get("frame_size"))
    views = _views_of(content)
    match size:
        case (int(), int()) if all(isinstance(name, str) for name in views):
            return Seen(size, views)
    raise UserError(
        f"{folder / CONFIG_FILE} is damaged: a frame size of two numbers and names of views were "
        f"expected, got {size} and {views}; get the checkpoint again"
    )


def views_of(source: str | Path) -> tuple[str, ...]:
    """Return the names of the cameras that a predictor reads; none: any env's own first.

    Args:
        source: see `load`.

    Raises:
        UserError: see `resolve` and `seen_by`.
    """
    if str(source) in PREDICTORS and model_of(str(source)).config is None:
        return ()
    return seen_by(resolve(source)).views


def _views_of(content: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return the names of the cameras that the predictor of a `config.json` reads."""
    views = content["config"].get("views") or content["meta"].get("views") or ()
    return tuple(views) if isinstance(views, list | tuple) else (views,)


def _require_views(folder: Path, needed: tuple[str, ...], offered: tuple[str, ...]) -> None:
    """Refuse a world without the cameras that a checkpoint needs."""
    if needed and (needed[0] != offered[0] or set(needed) - set(offered)):
        raise UserError(
            f"the checkpoint {folder} reads the views {', '.join(needed)}, the first of them as "
            f"the frames, but the world shows {', '.join(offered)}: "
            f"choose another checkpoint, or the env and the views that it was trained on"
        )


def _name_of(predictor_class: type, config_class: type) -> str | None:
    """Return the name that predictors of these classes are registered by; ours are tried first."""
    for name in PREDICTORS:
        model = model_of(name)
        if (model.predictor, model.config) == (predictor_class, config_class):
            return name
    return None


def _build(folder: Path, content: dict[str, Any]) -> nn.Module:
    """Return the predictor that a `config.json` describes, with fresh weights."""
    model = model_of(content["predictor"])
    if model.config is None:
        raise UserError(
            f"{folder} names {content['predictor']!r}, which has no weights: give the name alone"
        )
    config_class = cast(Any, model.config)
    expected = {field.name for field in dataclasses.fields(config_class)}
    path = folder / CONFIG_FILE
    if unknown := content["config"].keys() - expected:
        raise UserError(
            f"{path} was made by a newer version, or is damaged: this one does not know "
            f"{', '.join(sorted(unknown))} of {content['predictor']!r}; "
            "update Visual Foresight, or choose another checkpoint"
        )
    if different := expected - content["config"].keys():
        raise UserError(
            f"the configuration in {path} does not fit {content['predictor']!r} "
            f"(missing: {', '.join(sorted(different))}): "
            f"it is damaged or of another version; get the checkpoint again"
        )
    values = {name: _tuples(value) for name, value in content["config"].items()}
    try:
        return build(model, config_class(**values))
    except (TypeError, ValueError, RuntimeError, LookupError, UserError) as error:
        raise UserError(
            f"the configuration in {path} cannot be built ({error}): get the checkpoint again"
        ) from error


def _read_weights(folder: Path, expected: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return a checkpoint's weights: finite, with the names and shapes of `expected`."""
    path = folder / WEIGHTS_FILE
    again = "get the checkpoint again, or train it again"
    try:
        weights = renamed(safetensors.torch.load(path.read_bytes()))
    except FileNotFoundError as error:
        raise UserError(
            f"{folder} is no whole checkpoint: it has no {WEIGHTS_FILE}; {again}"
        ) from error
    except safetensors.SafetensorError as error:
        raise UserError(f"{path} is damaged ({error}): {again}") from error
    found = _shapes(weights)
    wanted = _shapes(expected)
    names = sorted(found.keys() | wanted.keys())
    if different := [name for name in names if found.get(name) != wanted.get(name)]:
        first = different[0]
        raise UserError(
            f"{path} does not fit its {CONFIG_FILE}: for {first}, "
            f"{wanted.get(first, 'nothing')} was expected, got {found.get(first, 'nothing')} "
            f"({len(different)} such weights): {again}"
        )
    if broken := _not_finite(weights):
        raise UserError(
            f"{path} holds weights that are not finite ({', '.join(broken[:3])}): {again}"
        )
    return weights


def _shapes(weights: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(value.shape) for name, value in weights.items()}


def _not_finite(weights: Mapping[str, Tensor]) -> list[str]:
    """Return the names of the weights with a value that is not finite."""
    return [name for name, value in weights.items() if not bool(torch.isfinite(value).all())]


def _tuples(value: Any) -> Any:
    """Return JSON's lists as the tuples that they were."""
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value
