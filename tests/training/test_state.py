"""The running average of the weights."""

import pytest
import torch

from visual_foresight.training.state import update_average


@pytest.mark.parametrize(("updates", "most"), [(20, 4), (200, 25), (5000, 200)])
def test_the_average_trails_by_a_share_of_a_short_run(updates: int, most: int) -> None:
    average = torch.zeros(1)
    for step in range(1, updates):
        update_average(0.995, [average], [torch.tensor([float(step)])], torch.tensor(step))
    assert 0 < updates - average.item() <= most
