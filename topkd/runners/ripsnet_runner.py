"""Train RipsNet on a finished artifact with both operators and keep the better one."""

import json
import logging
import math
import os.path as osp
import time
import zipfile
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.dist import barrier, is_main_process
from mmengine.logging import print_log
from mmengine.runner import Runner

from topkd.artifacts.artifact import AT_WORK, RipsNetArtifact, check_request
from topkd.artifacts.settings import RIPSNET
from topkd.datasets.clouds import CloudImages, mean_image_error
from topkd.launch import wrapper_without_gpu
from topkd.models.losses.topology_configs import topology_artifact
from topkd.models.vectorizers.ripsnet_regressor import RipsNetRegressor
from topkd.registry import RUNNERS
from topkd.utils.checkpoint import load_file, save_file
from topkd.utils.files import read_json, remove_partials, write_json
from topkd.utils.lock import working_in

RESUME, STARTED = 'resume.pth', 'started.json'


@RUNNERS.register_module()
class RipsNetRunner:
    """Train a RipsNet for each operator by a stock MMEngine runner, and write the better one to ``ripsnet.pth``.

    A killed training goes on after its last validation and ends as if it had not been killed; an operator that is
    finished is not trained again.

    Args:
        artifact (RipsNetArtifact): Made by ``tools/gen_pi.py``, with what the config asks of its clouds.
        settings (dict): Departures from the paper's training, keys as in :data:`topkd.artifacts.settings.RIPSNET`.
        launcher (str): MMEngine's launcher. Defaults to 'none'.
        log_level (str): MMEngine's log level. Defaults to 'INFO'.

    Raises:
        KeyError: If a setting is unknown.
        TypeError: If a setting is of another type.
        ValueError: If a setting is out of range, or the artifact is of another config.
    """

    def __init__(
        self, artifact: RipsNetArtifact, settings: dict, launcher: str = 'none', log_level: str = 'INFO'
    ) -> None:
        self.settings = RIPSNET.complete(settings)
        self.artifact = artifact
        self.folder = str(artifact.folder)
        self.launcher = launcher
        self.log_level = log_level
        self.manifest = artifact.read_whole_manifest()

    @classmethod
    def from_cfg(cls, cfg: Config, loss: str = 'topology') -> 'RipsNetRunner':
        """Build the runner from a distillation config.

        Args:
            cfg (Config): A config with ``model.losses[loss]`` and, optionally, ``ripsnet``.
            loss (str): Name of the topology loss. Defaults to 'topology'.
        """
        artifact = topology_artifact(cfg, loss)
        settings = dict(cfg.get('ripsnet') or {}), cfg.get('launcher', 'none'), cfg.get('log_level', 'INFO')
        if not artifact.folder.is_dir():
            return cls(artifact, *settings)
        with working_in(artifact.folder, AT_WORK, wait=True):
            return cls(artifact, *settings)

    def run(self) -> str:
        """Train what is not trained yet.

        Returns:
            str: Path of ``ripsnet.pth``.
        """
        if not all(self._result(operator) for operator in self.settings['operators']):
            self.artifact.check_arrays(self.manifest)
        results = {operator: self.train_operator(operator) for operator in self.settings['operators']}
        best = min(results, key=lambda operator: results[operator]['mse'])
        self._compare_with_mean_image(results[best]['mse'])
        path = str(self.artifact.ripsnet)
        with working_in(self.folder, AT_WORK, wait=True):
            if is_main_process():
                remove_partials(self.folder)  # of killed processes: whoever writes here holds the lock
                self._save(best, results)
        barrier()
        figures = ', '.join(f'{name} {result["mse"]:.6f} (epoch {result["epoch"]})' for name, result in results.items())
        print_log(f"RipsNet: validation MSE {figures}; kept '{best}' in {path}", 'current')
        return path

    def _save(self, best: str, results: dict[str, dict[str, Any]]) -> None:
        network = RipsNetRegressor(**self.model_config(best))
        network.load_state_dict(load_file(osp.join(self.folder, best, results[best]['checkpoint']))['state_dict'])
        source = dict(self.manifest['request'], mse={name: result['mse'] for name, result in results.items()})
        save_file(network.ripsnet.to_file(self.manifest['spec'], source), str(self.artifact.ripsnet))

    def _compare_with_mean_image(self, mse: float) -> None:
        """Warn if the better network is no better than an image that does not look at the cloud."""
        split = dict(folder=self.folder, val_share=self.settings['val_share'], seed=self.settings['seed'])
        trivial = mean_image_error(*(CloudImages(split=part, **split) for part in ('train', 'val')))
        print_log(f'RipsNet: the mean training image has validation MSE {trivial:.6f}', 'current')
        if mse >= trivial:
            print_log(
                f'RipsNet learned nothing: its validation MSE {mse:.6f} is not below that of the mean training image, '
                f'{trivial:.6f}; train longer (ripsnet.max_epochs, ripsnet.patience), with another ripsnet.lr, on more '
                'clouds (clouds.num_clouds), or normalize them (cloud.normalization)',
                'current',
                logging.WARNING,
            )

    def train_operator(self, operator: str) -> dict[str, Any]:
        """Train one operator, or read the result of a finished training; waits for another process that trains it.

        Returns:
            dict: mse, epoch and checkpoint (file name) of the best validation.
        """
        with working_in(self.artifact.folder / operator, 'training this RipsNet', wait=True):
            return self._train_operator(operator)

    def _train_operator(self, operator: str) -> dict[str, Any]:
        result = self._result(operator)
        if result:
            check_request(result['settings'], self._compared(), self.artifact.result(operator).parent)
            return result
        self._begin(operator)
        result = self._result_of(self._trained_whole(operator))
        if is_main_process():
            write_json(result, self.artifact.result(operator))
        barrier()
        return result

    def _trained_whole(self, operator: str) -> Runner:
        """Train an operator, again if its best checkpoint was damaged, and return the runner that did."""
        runner = self._trained(operator)
        if runner.message_hub.get_info('best_ckpt') is None:
            self._forget(operator)
            raise FloatingPointError(
                f"the validation MSE of RipsNet ('{operator}') must be finite in some epoch, got nan or inf in all: "
                f'lower ripsnet.lr, which is {self.settings["lr"]}, or normalize the clouds (cloud.normalization)'
            )
        name = osp.basename(runner.message_hub.get_info('best_ckpt'))
        if not zipfile.is_zipfile(osp.join(runner.work_dir, name)):
            print_log(f"'{runner.work_dir}/{name}' is missing or damaged: '{operator}' is trained again", 'current', 30)
            self._forget(operator)
            runner = self._trained(operator)
        return runner

    def _result_of(self, runner: Runner) -> dict[str, Any]:
        name = osp.basename(runner.message_hub.get_info('best_ckpt'))
        return dict(
            mse=float(runner.message_hub.get_info('best_score')),
            epoch=int(name.split('_')[-1][:-4]),
            checkpoint=name,
            settings=self._compared(),
        )

    def _trained(self, operator: str) -> Runner:
        if is_main_process():
            remove_partials(Path(self.folder, operator))
        runner = Runner.from_cfg(Config(self.runner_config(operator), format_python_code=False))  # at every checkpoint
        runner.train()
        return runner

    def _begin(self, operator: str) -> None:
        """Go on with a training of these settings alone; another's is trained again."""
        path, asked = self.artifact.folder / operator / STARTED, self._compared()
        found = self._started(path)
        if found not in ({}, asked):
            print_log(f"RipsNet ('{operator}') is trained again: its settings have changed", 'current', 30)
            self._forget(operator)
        if is_main_process() and found != asked:
            write_json(asked, path)

    @staticmethod
    def _started(path: Path) -> dict[str, Any]:
        """Return the settings that a training was started with; nothing if it was not, or the file is damaged."""
        try:
            return read_json(path)
        except (FileNotFoundError, ValueError):
            return {}

    @staticmethod
    def _begun(path: Path) -> str | None:
        """Return the file that a training goes on from; None if there is none, or it is damaged or of another kind."""
        if not path.is_file():
            return None
        try:
            content = load_file(str(path))
        except ValueError:
            content = {}
        meta = content.get('meta')
        if 'early_stopping' in content and isinstance(meta, dict) and {'epoch', 'iter'} <= meta.keys():
            return str(path)
        print_log(f"'{path}' is no training that can be gone on with: it begins anew", 'current', logging.WARNING)
        return None

    def _forget(self, operator: str) -> None:
        """Let a training start from the beginning."""
        barrier()
        if is_main_process():
            Path(self.folder, operator, RESUME).unlink(missing_ok=True)
        barrier()

    def _compared(self) -> dict[str, Any]:
        """Return the settings that decide what a training ends with, as JSON holds them."""
        kept = {key: self.settings[key] for key in RIPSNET.defaults if key not in ('operators', 'log_interval')}
        return json.loads(json.dumps(kept))

    def _result(self, operator: str) -> dict[str, Any]:
        """Return what a finished training wrote; nothing if there is none, or its files are damaged."""
        path = self.artifact.result(operator)
        if not path.is_file():
            return {}
        try:
            result = read_json(path)
            numbers = isinstance(result['epoch'], int) and math.isfinite(result['mse'])
            whole = numbers and 'settings' in result and zipfile.is_zipfile(path.with_name(result['checkpoint']))
        except (ValueError, KeyError, TypeError):
            whole = False
        return result if whole else {}

    def model_config(self, operator: str) -> dict:
        """Return the arguments of :class:`topkd.models.RipsNetRegressor` for one operator."""
        request = self.manifest['request']
        return dict(
            in_channels=self.manifest['width'],
            operator=operator,
            units=self.settings['units'],
            homology_dims=request['homology_dims'],
            resolution=request['resolution'],
        )

    def runner_config(self, operator: str) -> dict:
        """Return the config of the stock runner that trains one operator."""
        work_dir = osp.join(self.folder, operator)
        resume = self._begun(Path(work_dir, RESUME))
        return dict(
            default_scope='mmengine',
            launcher=self.launcher,
            log_level=self.log_level,
            work_dir=work_dir,
            experiment_name=f'ripsnet_{operator}_{time.time_ns()}',
            model=dict(type='topkd.RipsNetRegressor', **self.model_config(operator)),
            **self._schedule(operator),
            randomness=dict(seed=self.settings['seed']),
            model_wrapper_cfg=None if torch.cuda.is_available() or self.launcher == 'none' else wrapper_without_gpu(),
            resume=resume is not None,
            load_from=resume,
        )

    def _schedule(self, operator: str) -> dict[str, Any]:
        """Return the part of the runner's config that says what is shown, how often, and when it is enough."""
        settings = self.settings
        stop = dict(
            type='topkd.ResumableEarlyStoppingHook',
            monitor='mse',
            rule='less',
            min_delta=settings['min_delta'],
            patience=settings['patience'],
            filename=RESUME,
        )
        return dict(
            train_dataloader=self._loader('train', shuffle=True),
            val_dataloader=self._loader('val', shuffle=False, round_up=False),
            val_evaluator=dict(type='topkd.ImageError'),
            train_cfg=dict(by_epoch=True, max_epochs=settings['max_epochs'], val_interval=1),
            val_cfg=dict(),
            optim_wrapper=dict(optimizer=dict(type='Adamax', lr=settings['lr'])),
            default_hooks=dict(
                logger=dict(type='LoggerHook', interval=settings['log_interval']),
                checkpoint=dict(type='CheckpointHook', interval=-1, save_last=False, save_best='mse', rule='less'),
            ),
            custom_hooks=[stop, dict(type='topkd.ProgressLineHook', name=f'RipsNet ({operator})', monitor='mse')],
        )

    def _loader(self, split: str, **sampler: bool) -> dict[str, Any]:
        """Return the config of a part of the clouds with their images."""
        share = dict(split=split, val_share=self.settings['val_share'], seed=self.settings['seed'])
        return dict(
            dataset=dict(type='topkd.CloudImages', folder=self.folder, **share),
            sampler=dict(type='DefaultSampler', **sampler),
            batch_size=self.settings['batch_size'],
            num_workers=0,
            collate_fn=dict(type='topkd.collate_batch'),
        )
