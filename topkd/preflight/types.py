"""Are the arguments of components of the types that their constructors declare?"""

from mmengine.config import Config

from topkd.models.teacher import Teacher
from topkd.utils.annotations import mistyped, words_for_numbers
from topkd.utils.error_context import entries
from topkd.utils.registered import find_class

PARTS = (
    'model',
    'train_dataloader',
    'val_dataloader',
    'test_dataloader',
    'val_evaluator',
    'test_evaluator',
    'custom_hooks',
)
TEACHER = ('model', 'teacher')  # a component of one class, which no type names


def check_types(cfg: Config) -> None:
    """Refuse arguments that a component would misunderstand, such as a word where a number belongs.

    Other packages declare more narrowly than they read: of their components, only words where numbers belong are
    refused.

    Raises:
        TypeError: Naming all arguments that are of another type.

    Examples:
        >>> cfg = Config(dict(model=dict(type='topkd.CIFARResNet', depth='deep')))
        >>> check_types(cfg)
        Traceback (most recent call last):
        TypeError: model.depth must be of type int, got 'deep': correct it in the config
    """
    wrong = [
        f'{place}.{clause}' if place else clause
        for part in PARTS
        for path, node in entries(cfg.get(part))
        if isinstance(node, dict) and (node.get('type') is not None or (part, path) == TEACHER)
        for place in [f'{part}.{path}'.rstrip('.')]
        for clause in _mistyped(node, cfg.get('default_scope') or 'mmengine')
    ]
    if wrong:
        raise TypeError(f'{"; ".join(wrong)}: correct {"it" if len(wrong) == 1 else "them"} in the config')


def _mistyped(node: dict, scope: str) -> list[str]:
    kind = find_class(node['type'], scope) if 'type' in node else Teacher
    if kind is None:
        return []
    arguments = {name: value for name, value in node.items() if name not in ('type', '_scope_')}
    return (mistyped if kind.__module__.startswith('topkd.') else words_for_numbers)(kind, arguments)
