"""What the tools share: arguments as users of MMEngine know them, configs, and errors in one sentence."""

from topkd.cli.analysis import analysis_folder, analysis_parser, origin
from topkd.cli.config import load_config
from topkd.cli.numbers import count, repetitions, seed, share
from topkd.cli.options import Options
from topkd.cli.parsers import Parser, parser
from topkd.cli.paths import config_path, keep_inputs, named_paths, path
from topkd.cli.running import tool

__all__ = [
    'Options',
    'Parser',
    'analysis_folder',
    'analysis_parser',
    'config_path',
    'count',
    'keep_inputs',
    'load_config',
    'named_paths',
    'origin',
    'parser',
    'path',
    'repetitions',
    'seed',
    'share',
    'tool',
]
