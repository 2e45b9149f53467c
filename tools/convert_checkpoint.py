#!/usr/bin/env python3
"""Convert a checkpoint of the CRD benchmark, torchvision, TopKD or of any network with other prefixes into ours."""

from topkd.cli import Parser, keep_inputs, path, tool
from topkd.convert import convert_checkpoint, convert_to_config


@tool
def main() -> None:
    arguments = Parser(description=__doc__)
    arguments.add_argument(
        'source',
        metavar='SRC',
        help='checkpoint of a CIFAR network, of a ResNet of torchvision (or its address, such as '
        'torchvision://resnet34), or of a RipsNet',
    )
    arguments.add_argument('destination', metavar='DST', type=path, help='file to write')
    arguments.add_argument('--network', help='name of the network; default: recognized from names and shapes')
    arguments.add_argument('--operator', default='mean', help='mean or sum, which the file of a RipsNet does not say')
    arguments.add_argument(
        '--config', help='config of any network whose weights SRC holds under other prefixes; they are found'
    )
    arguments.add_argument('--strip-prefix', metavar='P', help='with --config: take P away instead of looking')
    arguments.add_argument('--add-prefix', metavar='P', help='with --config: put P before the names instead of looking')
    args = arguments.parse_args()
    if args.network is not None and args.config is not None:
        arguments.error('--network and --config both say which network it is: give one of them')
    keep_inputs(args.destination, args.config)
    if args.config is None:
        if args.strip_prefix is not None or args.add_prefix is not None:
            arguments.error('--strip-prefix and --add-prefix need --config, which says what the names must become')
        meta = convert_checkpoint(args.source, args.destination, args.network, args.operator)
    else:
        meta = convert_to_config(args.source, args.destination, args.config, args.strip_prefix, args.add_prefix)
        print(f'prefixes: {", ".join(meta["prefixes"])}')
    print(f'{args.destination}: {meta["network"]}, converted from {meta["converted_from"]}')


if __name__ == '__main__':
    main()
