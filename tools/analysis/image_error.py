#!/usr/bin/env python3
"""Exact against approximated persistence images on the clouds of teacher and student (Table 8)."""
from mmengine.device import get_device

import topkd  # noqa: F401
from topkd.cli import load_config, parser, tool
from topkd.evaluation.cloud_size import topology_config
from topkd.evaluation.image_error_of_pair import exact_twin, image_errors
from topkd.evaluation.image_sources import load_projections
from topkd.evaluation.trained_pair import build_pair, load_trained, split_loader
from topkd.launch import setup_processes


@tool
def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument('checkpoint', help='checkpoint of the distillation, or of the plain student')
    arguments.add_argument('--loss', default='topology', help='name of the topology loss in model.losses')
    arguments.add_argument('--batches', type=int, help='stop after so many batches; default: the whole training set')
    args = arguments.parse_args()
    cfg = load_config(args)
    topology_config(cfg, args.loss)  # a wrong name is told before anything is built
    setup_processes(cfg)
    model = build_pair(cfg)
    loss = model.losses[args.loss]
    if not hasattr(loss.vectorizer, 'module'):
        raise ValueError(f"loss '{args.loss}' compares no images by RipsNet: name the config of the twin with RipsNet")
    exact = exact_twin(loss.vectorizer.module).to(get_device())
    loss.projection = load_projections(loss, args.loss, dict(student=args.checkpoint))['student']
    load_trained(model, args.checkpoint, student_only=True)
    loader = split_loader(cfg, 'train')
    print(f"{'clouds of':<10}{'images by':<12}{'clouds':>8}{'MSE':>12}{'L2':>10}{'outside':>10}")
    for name, vectorizer in (('RipsNet', loss.vectorizer), ('exact', exact)):
        errors = image_errors(model, loss, loader, vectorizer, exact, args.batches)
        for network in ('teacher', 'student'):
            row = errors[network]
            print(f"{network:<10}{name:<12}{row['clouds']:>8}{row['mse']:>12.6f}{row['l2']:>10.4f}{row['outside']:>10.1%}")
    print("\nMSE: mean over pixels and clouds; L2: norm of an image's difference, mean over clouds; outside: deaths that the images "
          'cannot see.')


if __name__ == '__main__':
    main()
