# Clouds of 256 points, 20,000 of them. The paper names no weights for ImageNet: those of topkd.py, untuned.
_base_ = './topkd.py'

# Gathered from all processes: 8 GPUs with 32 images each make the same cloud as 1 GPU with 256.
losses = dict(topology=dict(cloud=dict(num_points=256, gather=True)))

clouds = dict(num_clouds=20_000, chunk=64)  # A chunk of ResNet50's clouds takes 134 MB.
