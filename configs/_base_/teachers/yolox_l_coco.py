# 49.4 AP.
checkpoint = 'checkpoints/yolox_l_8xb8-300e_coco.pth'
# without an import statement, by which mmengine 0.10 takes a config for one of its lazy kind
if not __import__('os').path.isfile(checkpoint):
    checkpoint = (
        'https://download.openmmlab.com/mmdetection/v2.0/yolox/yolox_l_8x8_300e_coco/'
        'yolox_l_8x8_300e_coco_20211126_140236-d3bd2b23.pth'
    )

teacher = dict(name='yolox_l_coco', config='mmdet::yolox/yolox_l_8xb8-300e_coco.py', checkpoint=checkpoint)
