"""Which goals a controller can plan for, checked before it plans."""

from visual_foresight.types import Goal, ImageGoal, PixelGoal, UserError


def require_pixel_goal(goal: Goal, frame_size: tuple[int, int]) -> PixelGoal:
    """Return the goal, which must be one of pixels inside the frame.

    Raises:
        UserError: it is not.
    """
    if not isinstance(goal, PixelGoal):
        raise UserError(
            f"This controller needs a PixelGoal, but got {type(goal).__name__}: "
            f"give designated pixels and goal pixels instead."
        )
    goal.check_inside(frame_size)
    return goal


def require_image_size(goal: ImageGoal, frame_size: tuple[int, int]) -> None:
    """Check that a goal image is as large as the frames.

    Raises:
        UserError: it is not.
    """
    height, width = goal.frame.shape[:2]
    if (height, width) != frame_size:
        raise UserError(
            f"The goal image has {height} rows and {width} columns, the camera's frames have "
            f"{frame_size[0]} and {frame_size[1]}: give an image of that size."
        )
