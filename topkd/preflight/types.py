"""Are the arguments of this package's components of the types that their constructors declare?"""

from mmengine.config import Config

from topkd.utils.annotations import mistyped
from topkd.utils.error_context import entries
from topkd.utils.registered import find_class


def check_types(cfg: Config) -> None:
    """Refuse arguments that a component would misunderstand, such as a word where a number belongs.

    Components of other packages check their arguments themselves, or are reported if they fail.

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
        for part in ('model', 'train_dataloader', 'val_dataloader', 'test_dataloader', 'custom_hooks')
        for path, node in entries(cfg.get(part))
        if isinstance(node, dict) and node.get('type') is not None
        for place in [f'{part}.{path}'.rstrip('.')]
        for clause in _mistyped(node, cfg.get('default_scope') or 'mmengine')
    ]
    if wrong:
        raise TypeError(f'{"; ".join(wrong)}: correct {"it" if len(wrong) == 1 else "them"} in the config')


def _mistyped(node: dict, scope: str) -> list[str]:
    kind = find_class(node['type'], scope)
    if kind is None or not kind.__module__.startswith('topkd.'):
        return []
    return mistyped(kind, {name: value for name, value in node.items() if name not in ('type', '_scope_')})
