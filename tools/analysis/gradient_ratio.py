#!/usr/bin/env python3
"""Does the topology term act? The ratio of its gradient to that of all other terms, over the epochs of trainings.

The gradients are those at the shared feature. The numbers are those that every distillation logs
(gradient_ratio_<loss>, outside_<loss>, share_<loss>); nothing is computed anew. A cohort's run gives a curve for every
member that has the loss.
"""

import argparse
import os
import os.path as osp

import topkd  # noqa: F401
from topkd.analysis.run_history.history import History, read_run
from topkd.analysis.run_history.members import histories_of
from topkd.analysis.run_history.plot import plot_runs
from topkd.analysis.run_history.record import summaries_of, write_histories
from topkd.cli import Parser, named_paths, origin, tool

LABELS = dict(
    gradient_ratio='gradient of the term /\ngradient of all other terms',
    outside="student's deaths outside\nthe images' range",
    share="term's share\nof the total loss",
)
SHARES = ('outside', 'share')
COLUMNS = {
    'first logged': 'first',
    'epoch 1': 'first_epoch',
    'last epoch': 'last_epoch',
    'last logged': 'last',
    'steps': 'last_step',
    'logged': 'logged',
}
Panels = dict[str, dict[str, History]]


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        'runs',
        nargs='+',
        metavar='NAME=RUN',
        help="work directories of distillations, each with a name; without NAME= the folder's",
    )
    parser.add_argument(
        '--loss', default='topology', help='name of the topology loss in model.losses (default: %(default)s)'
    )
    parser.add_argument(
        '--quantities',
        nargs='+',
        choices=list(LABELS),
        default=['gradient_ratio', 'outside'],
        help='one panel each; one that no run logged is left out, the first must be there (default: %(default)s)',
    )
    parser.add_argument('--out', help='folder for table and figure (default: <first run>/analysis)')
    return parser.parse_args()


def read_panels(args: argparse.Namespace, runs: dict[str, str]) -> Panels:
    """Read what every run logged of every quantity.

    Raises:
        ValueError: If a run did not log the first quantity.
    """
    records = {name: read_run(folder) for name, folder in runs.items()}
    curves = {
        quantity: {name: histories_of(found, f'{quantity}_{args.loss}', name) for name, found in records.items()}
        for quantity in args.quantities
    }
    first = args.quantities[0]
    for name, found in curves[first].items():
        if not any(len(curve.values) for curve in found.values()):
            keys = {key for record in records[name] for key in record if key.split('/')[-1].startswith(f'{first}_')}
            raise ValueError(
                f"run '{name}' did not log {first}_{args.loss} "
                f'(it logged: {", ".join(sorted(keys)) or "no such ratio"}): '
                'name distillations with a topology loss, or the loss with --loss'
            )
    panels = {
        quantity: {name: curve for found in by_run.values() for name, curve in found.items()}
        for quantity, by_run in curves.items()
    }
    return {quantity: found for quantity, found in panels.items() if any(len(curve.values) for curve in found.values())}


def table(summaries: dict[str, dict[str, dict]]) -> str:
    """Format one table a quantity, one row a run."""
    lines = []
    for quantity, runs in summaries.items():
        width = max(24, *(len(name) + 2 for name in runs))
        lines.append(f'{quantity:<{width}}' + ''.join(f'{title:>14}' for title in COLUMNS))
        lines += [
            f'{name:<{width}}' + ''.join(f'{row[key]:>14.4g}' for key in COLUMNS.values()) for name, row in runs.items()
        ]
        lines.append('')
    return '\n'.join(lines)


@tool
def main() -> None:
    args = arguments()
    runs = named_paths(args.runs, osp.isdir, 'run')
    panels = read_panels(args, runs)
    print(table(summaries_of(panels)))
    print(
        "'epoch 1' and 'last epoch' are medians over what an epoch logged; a run of several starts is joined by steps"
    )
    folder = args.out or osp.join(next(iter(runs.values())), 'analysis')
    os.makedirs(folder, exist_ok=True)
    data = write_histories(folder, args.quantities[0], origin(args, 'loss', runs=runs), panels)
    figure = osp.join(folder, f'{args.quantities[0]}.png')
    plot_runs(
        {LABELS[quantity]: histories for quantity, histories in panels.items()},
        figure,
        tuple(LABELS[quantity] for quantity in SHARES),
    )
    print(f'{data}\n{figure}')


if __name__ == '__main__':
    main()
