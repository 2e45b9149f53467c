# torchvision's pretrained weights (76.16 % top-1 in the paper), once:
#   python tools/convert_checkpoint.py torchvision://resnet50 checkpoints/resnet50_imagenet.pth
teacher = dict(
    name='resnet50_imagenet',
    config='{{ fileDirname }}/../../baselines/resnet50_imagenet.py',
    checkpoint='checkpoints/resnet50_imagenet.pth',
    floor={'accuracy/top1': 75.0},
)
