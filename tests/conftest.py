"""What all tests share: one thread each, and properties that try the same examples every time."""

import torch
from hypothesis import settings

# Two workers must not fight over two cores.
torch.set_num_threads(1)

# A check that failed once fails again: neither chance nor the machine's speed decides.
settings.register_profile("repeatable", derandomize=True, database=None, deadline=None)
settings.load_profile("repeatable")
