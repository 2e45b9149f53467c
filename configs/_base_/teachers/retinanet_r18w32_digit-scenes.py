# trained by tools/digit_scenes.py --detector retinanet, or by:
# python tools/train.py configs/baselines/retinanet_r18w32_digit-scenes.py
teacher = dict(
    name='retinanet_r18w32_digit-scenes',
    config='{{ fileDirname }}/../../baselines/retinanet_r18w32_digit-scenes.py',
    checkpoint='work_dirs/retinanet_r18w32_digit-scenes/epoch_8.pth',
)
