"""Children of MMEngine's registries under the scope ``topkd``.

A config names a component of this package as ``type='topkd.Distiller'``; MMEngine then imports the ``locations`` by
itself, whatever the config's ``default_scope`` is.
"""

from mmengine.registry import DATA_SAMPLERS as MMENGINE_DATA_SAMPLERS
from mmengine.registry import DATASETS as MMENGINE_DATASETS
from mmengine.registry import FUNCTIONS as MMENGINE_FUNCTIONS
from mmengine.registry import HOOKS as MMENGINE_HOOKS
from mmengine.registry import METRICS as MMENGINE_METRICS
from mmengine.registry import MODEL_WRAPPERS as MMENGINE_MODEL_WRAPPERS
from mmengine.registry import MODELS as MMENGINE_MODELS
from mmengine.registry import OPTIM_WRAPPERS as MMENGINE_OPTIM_WRAPPERS
from mmengine.registry import RUNNERS as MMENGINE_RUNNERS
from mmengine.registry import TRANSFORMS as MMENGINE_TRANSFORMS
from mmengine.registry import VISBACKENDS as MMENGINE_VISBACKENDS
from mmengine.registry import Registry

DATA_SAMPLERS = Registry('data sampler', parent=MMENGINE_DATA_SAMPLERS, scope='topkd', locations=['topkd.datasets'])
DATASETS = Registry('dataset', parent=MMENGINE_DATASETS, scope='topkd', locations=['topkd.datasets'])
FUNCTIONS = Registry('function', parent=MMENGINE_FUNCTIONS, scope='topkd', locations=['topkd.datasets'])
HOOKS = Registry('hook', parent=MMENGINE_HOOKS, scope='topkd', locations=['topkd.hooks'])
METRICS = Registry('metric', parent=MMENGINE_METRICS, scope='topkd', locations=['topkd.metrics'])
MODEL_WRAPPERS = Registry(
    'model wrapper', parent=MMENGINE_MODEL_WRAPPERS, scope='topkd', locations=['topkd.models.distillers']
)
MODELS = Registry(
    'model',
    parent=MMENGINE_MODELS,
    scope='topkd',
    locations=[
        'topkd.models',
        'topkd.models.backbones',
        'topkd.models.simkd_student',
        'topkd.models.library_classifiers',
    ],
)
OPTIM_WRAPPERS = Registry('optim_wrapper', parent=MMENGINE_OPTIM_WRAPPERS, scope='topkd', locations=['topkd.optim'])
RUNNERS = Registry('runner', parent=MMENGINE_RUNNERS, scope='topkd', locations=['topkd.runners'])
TRANSFORMS = Registry('transform', parent=MMENGINE_TRANSFORMS, scope='topkd', locations=['topkd.datasets'])
VISBACKENDS = Registry('vis backend', parent=MMENGINE_VISBACKENDS, scope='topkd', locations=['topkd.hooks'])
