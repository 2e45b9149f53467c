"""The config that the command line names."""

import argparse
import os
import os.path as osp

from mmengine.config import Config

from topkd.utils.config import merge_cfg_options, read_config


def load_config(args: argparse.Namespace) -> Config:
    """Read the config that the arguments name and apply their overrides.

    Raises:
        FileNotFoundError: If the file does not exist.
        TypeError: If its work directory or its default scope is no name.
    """
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    cfg = read_config(args.config)
    merge_cfg_options(cfg, args.cfg_options)
    cfg.launcher = args.launcher
    if args.work_dir is not None:
        cfg.work_dir = args.work_dir
    elif cfg.get('work_dir') is None:
        cfg.work_dir = osp.join('work_dirs', osp.splitext(osp.basename(args.config))[0])
    if not isinstance(cfg.work_dir, str) or not cfg.work_dir.strip():
        raise TypeError(f'work_dir must be the name of a folder, got {cfg.work_dir!r}: correct it in the config')
    if not isinstance(cfg.get('default_scope'), (str, type(None))):
        raise TypeError(
            f'default_scope must be the name of a package, got {cfg.default_scope!r}: correct it in the config'
        )
    return cfg
