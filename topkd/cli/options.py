"""``--cfg-options``: KEY=VALUE on the command line."""

from typing import Any

from mmengine.config import DictAction


class Options(DictAction):
    """Read KEY=VALUE words into a dict, as MMEngine does, and refuse what cannot be read."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: str | None = None) -> None:
        """Add the words to the options read before."""
        for word in values or ():
            key, equals, value = word.partition('=')
            if not equals or not key or any(not part for part in key.split('.')):
                parser.error(f"argument {option_string}: expected KEY=VALUE with names between dots, got '{word}'")
            if any(value.count(pair[0]) != value.count(pair[1]) for pair in ('()', '[]')):
                parser.error(f"argument {option_string}: a bracket in '{word}' is not closed")
        super().__call__(parser, namespace, values, option_string)
