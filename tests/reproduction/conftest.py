"""Tools that only pretend to train, and results that look finished."""

import json
import sys

import pytest

from topkd.reproduction.call import Call
from topkd.reproduction.jobs import last_checkpoint

# writes what the real tools leave behind; accuracy = 50 + 10 x seed + what the losses of the config deserve
TRAIN = """
import json, sys
from pathlib import Path
from runpy import run_path
cfg, folder = run_path(sys.argv[1]), Path(sys.argv[sys.argv.index('--work-dir') + 1])
if (folder / 'fail').exists():
    print('error: no such luck'); sys.exit(1)
losses = [name for name, loss in cfg['model'].get('losses', {}).items() if loss is not None]
value = 50 + 10 * cfg['randomness']['seed'] + sum(dict(kd=1, topology=3).get(name, 2) for name in losses)
last = {'accuracy/top1': value, 'epoch': cfg['train_cfg']['max_epochs']}
result = dict(monitor='accuracy/top1', last=last, best=dict(last, **{'accuracy/top1': value + 0.5}), seed=cfg['randomness']['seed'])
if losses:
    result['teacher'] = {'accuracy/top1': 99.0}
(folder / 'results.json').write_text(json.dumps(result))
(folder / 'config.py').write_text('# what MMEngine made of it\\n' + Path(sys.argv[1]).read_text() + "launcher = 'slurm'\\n")
(folder / 'epoch_{epoch}.pth'.format(**last)).write_text('')
with open(folder / 'calls.txt', 'a') as calls:
    calls.write('x')
print('trained')
"""
GEN_PI = """
import json, sys
from pathlib import Path
from runpy import run_path
cfg = run_path(sys.argv[1])
folder = Path(cfg['model']['losses']['topology']['vectorizer']['checkpoint']).parent
folder.mkdir(parents=True, exist_ok=True)  # the logs of the job lie there
request = dict(num_clouds=cfg['clouds']['num_clouds'], seed=cfg['clouds'].get('seed', 0))
(folder / 'manifest.json').write_text(json.dumps(dict(complete=True, request=request)))
"""
TRAIN_RIPSNET = """
import json, sys
from pathlib import Path
from runpy import run_path
path = Path(run_path(sys.argv[1])['model']['losses']['topology']['vectorizer']['checkpoint'])
for operator, mse in dict(mean=0.25, sum=0.5).items():
    (path.parent / operator).mkdir()
    (path.parent / operator / 'result.json').write_text(json.dumps(dict(mse=mse, settings=dict(lr=5e-4))))
path.write_text('')
"""
# numbers by the length of each network's name
BOTTLENECK = """
import json, sys
from pathlib import Path
folder = Path(sys.argv[sys.argv.index('--out') + 1])
checkpoints = dict(word.split('=') for word in sys.argv[2:sys.argv.index('--out')])
assert all(Path(path).is_file() for path in checkpoints.values())
rows = [dict(network=name, homology_dim=0, scale=scale, mean=len(name) + extra)
        for name in checkpoints for scale, extra in (('as is', 0), ('scale-free', 0.5))]
(folder / 'bottleneck.json').write_text(json.dumps(dict(distances=rows)))
"""


@pytest.fixture
def tools(tmp_path):
    """Write the pretended tools and return their folder."""
    folder = tmp_path / 'tools'
    (folder / 'analysis').mkdir(parents=True)
    (folder / 'analysis' / 'bottleneck.py').write_text(BOTTLENECK)
    for name, text in dict(train=TRAIN, gen_pi=GEN_PI, train_ripsnet=TRAIN_RIPSNET).items():
        (folder / f'{name}.py').write_text(text)
    return folder


@pytest.fixture
def run_all(tools, monkeypatch):
    """Return a function that runs the missing jobs of a plan by the pretended tools, in this process."""

    def run(plan) -> None:
        monkeypatch.setattr(sys, 'argv', sys.argv)
        monkeypatch.setattr(sys, 'path', list(sys.path))
        for job in plan.missing():
            Call(job, tools, {})()

    return run


@pytest.fixture
def finish():
    """Return a function that makes a training job look finished."""

    def write(job, value: float = 60.0, seed: int = 0) -> None:
        job.folder.mkdir(parents=True, exist_ok=True)
        last = {'accuracy/top1': value, 'epoch': job.config.train_cfg.max_epochs}
        results = dict(monitor='accuracy/top1', last=last, best=dict(last, **{'accuracy/top1': value + 1}), seed=seed)
        last_checkpoint(job).write_text('')
        (job.folder / 'results.json').write_text(json.dumps(results))

    return write
