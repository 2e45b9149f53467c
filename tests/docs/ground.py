"""What the pages take for granted, small: CIFAR-100, ImageNet, STL-10, a user's detection set, published weights."""

from pathlib import Path

import torch
import torchvision
from crd_networks import reference
from image_folders import write_cifar100, write_imagenet, write_stl10
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope
from own_detection_data import voc
from pages import ROOT

from topkd.convert import convert_checkpoint


def make_ground(folder: Path) -> None:
    """Write everything below a folder, under the names that the pages use.

    Args:
        folder (Path): Where the commands will run.
    """
    init_default_scope('mmpretrain')
    write_cifar100(folder / 'data' / 'cifar100' / 'cifar-100-python')
    write_imagenet(folder / 'data' / 'imagenet', ['n01440764', 'n01443537'], train=2, val=1)
    write_stl10(folder / 'data' / 'stl10', dict(train=20, test=10))
    voc(folder / 'data' / 'mine')
    weights = reference('resnet56').state_dict()
    for name in ('resnet56.pt', 'cifar100_resnet56-f2eff4c8.pt'):  # of the CRD benchmark and of chenyaofo
        torch.save(weights, folder / name)
    convert_checkpoint(str(folder / 'resnet56.pt'), str(folder / 'checkpoints' / 'resnet56_cifar100.pth'))
    network = MODELS.build(Config.fromfile(ROOT / 'configs' / 'baselines' / 'resnet20_cifar100.py').model)
    torch.save({f'net.{name}': weight for name, weight in network.state_dict().items()}, folder / 'theirs.pth')
    downloaded = folder / 'torch' / 'hub' / 'checkpoints' / 'resnet34-b627a593.pth'  # $TORCH_HOME/hub
    downloaded.parent.mkdir(parents=True)
    torch.save(torchvision.models.resnet34(weights=None).state_dict(), downloaded)
