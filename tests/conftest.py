"""What all tests share: one thread each, so that two workers do not fight over two cores."""

import torch

torch.set_num_threads(1)
