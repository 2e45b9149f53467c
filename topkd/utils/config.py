"""One ``data_root`` for a whole config, also where it is set from the command line.

A text config is evaluated before ``--cfg-options`` are merged, so a new top-level ``data_root`` does not reach the
loaders that were written with the old one. Data sets of this package's configs therefore say ``data_root=None``, which
is filled from the top level here; data sets inherited from mmdet or from a dumped config follow when they hold the old
value.

MMEngine evaluates a config before its options are merged, and has no notion of a root that all data sets share.
"""

import copy
import os
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config, ConfigDict
from mmengine.hub import get_config

from topkd.compat.hosts import is_installed
from topkd.utils.error_context import entries
from topkd.utils.options import check_options


def merge_cfg_options(cfg: Config, options: dict | None) -> Config:
    """Merge ``--cfg-options`` into a config, in place, so that ``data_root`` reaches every data loader and evaluator.

    An option that names a single data set's folder, such as ``train_dataloader.dataset.data_root``, wins over it.

    Args:
        cfg (Config): The config as it was read from its file.
        options (dict, optional): Keys with dots and their values, or None.

    Returns:
        Config: The same ``cfg``.

    Raises:
        ValueError: If nothing reads an entry of that name, see :func:`topkd.utils.options.check_options`, or the
            ``data_root`` is no folder's name.
    """
    options = dict(options or {})
    check_options(cfg, options)
    previous = cfg.get('data_root')
    if 'data_root' in options:
        cfg.data_root = options.pop('data_root')
        if not isinstance(cfg.data_root, (str, int)) or not str(cfg.data_root).strip():
            raise ValueError(f"the option 'data_root' must be the name of a folder, got {cfg.data_root!r}: correct it")
        if not _holds_roots(cfg, previous):
            raise ValueError(
                f"the option 'data_root' has no effect, as no data set of this config reads files below it, got "
                f"'{cfg.data_root}': leave it out"
            )
    apply_data_root(cfg, previous)
    cfg.merge_from_dict(options)
    return cfg


def apply_data_root(cfg: Config, previous: str | None = None) -> Config:
    """Set the folder of every data set of a config to the top-level ``data_root``, in place.

    Touched are, below each top-level ``*_dataloader`` and ``*_evaluator``, a ``data_root`` that is None and every path
    at or below ``previous``; any other value is a data set's own choice and stays.

    Args:
        cfg (Config): A config; without a top-level ``data_root`` it is left as it is.
        previous (str, optional): The value that the top-level ``data_root`` had when the config's file was evaluated.

    Returns:
        Config: The same ``cfg``.
    """
    root = cfg.get('data_root')
    if root is not None:
        for key in cfg:
            if key.endswith(('_dataloader', '_evaluator')):
                _move(cfg[key], previous, str(root))
    return cfg


def read_config(path: str) -> Config:
    """Read a config file, or one that an installed package ships.

    MMEngine marks what a config inherits from ``topkd::...`` with the scope topkd, in which names of mmpretrain and
    mmdet are not found. In this package's configs only its own components carry a scope, ``topkd.Distiller``, and all
    other names belong to ``default_scope``: the mark is taken away.

    Modules of ``custom_imports`` are also found beside the file and in the current folder, after those that are
    installed.

    Args:
        path (str): A file, or ``package::file`` such as ``mmpretrain::resnet/resnet18_8xb16_cifar10.py``.

    Returns:
        Config: Its content.

    Raises:
        FileNotFoundError: If there is no such file or package.
        ValueError: If it cannot be evaluated; the message names file and line.
    """
    package = path.partition('::')[0] if '::' in path else None
    # MMEngine would try to install a package that it does not find
    if package is not None and (not package.isidentifier() or not is_installed(package)):
        raise FileNotFoundError(f"config '{path}' names the package '{package}', which is not installed: install it")
    if package is None and not os.path.isfile(path):
        raise FileNotFoundError(f"config '{path}' does not exist: name a file of configs/")
    if package is None and Path(path).suffix not in ('.py', '.json', '.yaml', '.yml'):
        raise ValueError(f"config '{path}' must be a .py, .json or .yaml file: name a file of configs/")
    if package is None:
        _check_bases(path)
    beside = [] if package is not None else [os.path.dirname(os.path.abspath(path))]
    sys.path += [folder for folder in dict.fromkeys([*beside, os.getcwd()]) if folder not in sys.path]
    try:
        return _unmarked(get_config(path) if package is not None else Config.fromfile(path))
    except (Exception, SystemExit, GeneratorExit) as error:
        # a config is a program: it can fail in any way
        raise ValueError(_unreadable(path, error)) from error


def _check_bases(path: str, above: tuple[str, ...] = ()) -> None:
    """Refuse what a config inherits from if that is no config, or the config itself.

    MMEngine would read a circle until Python's stack is full, which takes a while.

    Args:
        path (str): The config.
        above (tuple[str, ...]): Configs that inherit from it, by their real paths.

    Raises:
        ValueError: Naming the config whose ``_base_`` is wrong.
    """
    file = os.path.realpath(path)
    try:
        bases = Config._get_base_files(file)
    except Exception:  # an error in the file, which is told when it is read
        return
    for base in bases:
        if not isinstance(base, str) or not base:
            raise ValueError(f"config '{path}' must name in _base_ one config or a list of them, got {base!r}")
        # a base with '::' is another package's, which knows nothing of this one; '{{' is a variable, filled in later
        if '::' not in base and '{{' not in base:
            _check_bases(_inherited(path, base, (*above, file)), (*above, file))


def _inherited(path: str, base: str, above: tuple[str, ...]) -> str:
    """Return the real path of a config's base, which must be a file and none of those that inherit from it."""
    inherited = os.path.realpath(os.path.join(os.path.dirname(os.path.realpath(path)), base))
    if not os.path.isfile(inherited):
        raise ValueError(f"config '{path}' inherits from '{base}', which is no file: correct its _base_")
    if inherited in above:
        raise ValueError(f"config '{path}' inherits from itself, by way of '{base}': correct its _base_")
    return inherited


def _unreadable(path: str, error: BaseException) -> str:
    """Say in which line of which file a config fails: its own, or one that it inherits from."""
    steps = list(traceback.walk_tb(error.__traceback__))
    files = [str(frame.f_locals['filename']) for frame, _ in steps if frame.f_code is Config._file2dict.__code__]
    file = files[-1] if files else path
    lines = [line for frame, line in steps if frame.f_code.co_filename == file]
    if isinstance(error, SyntaxError):
        what, line = f'{error.msg}{f": {error.text.strip()}" if error.text else ""}', error.lineno
    else:
        what, line = (
            ': '.join(filter(None, [type(error).__name__, ' '.join(str(error).split())])),
            lines[-1] if lines else None,
        )
    place = f"'{file}'" if os.path.abspath(file) == os.path.abspath(path) else f"'{file}', of which '{path}' inherits,"
    return f'config {place} fails{"" if line is None else f" in line {line}"} ({what}): correct that file'


def _unmarked(cfg: Config) -> Config:
    """Take away the scope topkd from all dicts of a config, in place."""
    _unmark(cfg._cfg_dict)
    return cfg


def _unmark(node: Any) -> None:
    if isinstance(node, dict) and node.get('_scope_') == 'topkd':
        del node['_scope_']
    if isinstance(node, (dict, list, tuple)):
        for child in node.values() if isinstance(node, dict) else node:
            _unmark(child)


class FormattedOnce(Config):
    r"""A config whose text is formatted once, not at every checkpoint, whose meta holds it.

    Formatting takes seconds for a cohort of many members.

    Args:
        cfg (Config): Its entries, which are shared.

    Examples:
        >>> cfg = FormattedOnce(Config(dict(a=1)))
        >>> cfg.a, cfg.pretty_text is cfg.pretty_text
        (1, True)
    """

    def __init__(self, cfg: Config) -> None:
        super().__init__(cfg._cfg_dict, cfg_text=cfg.text, filename=cfg.filename, env_variables=cfg.env_variables)
        if '_imported_names' in vars(cfg):  # by read_base(): what is imported is no entry
            self.__dict__['_imported_names'] = cfg._imported_names

    @property
    def pretty_text(self) -> str:
        """str: The config as Python, formatted anew only if an entry was changed."""
        content = repr(self._cfg_dict)
        if self.__dict__.get('_formatted', ('', ''))[0] != content:
            self.__dict__['_formatted'] = (content, super().pretty_text)
        return self.__dict__['_formatted'][1]


def with_preprocessor(model: dict, cfg: Config) -> dict:
    """Return a model's config with the preprocessor that MMEngine's runner would give it.

    Args:
        model (dict): Config of the model, or of a student inside it.
        cfg (Config): The whole config; its top-level ``data_preprocessor`` serves a model that has none of its own.

    Returns:
        dict: A shallow copy of ``model``.
    """
    model = dict(model)
    if cfg.get('data_preprocessor') is not None:
        model.setdefault('data_preprocessor', cfg.data_preprocessor)
    return model


def without_weights(model: Mapping[str, Any]) -> ConfigDict:
    """Return the config of a network that fetches and reads no weights.

    Args:
        model (Mapping): Config of a network.

    Example:
        >>> without_weights(dict(type='A', pretrained=True, backbone=dict(init_cfg=dict(checkpoint='b.pth'))))
        {'type': 'A', 'pretrained': False, 'backbone': {'init_cfg': None}}
    """
    model = ConfigDict(copy.deepcopy(dict(model)))
    for _, node in list(entries(model)):
        if isinstance(node, dict):
            init = node.get('init_cfg')
            if isinstance(init, dict) and 'checkpoint' in init:
                node['init_cfg'] = None
            if node.get('pretrained'):
                node['pretrained'] = False if node['pretrained'] is True else None
            if isinstance(node.get('weights'), str):
                node['weights'] = None
    return model


def _move(node: Any, previous: str | None, root: str) -> None:
    """Replace, in nested dicts and lists, missing data roots by ``root`` and paths inside ``previous`` likewise."""
    if not isinstance(node, (dict, list)):
        return
    for key, value in list(node.items() if isinstance(node, dict) else enumerate(node)):
        if key == 'data_root' and value is None:
            node[key] = root
        elif previous and isinstance(value, str) and _is_inside(value, previous):
            node[key] = os.path.join(root, value[len(previous) :].lstrip('/')) if value != previous else root
        else:
            _move(value, previous, root)


def _is_inside(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip('/') + '/')


def _holds_roots(cfg: Config, previous: str | None) -> bool:
    """Tell whether a data set or an evaluator of a config follows the top-level data root."""
    readers = [cfg[key] for key in cfg if key.endswith(('_dataloader', '_evaluator'))]
    nodes = [node for reader in readers for _, node in entries(reader)]
    values = [item for node in nodes for item in (node.items() if isinstance(node, dict) else enumerate(node))]
    return any(
        (key == 'data_root' and value is None)
        or (bool(previous) and isinstance(value, str) and _is_inside(value, str(previous)))
        for key, value in values
    )
