# torchvision's pretrained weights (73.31 % top-1 in the paper), once:
#   python tools/convert_checkpoint.py torchvision://resnet34 checkpoints/resnet34_imagenet.pth
teacher = dict(
    name='resnet34_imagenet',
    config='{{ fileDirname }}/../../baselines/resnet34_imagenet.py',
    checkpoint='checkpoints/resnet34_imagenet.pth',
    floor={'accuracy/top1': 72.0},
)
