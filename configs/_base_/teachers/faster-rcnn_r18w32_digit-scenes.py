# trained by tools/digit_scenes.py, or by: python tools/train.py configs/baselines/faster-rcnn_r18w32_digit-scenes.py
teacher = dict(
    name='faster-rcnn_r18w32_digit-scenes',
    config='{{ fileDirname }}/../../baselines/faster-rcnn_r18w32_digit-scenes.py',
    checkpoint='work_dirs/faster-rcnn_r18w32_digit-scenes/epoch_4.pth',
)
