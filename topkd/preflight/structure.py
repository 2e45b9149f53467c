"""Is a config of the shape that every tool takes for granted: dicts where dicts belong, components with a type?"""

from collections.abc import Iterator
from typing import Any

from mmengine.config import Config

from topkd.utils.error_context import entries

# top-level entries by the kinds that they may be; None leaves out what need not be there
SHAPES: dict[str, tuple[type, ...]] = dict(
    model=(dict,),
    train_dataloader=(dict, type(None)),
    val_dataloader=(dict, type(None)),
    test_dataloader=(dict, type(None)),
    train_cfg=(dict, type(None)),
    val_cfg=(dict, type(None)),
    test_cfg=(dict, type(None)),
    optim_wrapper=(dict, type(None)),
    param_scheduler=(dict, list, tuple, type(None)),
    val_evaluator=(dict, list, tuple, type(None)),
    test_evaluator=(dict, list, tuple, type(None)),
    default_hooks=(dict, type(None)),
    custom_hooks=(list, tuple, type(None)),
    env_cfg=(dict, type(None)),
    randomness=(dict, type(None)),
    visualizer=(dict, type(None)),
    log_processor=(dict, type(None)),
    data_preprocessor=(dict, type(None)),
    clouds=(dict, type(None)),
    ripsnet=(dict, type(None)),
    work_dir=(str,),
    load_from=(str, type(None)),
    resume=(bool,),
    log_level=(str, int),
)
# entries inside a model that hold one component, or components by name
COMPONENTS = {'student', 'backbone', 'neck', 'head', 'cloud', 'vectorizer', 'sampler', 'featurizer'}
# a loss that a base brings is switched off by None
NAMED: dict[str, tuple[type, ...]] = dict(losses=(dict, type(None)), members=(dict,))
WORDS = {
    int: 'a number',
    dict: 'a dict',
    list: 'a list',
    tuple: 'a tuple',
    str: 'a word',
    bool: 'True or False',
    type(None): 'None',
}


def check_structure(cfg: Config) -> None:
    """Refuse a config whose entries are of another kind than every reader takes for granted.

    Raises:
        KeyError: If there is no model.
        TypeError: Naming all entries that are of another kind, and what they should be.

    Examples:
        >>> check_structure(Config(dict(model=dict(type='A', backbone=3))))
        Traceback (most recent call last):
        TypeError: model.backbone must be a dict or None, got 3: correct it in the config
    """
    if 'model' not in cfg:
        raise KeyError('the config has no model: name a config of configs/ that trains one')
    wrong = [*_top(cfg), *_inside(cfg)]
    if wrong:
        raise TypeError(f'{"; ".join(wrong)}: correct {"it" if len(wrong) == 1 else "them"} in the config')


def _top(cfg: Config) -> Iterator[str]:
    for name, kinds in SHAPES.items():
        if name in cfg and not isinstance(cfg[name], kinds):
            yield _refused(name, kinds, cfg[name])


def _inside(cfg: Config) -> Iterator[str]:
    """Yield what is wrong inside the model, the data loaders and the hooks."""
    for part in ('model', 'train_dataloader', 'val_dataloader', 'test_dataloader', 'param_scheduler', 'custom_hooks'):
        for place, node in entries(cfg.get(part)):
            if isinstance(node, dict):
                yield from _of_dict(f'{part}.{place}'.rstrip('.'), node)
    for part in ('param_scheduler', 'custom_hooks', 'default_hooks'):
        node = cfg.get(part) or ()
        if isinstance(node, dict):  # the only scheduler, or hooks by name, of which None switches one off
            components = {part: node} if part == 'param_scheduler' else {f'{part}.{name}': node[name] for name in node}
            components = {path: item for path, item in components.items() if item is not None}
        else:
            components = {f'{part}.{index}': item for index, item in enumerate(node)}
        for path, item in components.items():
            if not isinstance(item, dict):
                yield _refused(path, (dict,), item)
            elif 'type' not in item:
                yield f'{path} must say in type which class it is, got {_shown(item)}'


def _of_dict(path: str, node: dict[str, Any]) -> Iterator[str]:
    kind = node.get('type')
    if 'type' in node and not isinstance(kind, type) and not (isinstance(kind, str) and kind) and not callable(kind):
        yield f'{path}.type must be the name of a class, got {kind!r}'
    for key, value in node.items():
        name = f'{path}.{key}'
        if key in COMPONENTS and not isinstance(value, (dict, list, type(None))):
            yield _refused(name, (dict, type(None)), value)
        elif key == 'dataset' and not isinstance(value, dict):
            yield _refused(name, (dict,), value)
        elif key in NAMED and not isinstance(value, (dict, type(None))):
            yield _refused(name, (dict,), value)
        elif key == 'init_cfg' and not isinstance(value, (dict, list, tuple, type(None))):
            yield _refused(name, (dict, list, type(None)), value)
        elif key == 'teacher' and path == 'model' and not isinstance(value, dict):
            yield _refused(name, (dict,), value)
        elif key in ('model', 'config') and path == 'model.teacher' and not value:
            yield f'{name} must name the network of the teacher, got {value!r}'
        if key in NAMED and isinstance(value, dict):
            yield from (
                _refused(f'{name}.{inner}', NAMED[key], item)
                for inner, item in value.items()
                if not isinstance(item, NAMED[key])
            )


def _refused(name: str, kinds: tuple[type, ...], value: Any) -> str:
    return f'{name} must be {" or ".join(WORDS[kind] for kind in kinds)}, got {_shown(value)}'


def _shown(value: Any) -> str:
    return repr(value)[:80]
