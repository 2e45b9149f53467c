"""Tests of losses happen in the first epoch, whatever was trained in this process before."""

import pytest
from mmengine.logging import MessageHub


@pytest.fixture(autouse=True)
def first_epoch(monkeypatch):
    """Give every test a message hub of its own."""
    hub = MessageHub.get_instance('losses')
    hub.update_info('epoch', 0)
    monkeypatch.setattr(MessageHub, 'get_current_instance', classmethod(lambda cls: hub))
