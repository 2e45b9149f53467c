#!/usr/bin/env python3
"""Convert a checkpoint of RepDistiller, mdistiller, pytorch-cifar-models, torchvision or TopKD into ours."""

import argparse

from topkd.cli import path, tool
from topkd.convert import convert_checkpoint


@tool
def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument(
        'source',
        metavar='SRC',
        help='checkpoint of a CIFAR network, of a ResNet of torchvision (or its address, such as '
        'torchvision://resnet34), or of a RipsNet',
    )
    arguments.add_argument('destination', metavar='DST', type=path, help='file to write')
    arguments.add_argument('--network', help='name of the network; default: recognized from names and shapes')
    arguments.add_argument('--operator', default='mean', help='mean or sum, which the file of a RipsNet does not say')
    args = arguments.parse_args()
    meta = convert_checkpoint(args.source, args.destination, args.network, args.operator)
    print(f'{args.destination}: {meta["network"]}, converted from {meta["converted_from"]}')


if __name__ == '__main__':
    main()
