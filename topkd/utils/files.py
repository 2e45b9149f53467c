"""Files that are whole or absent: a kill or a full disk leaves the old file as it was."""

import json
import os
from pathlib import Path


def write_json(content: dict, path: str | Path) -> None:
    """Write JSON so that a reader sees the old file or the new one, never half of it."""
    partial = Path(f'{path}.partial')
    partial.write_text(json.dumps(content, indent=2) + '\n')
    os.replace(partial, path)
