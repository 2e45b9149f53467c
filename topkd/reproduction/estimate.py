"""How long a plan would take on this machine, from a few timed steps of each kind of run."""

import time
from collections.abc import Callable, Iterable
from statistics import median
from typing import Any

import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.model import BaseModel
from mmengine.optim import OptimWrapper, build_optim_wrapper
from mmengine.registry import MODELS, init_default_scope
from mmengine.runner import Runner
from torch.nn import functional as F

from topkd.analysis.cloud_size import cloud_size
from topkd.artifacts.settings import CLOUDS, RIPSNET
from topkd.hooks.memory_format_hook import FORMATS, faster_format
from topkd.models.losses.distillation_loss import prepare_losses
from topkd.models.losses.topology_configs import build_unloaded, topology_configs, unloaded_loss
from topkd.models.taps.tap import as_list
from topkd.models.teacher import Teacher
from topkd.models.vectorizers import RipsNet
from topkd.reproduction.config_differences import decisive
from topkd.reproduction.jobs import Job
from topkd.reproduction.plan import Plan
from topkd.utils.allocator import keep_freed_memory
from topkd.utils.config import with_preprocessor

STEPS = 3
LONG = 10.0  # seconds
# validations of the authors' ResNet56 run until their early stopping
EPOCHS_OF_RIPSNET = 513


def estimate(plan: Plan, threads: int | None = None) -> tuple[dict[str, float], list[str]]:
    """Estimate the seconds of every missing job, in this process.

    A cohort is timed as it trains: one forward of the teacher and all members.

    Of trainings only the training steps are counted, and the topology term only where it needs no file: with a RipsNet
    it is a small part of a step. RipsNet is taken to stop after as many epochs as the authors' did.

    Args:
        plan (Plan): The jobs.
        threads (int, optional): Of a job. None: as many as this process has.

    Returns:
        tuple: Seconds by job; and one sentence for each reason why jobs have no estimate.
    """
    seconds: dict[str, float] = {}
    reasons: dict[str, list[str]] = {}
    known: dict[tuple[str, str, int, str], float] = {}
    if threads is not None:
        torch.set_num_threads(threads)
    for job in plan.missing():
        if job.tool not in MEASURES:
            reasons.setdefault('an analysis of trained students', []).append(job.name)
            continue
        kind, measure = MEASURES[job.tool]
        try:
            key = (kind, job.loss, len(job.operators), _relevant(job.config))
            if key not in known:
                known[key] = measure(job)
            seconds[job.name] = known[key]
        except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:  # the last: out of memory, for one
            reasons.setdefault((str(error) or type(error).__name__).splitlines()[0], []).append(job.name)
    if torch.cuda.is_available():
        torch.cuda.empty_cache()  # the runs will want it
    return seconds, [f'no estimate for {", ".join(names)}: {reason}' for reason, names in reasons.items()]


def training_seconds(job: Job) -> float:
    """Time a few steps of a training and multiply."""
    model, cfg = _without_files(job.config)
    loader = Runner.build_dataloader(cfg.train_dataloader, seed=0)
    prepare_losses(model, loader.dataset)
    wrapper = as_trained(model, cfg)
    step = _median(lambda batch: model.train_step(batch, wrapper), loader)
    return step * len(loader) * cfg.train_cfg.max_epochs


def as_trained(model: BaseModel, cfg: Config) -> OptimWrapper:
    """Prepare a model as a training does, so that its steps take as long.

    Args:
        model (BaseModel): On its device.
        cfg (Config): Of the training.

    Returns:
        OptimWrapper: Over the parameters of the model.
    """
    wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    keep_freed_memory()
    model.train().to(memory_format=FORMATS[faster_format(model, wrapper)])
    return wrapper


def cloud_seconds(job: Job) -> float:
    """Time the teacher on a few batches and multiply by the number of clouds."""
    cfg = _random(job.config)
    teacher = Teacher(**cfg.model.teacher).to(get_device())
    loss = unloaded_loss(cfg, job.loss)
    taps = as_list(teacher.resolve(loss.teacher_tap))
    student = MODELS.build(with_preprocessor(cfg.model.student, cfg)).to(get_device())
    loader = Runner.build_dataloader(cfg.train_dataloader, seed=0)

    def forward(batch: dict) -> None:
        data = student.data_preprocessor(batch, True)
        teacher.features(data['inputs'], taps, student.data_preprocessor, data['data_samples'])

    batch_size = cfg.train_dataloader.batch_size
    return (
        _median(forward, loader)
        / batch_size
        * loss.cloud.images(batch_size)
        * CLOUDS.filled(cfg.get('clouds'))['num_clouds']
    )


def ripsnet_seconds(job: Job) -> float:
    """Time a few steps of RipsNet's training and multiply by the epochs that the authors' took, for each operator."""
    if not job.operators:
        return 0.0  # other jobs train them
    cfg = job.config
    settings = RIPSNET.complete(cfg.get('ripsnet'))
    num_points, width = cloud_size(cfg, job.loss)
    network = RipsNet(width).to(get_device())
    points = torch.randn(settings['batch_size'], num_points, width, device=get_device())
    images = torch.rand(len(points), 400, device=get_device())
    optimizer = torch.optim.Adamax(network.parameters(), lr=settings['lr'])

    def step(_: object) -> None:
        optimizer.zero_grad()
        F.mse_loss(network(points), images).backward()
        optimizer.step()

    clouds = CLOUDS.filled(cfg.get('clouds'))['num_clouds']
    steps = clouds * (1 - settings['val_share']) / settings['batch_size']
    epochs = min(settings['max_epochs'], EPOCHS_OF_RIPSNET)
    return _median(step, range(10)) * steps * epochs * len(job.operators)


MEASURES: dict[str, tuple[str, Callable[[Job], float]]] = {
    'train.py': ('train', training_seconds),
    'gen_pi.py': ('clouds', cloud_seconds),
    'train_ripsnet.py': ('ripsnet', ripsnet_seconds),
}


def _without_files(cfg: Config) -> tuple[BaseModel, Config]:
    """Build a run's model with a random teacher and without a RipsNet: their files may not exist yet."""
    cfg = _random(cfg)
    members = cfg.model.get('members')
    for model in [cfg.model] if members is None else members.values():
        for name, config in topology_configs(model).items():
            network = build_unloaded(config).network
            if network is not None and network.needs_artifact:
                del model.losses[name]
    model = MODELS.build(with_preprocessor(cfg.model, cfg))
    return model.to(get_device()), cfg


def _random(cfg: Config) -> Config:
    """Copy a config so that its networks start from random weights, without a file or a download, and set its scope."""
    content = cfg.to_dict()
    cfg = Config(_without_files_of(content.get('model', {}).get('teacher', {}).get('checkpoint'), content))
    init_default_scope(cfg.get('default_scope', 'mmpretrain'))
    if 'teacher' in cfg.model:
        if cfg.model.teacher.get('config') is not None:
            cfg.model.teacher.cfg_options = dict(
                cfg.model.teacher.get('cfg_options') or {}, **{'model.backbone.init_cfg': None}
            )
    return cfg


def _without_files_of(teacher: str | None, node: Any) -> Any:
    """Copy nested entries without pretrained weights and without the teacher's file, which a student may read too."""
    if isinstance(node, dict):
        pretrained = isinstance(node.get('init_cfg'), dict) and node['init_cfg'].get('type') == 'Pretrained'
        return {
            key: None
            if (key == 'init_cfg' and pretrained) or (key == 'checkpoint' and value == teacher)
            else _without_files_of(teacher, value)
            for key, value in node.items()
        }
    if isinstance(node, (list, tuple)):
        return type(node)(_without_files_of(teacher, value) for value in node)
    return node


def _median(function: Callable[[Any], object], batches: Iterable[Any]) -> float:
    """Time a function on a first few batches, after one to warm up; where that one takes long, it has to do."""
    times: list[float] = []
    for _, batch in zip(range(STEPS + 1), batches):
        begin = time.perf_counter()
        function(batch)
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        times.append(time.perf_counter() - begin)
        if times[0] > LONG:
            break
    return median(times[1:] or times)


def _relevant(cfg: Config) -> str:
    """Return what decides a run's speed as a text: everything but seeds, folders and files."""
    return repr({path: value for path, value in decisive(cfg).items() if not path.startswith('randomness.')})


def readable(seconds: float | None) -> str:
    """Write a duration as a reader would say it."""
    if seconds is None:
        return '?'
    for unit, size in (('days', 86400), ('h', 3600), ('min', 60)):
        if seconds >= 2 * size:
            return f'{seconds / size:.1f} {unit}'
    return f'{seconds:.0f} s'
