"""Freed memory stays with the process, unless the user's environment says otherwise."""

import os
import platform
import subprocess
import sys

import pytest

from topkd.utils.allocator import VARIABLES

PROGRAM = """
import ctypes
from topkd.utils.allocator import keep_freed_memory

def resident():
    return int(open('/proc/self/statm').read().split()[1]) * 4096 / 2**20

libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_size_t], [ctypes.c_void_p]
kept = keep_freed_memory()
blocks = [libc.malloc(4 * 2**20) for _ in range(50)]
for block in blocks:
    ctypes.memset(block, 1, 4 * 2**20)
for block in blocks:
    libc.free(block)
print(kept, resident())
"""


def run(**variables: str) -> tuple[bool, float]:
    """Return what the function says, and MiB that are resident after 200 have been used and freed."""
    clean = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    done = subprocess.run(
        [sys.executable, '-c', PROGRAM], env=dict(clean, **variables), capture_output=True, text=True, check=True
    )
    kept, resident = done.stdout.split()
    return kept == 'True', float(resident)


@pytest.mark.skipif(platform.libc_ver()[0] != 'glibc', reason='another C library')
def test_freed_memory_is_kept():
    kept, resident = run()
    left, less = run(MALLOC_TRIM_THRESHOLD_='131072')
    assert kept and resident > 200
    assert not left and less < resident - 150


def test_another_c_library_is_left_alone(monkeypatch):
    from topkd.utils.allocator import keep_freed_memory

    monkeypatch.setattr(platform, 'libc_ver', lambda: ('', ''))
    assert not keep_freed_memory()
