#!/usr/bin/env python3
"""Exact against approximated persistence images on the clouds of teacher and student (Table 8).

The images are those of the training, augmented as in it, which is what RipsNet has learned.
"""

from mmengine.device import get_device

import topkd  # noqa: F401
from topkd.analysis.image_error import image_errors, write_errors
from topkd.analysis.images.vectorizers import exact_twin
from topkd.analysis.trained_students import TrainedStudents
from topkd.cli import analysis_folder, count, load_config, origin, parser, seed, tool
from topkd.launch import setup_processes
from topkd.models import RipsNet
from topkd.models.losses.topology_configs import unloaded_loss
from topkd.utils.seed import seed_everything

LEGEND = (
    "\nMSE: mean over pixels and clouds; L2: norm of an image's difference, mean over clouds; outside: deaths that the "
    'images cannot see.'
)


def table(errors: dict[str, dict[str, dict]]) -> str:
    """Format the errors, one row a way to make images and network."""
    lines = [f'{"clouds of":<10}{"images by":<12}{"clouds":>8}{"MSE":>12}{"L2":>10}{"outside":>10}']
    for name, networks in errors.items():
        for network in ('teacher', 'student'):
            row = networks[network]
            lines.append(
                f'{network:<10}{name:<12}{row["clouds"]:>8}{row["mse"]:>12.6f}{row["l2"]:>10.4f}{row["outside"]:>10.1%}'
            )
    return '\n'.join(lines)


@tool
def main() -> None:
    arguments = parser(__doc__, distributed=False)
    arguments.add_argument('checkpoint', help='checkpoint of the distillation, or of the plain student')
    arguments.add_argument('--loss', default='topology', help='name of the topology loss in model.losses')
    arguments.add_argument('--batches', type=count, help='stop after so many batches; default: the whole training set')
    arguments.add_argument(
        '--seed', type=seed, default=0, help='of order and augmentation of the images (default: %(default)s)'
    )
    arguments.add_argument('--out', help='folder for image_error.json (default: <work dir>/analysis)')
    args = arguments.parse_args()
    cfg = load_config(args)
    setup_processes(cfg)
    if not isinstance(unloaded_loss(cfg, args.loss).network, RipsNet):
        raise ValueError(f"loss '{args.loss}' compares no images by RipsNet: name the config of the twin with RipsNet")
    trained = TrainedStudents.load(cfg, dict(student=args.checkpoint), args.loss, project=True)
    exact = exact_twin(trained.loss.network).to(get_device())
    loader, errors = trained.image_loader('train', augment=True, seed=args.seed), {}
    for name, vectorizer in (('RipsNet', trained.loss.vectorizer), ('exact', exact)):
        seed_everything(args.seed)  # the same images in every pass and every run
        errors[name] = image_errors(trained, loader, vectorizer, exact, args.batches)
    print(table(errors))
    print(LEGEND)
    source = origin(args, 'config', 'checkpoint', 'loss', 'seed', 'batches')
    print(write_errors(analysis_folder(args, cfg), source, exact.imager.spec(), errors))


if __name__ == '__main__':
    main()
