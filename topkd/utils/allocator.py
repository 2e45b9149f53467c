"""How the C library keeps the memory that a training frees."""

import ctypes
import os
import platform

# names and numbers of glibc's malloc.h
M_TRIM_THRESHOLD = -1
M_MMAP_THRESHOLD = -3
LARGEST_MMAP_THRESHOLD = 32 * 2**20  # glibc refuses more
NEVER = -1
VARIABLES = ('MALLOC_TRIM_THRESHOLD_', 'MALLOC_MMAP_THRESHOLD_', 'MALLOC_TOP_PAD_', 'GLIBC_TUNABLES')


def keep_freed_memory() -> bool:
    """Let this process keep what it frees, instead of handing it back to the system and asking for it again.

    A training step on a CPU frees all its activations with the backward pass. glibc then gives their pages back, and
    the next step, or a cohort's next member, faults them in again one by one. Blocks above 32 MiB, which glibc maps one
    by one, are still given back.

    Returns:
        bool: False if nothing was changed, because the C library is another one, or because the user's environment
            says how memory is kept.
    """
    if platform.libc_ver()[0] != 'glibc' or any(name in os.environ for name in VARIABLES):
        return False
    mallopt = ctypes.CDLL(None).mallopt
    # the first must be set too: once the second is, glibc no longer adapts it to what is freed
    return bool(mallopt(M_MMAP_THRESHOLD, LARGEST_MMAP_THRESHOLD) and mallopt(M_TRIM_THRESHOLD, NEVER))
