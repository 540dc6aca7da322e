"""Worlds that a process keeps: the same one again, and none is left open."""

from visual_foresight.envs.dot import DotEnv
from visual_foresight.evaluation.kept import kept


class Counted(DotEnv):
    """A dot that remembers whether it was closed."""

    num_closed = 0

    def close(self) -> None:
        self.num_closed += 1


def test_what_makes_room_is_closed() -> None:
    @kept(2)
    def make(name: str) -> tuple[Counted]:
        return (Counted(),)

    (first,) = make("a")
    (second,) = make("b")
    assert make("a") == (first,)
    (third,) = make("c")
    assert (first.num_closed, second.num_closed, third.num_closed) == (0, 1, 0)
    assert make("a") == (first,) and make("b") != (second,)
    assert (first.num_closed, third.num_closed) == (0, 1)
