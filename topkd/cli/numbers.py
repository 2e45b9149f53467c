"""Numbers on the command line."""

import argparse

MOST_RUNS = 1000  # every one is listed


def count(word: str) -> int:
    """Read a number of things, 1 or more, from the command line."""
    if not word.isdecimal() or int(word) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1, got '{word}'")
    return int(word)


def repetitions(word: str) -> int:
    """Read a number of runs of one training, from 1 to 1000, from the command line."""
    number = count(word)
    if number > MOST_RUNS:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1 to {MOST_RUNS}, got '{word}'")
    return number


def seed(word: str) -> int:
    """Read a seed of random numbers, as NumPy takes them, from the command line."""
    if not word.isdecimal() or int(word) >= 2**32:
        raise argparse.ArgumentTypeError(f"expected a whole number from 0 to {2**32 - 1}, got '{word}'")
    return int(word)


def share(word: str) -> float:
    """Read a share, above 0 and below 1, from the command line."""
    try:
        number = float(word)
    except ValueError:
        number = 0.0
    if not 0 < number < 1:
        raise argparse.ArgumentTypeError(f"expected a number above 0 and below 1, got '{word}'")
    return number
