# Every patch of a transformer's image a point: clouds of the 14 x 14 tokens beside the CNN's last stage but one.
_base_ = './deit-small-resnet18_imagenet.py'

model = dict(
    losses=dict(
        topology=dict(
            student_tap='backbone.layer3',
            teacher_tap='backbone.layers.11:map',
            cloud=dict(_delete_=True, type='SpatialCloud', grid=14),
        )
    )
)
