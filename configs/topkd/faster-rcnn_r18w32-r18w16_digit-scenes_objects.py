_base_ = './faster-rcnn_r18w32-r18w16_digit-scenes_exact.py'

model = dict(
    losses=dict(
        topology=dict(cloud=dict(_delete_=True, type='RoICloud', num_points=16), vectorizer=dict(type='RipsImage'))
    )
)
