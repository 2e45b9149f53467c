"""Factors that grow with the epoch of a training."""

import pytest
from mmengine.logging import MessageHub

from topkd.models.losses.parts.warmup import warmup_factor


@pytest.mark.parametrize('epoch, factor', [(0, 0.05), (9, 0.5), (19, 1.0), (200, 1.0)])
def test_linear_growth(monkeypatch, epoch, factor):
    hub = MessageHub.get_instance(f'warmup_{epoch}')
    hub.update_info('epoch', epoch)
    monkeypatch.setattr(MessageHub, 'get_current_instance', classmethod(lambda cls: hub))
    assert warmup_factor(20) == pytest.approx(factor)
    assert warmup_factor(0) == 1.0
