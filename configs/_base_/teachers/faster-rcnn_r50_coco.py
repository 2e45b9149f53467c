# mmdet's longest schedule that has a published checkpoint with torchvision's normalization: 40.3 AP (40.6 in the
# paper).
checkpoint = 'checkpoints/faster-rcnn_r50_fpn_ms-3x_coco.pth'
# without an import statement, by which mmengine 0.10 takes a config for one of its lazy kind
if not __import__('os').path.isfile(checkpoint):
    checkpoint = (
        'https://download.openmmlab.com/mmdetection/v2.0/faster_rcnn/faster_rcnn_r50_fpn_mstrain_3x_coco/'
        'faster_rcnn_r50_fpn_mstrain_3x_coco_20210524_110822-e10bd31c.pth'
    )

teacher = dict(
    name='faster-rcnn_r50_coco', config='mmdet::faster_rcnn/faster-rcnn_r50_fpn_ms-3x_coco.py', checkpoint=checkpoint
)
