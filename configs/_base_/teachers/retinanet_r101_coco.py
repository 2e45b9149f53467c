# mmdet's longest schedule: 41.0 AP.
checkpoint = 'checkpoints/retinanet_r101_fpn_ms-640-800-3x_coco.pth'
# without an import statement, by which mmengine 0.10 takes a config for one of its lazy kind
if not __import__('os').path.isfile(checkpoint):
    checkpoint = (
        'https://download.openmmlab.com/mmdetection/v2.0/retinanet/retinanet_r101_fpn_mstrain_3x_coco/'
        'retinanet_r101_fpn_mstrain_3x_coco_20210720_214650-7ee888e0.pth'
    )

teacher = dict(
    name='retinanet_r101_coco',
    config='mmdet::retinanet/retinanet_r101_fpn_ms-640-800-3x_coco.py',
    checkpoint=checkpoint,
)
