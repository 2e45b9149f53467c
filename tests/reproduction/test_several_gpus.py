"""A job of several GPUs by the engine that submits it; two processes of the CPU stand in for two GPUs."""

import json
from pathlib import Path

from topkd.reproduction.execution import Execution
from topkd.reproduction.jobs import Training
from topkd.reproduction.local_queue import LocalQueue
from topkd.reproduction.plan import Plan

TOOLS = Path(__file__).resolve().parent.parent.parent / 'tools'


def test_a_training_shares_its_batch_among_processes(digits_config, tmp_path, monkeypatch):
    monkeypatch.setenv('PYTHONPATH', str(TOOLS.parent))
    monkeypatch.setenv('OMP_NUM_THREADS', '1')
    cfg = digits_config('kd/resnet20-resnet8_digits.py', **{'train_cfg.max_epochs': 1})
    cfg.train_dataloader.batch_size = 32
    job = Training('pair', cfg, tmp_path / 'pair')
    said: list[str] = []
    queue = LocalQueue(TOOLS, jobs=1, gpus=2, visible=['0', '1'])
    execution = Execution(Plan({'pair': job}), queue, said.append, lambda: None)
    assert execution.run() is None
    assert execution.sentences() == [] and job.is_done() and said[0] == '1 of 1: pair has started'
    results = json.loads((tmp_path / 'pair/results.json').read_text())
    assert results['last']['iter'] == 256 // 32  # two processes of 16 images, not of 32
    (log,) = (tmp_path / 'pair/submitit/local').glob('*_log.out')
    words = log.read_text()
    assert ' -m torch.distributed.run --standalone --nproc-per-node 2 ' in words
    assert '--launcher pytorch --cfg-options train_dataloader.batch_size=16' in words
    assert list(log.parent.glob('*_result.pkl'))  # the engine's process came to its end, without an error
