"""The table of the comparison: how well two models, and `still`, do from one step on.

The markup is made of numbers and of escaped names.
"""

import html
from collections.abc import Sequence

from visual_foresight.control.config import PERSISTENCE
from visual_foresight.gui.session.questions.compare import Comparison
from visual_foresight.gui.session.questions.scores import Scores

UNKNOWN = "–"
"""Stands where nobody can say a score."""


def score_table(comparison: Comparison, step: int, ahead: int) -> str:
    """Return the scores from a step of the run on as an HTML table, a row per step ahead.

    Args:
        comparison: of two models.
        step: at which the plans begin.
        ahead: the row that is shown in the frames; it is marked. 0 for none.
    """
    scores = comparison.scores_at(step)
    if scores is None:
        return ""
    names = [model.name for model in comparison.models] + [PERSISTENCE]
    groups = {f"to the goal ({comparison.unit})": "distance"}
    if comparison.is_of_run:
        groups |= {"pixel error (px)": "pixel_px", "frame error": "image"}
    kept = {title: field for title, field in groups.items() if _is_known(scores, field)}
    if not kept:
        return ""
    heads = "".join(
        f'<th colspan="{len(names)}" scope="colgroup">{html.escape(title)}</th>'
        for title in kept
    )
    columns = "".join(f'<th scope="col">{html.escape(_short(name))}</th>' for name in names)
    num_rows = max(len(getattr(scores[0], field)) for field in kept.values())
    rows = "".join(
        _row(scores, list(kept.values()), index, is_shown=index == ahead - 1)
        for index in range(num_rows)
    )
    return (
        "<table><thead>"
        f'<tr><th rowspan="2" scope="col">ahead</th>{heads}</tr>'
        f"<tr>{columns * len(kept)}</tr>"
        f"</thead><tbody>{rows}</tbody></table>"
    )


def _is_known(scores: Sequence[Scores], field: str) -> bool:
    return any(getattr(each, field) for each in scores)


def _row(scores: Sequence[Scores], fields: list[str], index: int, is_shown: bool) -> str:
    cells = "".join(
        _cells([getattr(each, field) for each in scores], index) for field in fields
    )
    mark = ' class="shown" aria-current="true"' if is_shown else ""
    return f'<tr{mark}><th scope="row">{index + 1}</th>{cells}</tr>'


def _cells(series: Sequence[Sequence[float]], index: int) -> str:
    """Return the cells of one kind of score; the better one of the two models is marked."""
    values = [each[index] if index < len(each) else None for each in series]
    first, second = values[:2]
    better = None
    if first is not None and second is not None and first != second:
        better = int(second < first)
    return "".join(_cell(value, number == better) for number, value in enumerate(values))


def _cell(value: float | None, is_better: bool) -> str:
    if value is None:
        return f"<td>{UNKNOWN}</td>"
    text = f"{value:.3f}" if value < 1 else f"{value:.1f}"
    return f"<td><b>{text}</b></td>" if is_better else f"<td>{text}</td>"


def _short(name: str) -> str:
    """Return the end of a long name: of a checkpoint's folder that tells most."""
    return name if len(name) <= 14 else f"…{name[-13:]}"
