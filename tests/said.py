"""What a tool said, without the warnings of libraries that it imported."""

import re


def without_warnings(text: str) -> str:
    """Leave out warnings and the line of source below each."""
    return re.sub(r'^\S+:\d+: \w*Warning: .*\n(?:  .*\n)?', '', text, flags=re.MULTILINE)
