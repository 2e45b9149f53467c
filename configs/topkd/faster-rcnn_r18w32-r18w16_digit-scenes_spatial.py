_base_ = './faster-rcnn_r18w32-r18w16_digit-scenes_exact.py'

# neck[1] has 16 x 16 cells in a scene of 128 pixels
model = dict(
    losses=dict(
        topology=dict(
            student_tap='neck[1]',
            cloud=dict(_delete_=True, type='SpatialCloud', grid=8),
            vectorizer=dict(type='RipsImage'),
        )
    )
)
