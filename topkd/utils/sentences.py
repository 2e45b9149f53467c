"""One sentence for every error that a user can cause: what was expected, what came, what to do.

Which errors are a user's, and what to do about them, only this package can say.
"""

import errno
import os
import re

from mmengine.config import Config

from topkd.utils.error_context import (
    as_raised,
    failed_component,
    failed_dataset,
    failed_module,
    frames,
    is_own,
    loaded_config,
    missing_entry,
    open_file,
    package_of,
)

# what a user can cause wherever it is raised; others only while something was built, run or read for him
USER_ERRORS = (
    ValueError,
    TypeError,
    KeyError,
    FloatingPointError,
    OSError,
    NotImplementedError,
    ImportError,
    MemoryError,
)
SYSTEM = {
    errno.ENOSPC: ('the disk of {path} is full', 'free space there, then give the same command again'),
    errno.EDQUOT: ('the quota of {path} is used up', 'free space there, then give the same command again'),
    errno.EACCES: ('{path} may not be read or written', 'correct its permissions, or name another path'),
    errno.EROFS: ('{path} lies on a file system that is read-only', 'name another path'),
    errno.EISDIR: ('{path} is a folder, a file was expected', 'name a file'),
    errno.ENOTDIR: ('a part of the path {path} is a file, a folder was expected', 'name another path'),
    errno.EEXIST: ('{path} is a file, a folder was expected', 'name another path, or move the file away'),
    errno.ENOENT: ('{path} does not exist', 'correct the path'),
    errno.ELOOP: ('{path} is a link, or one of many that lead nowhere', 'name another path, or remove the link'),
    errno.EPIPE: ('the program that reads what is printed has ended', 'let it read to the end, or print into a file'),
    errno.ENAMETOOLONG: ('the name of {path} is too long', 'name a shorter path'),
}


# what the interpreter says of a value of another type, where no check has named it
INTERPRETER = re.compile(
    r'object is not|object does not|object cannot|unsupported operand|not supported between|has no len|unhashable|'
    r"argument of type|bad operand|must be real number, not|can't multiply|can only concatenate"
)
# what NumPy, torch and CUDA say if there is not enough of it
MEMORY = re.compile(r'out of memory|not enough memory|allocate memory|Unable to allocate')
# mmpretrain and mmdet ask samples for annotations, and metrics ask for them by name
ANNOTATION = re.compile(r"(?:^|DataSample' object has no attribute ')'?(gt_\w+)'?$")
PACKED = ('inputs', 'data_samples')  # what a batch holds for every network
LONGEST = 400  # letters of another package's message


def sentence(error: Exception, cfg: Config | None = None) -> str | None:
    """Return what to tell the user of an error, None if it is a mistake of this package.

    Args:
        error (Exception): The error.
        cfg (Config, optional): In which its place is looked for; None: the one that the failing tool had read.
    """
    cfg = loaded_config(error) if cfg is None else cfg
    error = as_raised(error)
    words = own_words(error)
    return _of_cause(error, words, cfg) or _of_place(error, words, cfg) or _of_words(error, words)


def _of_cause(error: Exception, words: str, cfg: Config | None) -> str | None:
    """Describe an error that says by itself what is wrong, None if it was another."""
    asked = missing_entry(error, cfg)
    if asked is not None:
        return f"the config has no entry '{asked}', which is needed here: add it, or name another config"
    special = undecodable_image(error) or of_memory(error) or of_text(error)
    if special is not None:
        return special
    if isinstance(error, OSError) and error.errno in SYSTEM and error.strerror:
        return of_system(error, cfg)
    if isinstance(error, KeyError) and words in PACKED:
        return (
            f"the batches of the data loader have no '{words}': let the pipeline of the data set load images and end "
            'with PackInputs, of detectors with PackDetInputs'
        )
    return missing_annotation(words)


def _of_place(error: Exception, words: str, cfg: Config | None) -> str | None:
    """Describe an error by the module that ran, or the component that was built; None if it was neither."""
    component, module = failed_component(error, cfg), failed_module(error)
    if module is not None and not is_own(error):
        place = ' '.join(filter(None, [f"module '{module.name}'" if module.name else '', f'({module.kind})']))
        return (
            f'{place} cannot process {module.given or "its input"}: {words}: correct the widths, shapes and classes in '
            'the config of this network'
        )
    call = wrong_call(words)
    if call is not None:
        return call if component is None or not component.name else f'{component.name}: {call}'
    if component is None:
        return None
    place = f'{component.name or "a component"} ({component.kind})'
    # this package's own sentences end with what to do, behind a colon
    if component.mistyped and not (is_own(error) and ': ' in words):
        return f'{place}: {component.mistyped}: correct it in the config'
    if is_own(error) and component.name in ('', 'model'):
        return None
    return of_component(error, words, place, component.given)


def _of_words(error: Exception, words: str) -> str | None:
    """Describe an error by its own words, None if it is a mistake of this package."""
    if isinstance(error, USER_ERRORS) and ' ' in words.strip():
        if not is_own(error) and 'Original Traceback' not in str(error):
            return f'{package_of(error)} cannot work with what it was given: {words}'
        if isinstance(error, TypeError) and INTERPRETER.search(words):
            return (
                f'an entry of the config or a file holds a value of another kind than can be read here ({words}, '
                f'{_where(error)}): compare it with the configs of configs/'
            )
        return words
    if isinstance(error, USER_ERRORS):
        return f"'{words}' is missing or unknown ({_where(error)}): correct the input"
    dataset = failed_dataset(error)
    if dataset is not None:
        return f'{dataset.kind} cannot load a sample: {words}: check its files, or the pipeline in the config'
    return None if is_own(error) else f'{words} ({_where(error)}): correct the entry of the config that this refers to'


def of_component(error: Exception, words: str, place: str, given: str = '') -> str:
    """Describe an error on building a component.

    Args:
        error (Exception): The error.
        words (str): What it says itself.
        place (str): The component's name in the config, and its class.
        given (str): Its arguments. Defaults to ''.
    """
    registry = re.match(r'(\S+) is not in the ([\w: ]+) registry', words)
    if registry:
        return f"{place}: the type '{registry[1]}' is unknown among {registry[2]}: correct it in the config"
    if 'must contain the key "type"' in words:
        return f"{place.split(' (')[0]} has no 'type': say in the config which class it is"
    if is_own(error):
        return f'{place}: {words}{"" if ": " in words else ": correct its arguments in the config"}'
    kind = '' if words.startswith(type(error).__name__) else f'{type(error).__name__}: '
    with_ = f' with {given}' if given else ''
    return f'{place} cannot be built{with_}: {kind}{words}: correct its arguments in the config'


def wrong_call(words: str) -> str | None:
    """Describe a call with arguments that are unknown or missing, None if it was another error.

    Args:
        words (str): What the error says.
    """
    name = re.match(r'([\w.]+)\(\)', words)
    owner = '' if name is None else name[1].removesuffix('.__init__').split('.')[-1]
    unknown = re.search(r"unexpected keyword argument '(\w+)'", words)
    if unknown:
        return f"{owner} has no argument '{unknown[1]}': correct its name in the config, or leave it out"
    needed = re.search(r'missing \d+ required (?:positional|keyword-only) arguments?: (.+)', words)
    return f'{owner} needs {needed[1].split(": ")[0]}: add it in the config' if needed else None


def missing_annotation(words: str) -> str | None:
    """Name the annotation that samples were asked for in vain, None if it was another error.

    Args:
        words (str): What the error says.
    """
    found = ANNOTATION.search(words)
    if found is None:
        return None
    return (
        f"the data samples have no '{found[1]}', which is needed here: use a data set with labels or other "
        'annotations, and a pipeline that keeps them'
    )


def own_words(error: Exception) -> str:
    """Return an error's message on one line, its own if it came out of a worker process."""
    # str() of a KeyError would put quotes around the sentence
    text = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
    if 'Original Traceback' in text:
        # a worker process hands over its whole traceback; the error itself is its last paragraph
        text = re.split(r'\n(?=\w*(?:Error|Exception|Warning)\b)', text.strip())[-1]
        text = re.sub(r'^[\w.]*(?:Error|Exception): ', '', text)
    text = re.sub(r'(?<!\.)\.$', '', text.strip()) or type(error).__name__
    if len(text) > LONGEST and not is_own(error):
        text = f'{text[:LONGEST]} (and so on)'
    return text if isinstance(error, USER_ERRORS) else f'{type(error).__name__}: {" ".join(text.split())}'


def of_system(error: OSError, cfg: Config | None = None) -> str:
    """Describe what the operating system refused.

    Args:
        error (OSError): With a number.
        cfg (Config, optional): Whose work directory is named if nothing tells the file.
    """
    what, remedy = SYSTEM[error.errno or errno.ENOENT]
    path = error.filename2 or error.filename or open_file(error)
    if path is None and cfg is not None:
        path = cfg.get('work_dir')
    shown = f"'{os.fsdecode(path)}'" if isinstance(path, (str, bytes, os.PathLike)) else 'the file that was written'
    return f'{what.format(path=shown)}: {remedy}'


def of_memory(error: Exception) -> str | None:
    """Say that there is not enough memory, None if it was another error."""
    if not isinstance(error, MemoryError) and not (isinstance(error, RuntimeError) and MEMORY.search(str(error))):
        return None
    said = ' '.join(str(error).split())[:LONGEST]
    return (
        f'there is not enough memory{f" ({said})" if said else ""}: lower the batch size or the size of what is '
        'computed at once, or end other programs'
    )


def of_text(error: Exception) -> str | None:
    """Name the file that is no text, None if it was another error."""
    path = open_file(error) if isinstance(error, UnicodeDecodeError) else None
    return None if path is None else f"'{path}' is no text of UTF-8 ({error}): correct it, or name another file"


def undecodable_image(error: Exception) -> str | None:
    """Name the image that could not be decoded, None if it was another error."""
    if '!buf.empty()' in str(error):  # OpenCV's word for a file of no bytes, which names none
        held = [frame.f_locals.get('filename') for frame in frames(error)]
        path = next((f"'{name}'" for name in held if isinstance(name, str)), 'an image file')
        return (
            f'{path} is empty and cannot be decoded as an image: replace it (find FOLDER -size 0 lists such files), or '
            'take it out of the data set'
        )
    # mmcv asserts that an image was decoded; from a worker process its words come last, behind the line of code itself
    found = re.findall(r'failed to load image: (.+)', str(error)) if isinstance(error, AssertionError) else []
    if not found:
        return None
    return (
        f"'{found[-1].strip()}' cannot be decoded as an image: replace the file, or take the image out of the "
        'annotations'
    )


def _where(error: BaseException) -> str:
    """Say which function raised an error."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return type(error).__name__
    code = trace.tb_frame.f_code
    return f'{type(error).__name__} in {code.co_name} of {os.path.basename(code.co_filename)}'
