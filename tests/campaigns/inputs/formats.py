"""Damages of files by someone who knows their format: a checkpoint, arrays, json, configs, pickles of CIFAR-100."""

import json
import pickle
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from topkd.utils.checkpoint import load_file


class Damage(NamedTuple):
    """A way to damage a file.

    Attributes:
        name: For the report.
        apply: Changes the file.
        must_fail: Whether no run that reads the file can be right.
    """

    name: str
    apply: Callable[[Path, random.Random], Any]
    must_fail: bool


class Malicious:
    """Unpickled without protection, makes a file."""

    def __reduce__(self) -> tuple[Callable, tuple]:
        return (open, ('PWNED', 'w'))


def _truncate(path: Path, draw: random.Random) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: draw.randrange(1, max(len(content) * 9 // 10, 2))])


def _flip(path: Path, draw: random.Random) -> None:
    content = bytearray(path.read_bytes())
    for _ in range(8):
        content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
    path.write_bytes(content)


def _folder(path: Path, draw: random.Random) -> None:
    path.unlink()
    path.mkdir()


def _written(content: bytes) -> Callable[[Path, random.Random], Any]:
    return lambda path, draw: path.write_bytes(content)


GENERAL = [
    Damage('empty', _written(b''), True),
    Damage('truncated', _truncate, False),
    Damage('with flipped bits', _flip, False),
    Damage('replaced by text', _written(b'not what was expected'), True),
    Damage('replaced by a folder', _folder, True),
    Damage('missing', lambda path, draw: path.unlink(), True),
    Damage('replaced by a malicious pickle', lambda path, draw: path.write_bytes(pickle.dumps(Malicious())), True),
    Damage('replaced by json', _written(b'{"a": [1, 2'), True),
    Damage('replaced by zeros', _written(b'\0' * 4096), True),
]


def _weights(change: Callable[[dict, str], Any]) -> Callable[[Path, random.Random], None]:
    """Return a damage of one tensor of a checkpoint."""

    def apply(path: Path, draw: random.Random) -> None:
        content = load_file(str(path))
        state = content.get('state_dict', content.get('model', content))
        names = [name for name, value in state.items() if torch.is_tensor(value) and value.is_floating_point()]
        change(state, draw.choice(names))
        torch.save(content, path)

    return apply


def _begin_infinitely(state: dict, name: str) -> None:
    values = state[name].contiguous()  # a student's weights may lie channels last
    values.view(-1)[:1] = float('inf')
    state[name] = values


def _content(make: Callable[[dict], Any]) -> Callable[[Path, random.Random], None]:
    return lambda path, draw: torch.save(make(load_file(str(path))), path)


def _entry(path: Path, draw: random.Random) -> None:
    """Replace one value of a checkpoint that is no weight, however deep it stands."""
    content = load_file(str(path))
    plain = [(node, key) for node, key in _places(content) if not torch.is_tensor(node[key])]
    node, key = draw.choice(plain)
    node[key] = draw.choice([None, -1, 'word', [], {}, float('nan'), 1e30, True, [[1]], 10**15])
    torch.save(content, path)


CHECKPOINT = [
    Damage('without a weight', _weights(lambda state, name: state.pop(name)), True),
    Damage('with a weight too many', _weights(lambda state, name: state.update({f'{name}_x': state[name]})), True),
    Damage('with NaN', _weights(lambda state, name: state[name].fill_(float('nan'))), True),
    Damage('with infinity', _weights(_begin_infinitely), True),
    Damage('with another shape', _weights(lambda state, name: state.update({name: torch.zeros(2, 7)})), True),
    Damage('with a word for a weight', _weights(lambda state, name: state.update({name: 'word'})), True),
    Damage('with a scalar for a weight', _weights(lambda state, name: state.update({name: torch.tensor(1.0)})), False),
    Damage('a list', _content(lambda content: [content]), True),
    Damage('a tensor', _content(lambda content: torch.zeros(3)), True),
    Damage('without weights', _content(lambda content: dict(state_dict={})), True),
    Damage('None', _content(lambda content: None), True),
    Damage('with weights that are a list', _content(lambda content: dict(state_dict=[1, 2])), True),
    Damage('with an object', _content(lambda content: dict(content, extra=Malicious())), True),
    Damage('with a changed entry', _entry, False),
]


def _array(make: Callable[[np.ndarray], np.ndarray]) -> Callable[[Path, random.Random], None]:
    return lambda path, draw: np.save(path, make(np.load(path)), allow_pickle=True)


def _first(value: float) -> Callable[[np.ndarray], np.ndarray]:
    def change(array: np.ndarray) -> np.ndarray:
        array.flat[0] = value
        return array

    return change


ARRAY = [
    Damage('shorter', _array(lambda array: array[:-1]), False),
    Damage('of no rows', _array(lambda array: array[:0]), True),
    Damage('in Fortran order', _array(np.asfortranarray), False),
    Damage('of float64', _array(lambda array: array.astype(np.float64)), False),
    Damage('of words', _array(lambda array: array.astype('U')), True),
    Damage('of objects', _array(lambda array: array.astype(object)), True),
    Damage('of complex numbers', _array(lambda array: array.astype(complex)), True),
    Damage('with NaN', _array(_first(float('nan'))), True),
    Damage('with infinity', _array(_first(float('inf'))), True),
    Damage('a scalar', _array(lambda array: np.float32(1)), True),
    Damage('with one dimension', _array(np.ravel), True),
    Damage('with one dimension more', _array(lambda array: array[None]), False),
]


def _leaf(path: Path, draw: random.Random) -> None:
    """Replace or remove one value of a json, however deep it stands."""
    content = json.loads(path.read_text())
    places = list(_places(content))
    node, key = draw.choice(places)
    if isinstance(node, dict) and draw.random() < 0.3:
        del node[key]
    else:
        node[key] = draw.choice([None, -1, 'word', [], {}, float('nan'), 1e30, True, [[1]], 10**30])
    path.write_text(json.dumps(content))


def _places(node: Any) -> Any:
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in list(items):
        yield node, key
        yield from _places(value)


JSON = [
    Damage('with a changed value', _leaf, False),
    Damage('with another changed value', _leaf, False),
    Damage('a list', lambda path, draw: path.write_text('[1, 2]'), True),
    Damage('a number', lambda path, draw: path.write_text('3'), True),
    Damage('an empty dict', lambda path, draw: path.write_text('{}'), True),
    Damage('null', lambda path, draw: path.write_text('null'), True),
]


def _record(path: Path, draw: random.Random) -> None:
    """Replace or remove one value of one line of a log."""
    lines = path.read_text().splitlines()
    number = draw.randrange(len(lines))
    record = json.loads(lines[number])
    key = draw.choice(list(record))
    if draw.random() < 0.3:
        del record[key]
    else:
        record[key] = draw.choice([None, -1, 'word', [], {}, float('nan'), 1e30, True, 0.5, 10**30])
    path.write_text('\n'.join([*lines[:number], json.dumps(record), *lines[number + 1 :], '']))


LOG = [
    Damage('with a changed value', _record, False),
    Damage('with another changed value', _record, False),
    Damage('with half a line at its begin', lambda path, draw: path.write_text(f'{{"lo\n{path.read_text()}'), True),
    Damage('with half a line at its end', lambda path, draw: path.write_text(f'{path.read_text()}{{"lo'), False),
    Damage('with a list for a line', lambda path, draw: path.write_text(f'[1]\n{path.read_text()}'), True),
    Damage('of validations alone', lambda path, draw: path.write_text('{"accuracy/top1": 1.0, "step": 1}\n'), True),
]


def _replaced(old: str, new: str) -> Callable[[Path, random.Random], Any]:
    return lambda path, draw: path.write_text(path.read_text().replace(old, new))


XML = [
    Damage('without its end', _replaced('</annotation>', ''), True),
    Damage('with NaN', _replaced('<xmin>5', '<xmin>nan'), True),
    Damage('with a word for a number', _replaced('<xmin>5', '<xmin>five'), True),
    Damage('with a box that ends before it begins', _replaced('<xmin>5', '<xmin>50'), True),
    Damage('without a name', _replaced('<name>cat</name>', ''), True),
    Damage('without a size', _replaced('<width>64</width>', ''), True),
    Damage('without a box', _replaced('<ymax>30</ymax>', ''), True),
]
YAML = [
    Damage('without names', _replaced('names: [cat]', ''), True),
    Damage('with a number for names', _replaced('[cat]', '3'), True),
    Damage('with a folder that is not there', _replaced('images/train', 'nowhere'), True),
    Damage('with a number for a folder', _replaced('images/train', '3'), True),
    Damage('that is no YAML', _replaced('[cat]', '[cat'), True),
    Damage('with an object', _replaced('[cat]', '!!python/object/apply:os.system ["touch PWNED"]'), True),
]


def _before(text: str) -> Callable[[Path, random.Random], Any]:
    return lambda path, draw: path.write_text(f'{text}\n{path.read_text()}')


CONFIG = [
    Damage('with a syntax error', _before('model = dict(type='), True),
    Damage('with a wrong indentation', _before('    x = 1'), True),
    Damage('with an unknown name', _before('x = nobody_knows'), True),
    Damage('with an unknown module', _before('import no_such_module'), True),
    Damage('with an unknown base', _before("_base_ = 'nowhere.py'"), True),
    Damage('with a base of another kind', _before('_base_ = 3'), True),
    Damage('that is its own base', lambda path, draw: path.write_text(f"_base_ = '{path.name}'\n"), True),
    Damage('that exits', _before('import sys; sys.exit(3)'), True),
    Damage('that divides by zero', _before('x = 1 / 0'), True),
    Damage('that recurses', _before('f = lambda: f()\ny = f()'), True),
    Damage('without a model', lambda path, draw: path.write_text('x = 1\n'), True),
]


def _cifar(change: Callable[[dict], Any]) -> Callable[[Path, random.Random], None]:
    def apply(path: Path, draw: random.Random) -> None:
        content = pickle.loads(path.read_bytes())
        path.write_bytes(pickle.dumps(change(content) or content))

    return apply


def _put(key: str, value: Callable[[dict], Any]) -> Callable[[dict], None]:
    return lambda content: content.update({key: value(content)})


CIFAR = [
    Damage('without labels', _cifar(lambda content: content.pop('fine_labels') and None), True),
    Damage('with a label of 100', _cifar(_put('fine_labels', lambda c: [100, *c['fine_labels'][1:]])), True),
    Damage('with a label of -1', _cifar(_put('fine_labels', lambda c: [-1, *c['fine_labels'][1:]])), True),
    Damage('with a label that is a word', _cifar(_put('fine_labels', lambda c: ['x', *c['fine_labels'][1:]])), True),
    Damage('with fewer labels', _cifar(_put('fine_labels', lambda c: c['fine_labels'][:-1])), True),
    Damage('with narrower images', _cifar(_put('data', lambda c: c['data'][:, :-3])), True),
    Damage('with images of float', _cifar(_put('data', lambda c: c['data'].astype(float))), True),
    Damage('with no images', _cifar(lambda c: dict(c, data=c['data'][:0], fine_labels=[])), True),
    Damage('a list', _cifar(lambda content: [content]), True),
]
NAMES = [
    Damage('without names', _cifar(lambda content: dict(x=1)), True),
    Damage('with 99 names', _cifar(_put('fine_label_names', lambda c: c['fine_label_names'][:99])), True),
    Damage('a list', _cifar(lambda content: [content]), True),
]
BY_FORMAT: dict[str, list[Damage]] = {
    '.pth': CHECKPOINT,
    '.npy': ARRAY,
    '.json': JSON,
    '.xml': XML,
    '.yaml': YAML,
    'scalars.json': LOG,
    '.py': CONFIG,
    'train': CIFAR,
    'test': CIFAR,
    'meta': NAMES,
}


def damages_of(path: Path) -> list[Damage]:
    """List the damages of a file: those of any file, and as many of its own format."""
    return GENERAL + BY_FORMAT.get(path.name, BY_FORMAT.get(path.suffix, []))
