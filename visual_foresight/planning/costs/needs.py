"""What costs read of a prediction, and whether it is there."""

from visual_foresight.types import Prediction, UserError


def require(needs: frozenset[str], prediction: Prediction) -> Prediction:
    """Return a prediction that has what a cost needs (see `interfaces.Cost.needs`).

    Raises:
        UserError: it lacks something.
    """
    lacking = sorted(needs - prediction.gives)
    if lacking:
        raise UserError(
            f"the cost needs {' and '.join(lacking)}, which this predictor does not imagine: "
            "choose another cost, or another predictor"
        )
    return prediction
