# mmdet's longest schedule without deformable convolutions: 44.7 AP.
checkpoint = 'checkpoints/gfl_r101_fpn_ms-2x_coco.pth'
# without an import statement, by which mmengine 0.10 takes a config for one of its lazy kind
if not __import__('os').path.isfile(checkpoint):
    checkpoint = (
        'https://download.openmmlab.com/mmdetection/v2.0/gfl/gfl_r101_fpn_mstrain_2x_coco/'
        'gfl_r101_fpn_mstrain_2x_coco_20200629_200126-dd12f847.pth'
    )

teacher = dict(name='gfl_r101_coco', config='mmdet::gfl/gfl_r101_fpn_ms-2x_coco.py', checkpoint=checkpoint)
