"""Seeds derived from what a random number is for, not from what was drawn before.

Seeds are numpy's SeedSequence; torch, numpy and Python are set from one of them here.
"""

import random

import numpy as np
import torch


def seed_everything(*entropy: int) -> None:
    """Seed Python, NumPy and PyTorch from a tuple of integers."""
    state = np.random.SeedSequence(entropy).generate_state(3)
    random.seed(int(state[0]))
    np.random.seed(int(state[1]))
    torch.manual_seed(int(state[2]))
