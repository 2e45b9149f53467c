"""What is known of the parts of mmdet's detectors."""

from mmengine.config import Config
from mmengine.hub import get_config

from topkd.analysis.taps import config_taps


def test_a_detection_transformer_is_listed_by_its_own_forward():
    """Its head has the name of a dense head, but reads queries."""
    model = get_config('mmdet::detr/detr_r50_8xb2-150e_coco.py').model
    model.backbone.update(depth=18, init_cfg=None)
    model.neck.in_channels = [512]
    model.encoder.num_layers = model.decoder.num_layers = 1
    (network,) = config_taps(Config(dict(model=dict(model, _scope_='mmdet'))), (64, 64))
    shapes = {entry.tap: entry.shape for entry in network.found}
    assert shapes['neck[0]'] == (1, 256, 2, 2) and shapes['bbox_head.fc_cls'] == (1, 1, 100, 81)
    assert '@pyramid' not in network.names
