"""Imports topkd before any test file of this folder imports ``mmcv.ops``, which needs it."""

import topkd  # noqa: F401
