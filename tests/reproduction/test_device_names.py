"""Which GPUs a device stands for, and which of them jobs at different places get."""

import pytest
from steps import Step

from topkd.reproduction.devices import visible_gpus
from topkd.reproduction.local_queue import LocalQueue


def test_devices(monkeypatch):
    monkeypatch.delenv('CUDA_VISIBLE_DEVICES', raising=False)
    monkeypatch.setattr('torch.cuda.device_count', lambda: 4)
    assert visible_gpus('cpu') == [] and visible_gpus(None) == visible_gpus('cuda') == ['0', '1', '2', '3']
    assert visible_gpus('cuda:3') == ['3']
    monkeypatch.setenv('CUDA_VISIBLE_DEVICES', '5,7')
    monkeypatch.setattr('torch.cuda.device_count', lambda: 2)
    assert visible_gpus('cuda') == ['5', '7'] and visible_gpus('cuda:1') == ['7']
    with pytest.raises(ValueError, match='--device cuda:2 is not there: this machine has 2 GPUs'):
        visible_gpus('cuda:2')
    with pytest.raises(ValueError, match="--device must be cpu, cuda or cuda:N, got 'gpu'"):
        visible_gpus('gpu')


class Pretended:
    """A submitted job that ends when the test says so."""

    ended = False

    def done(self):
        return self.ended


def test_every_place_has_its_gpus(tmp_path, monkeypatch):
    monkeypatch.setattr('topkd.reproduction.queue.Queue.submit', lambda self, job, after: Pretended())
    queue = LocalQueue(tmp_path, 3, 2, ['4', '5', '6', '7'])
    given, jobs = [], []
    for _ in range(3):
        given.append(queue._variables(2)['CUDA_VISIBLE_DEVICES'])
        jobs.append(queue.submit(Step('job', tmp_path)))
    assert given == ['4,5', '6,7', '4,5']  # the third place shares those of the first
    jobs[1].ended = True
    assert queue._variables(2)['CUDA_VISIBLE_DEVICES'] == '6,7'
    assert queue._variables(1)['CUDA_VISIBLE_DEVICES'] == '6'
    assert LocalQueue(tmp_path)._variables(0)['CUDA_VISIBLE_DEVICES'] == ''
