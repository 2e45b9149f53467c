"""A hook that checks that COCO data sets list every class that the detector learns."""

from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner

from topkd.datasets.coco_file import check_coco_file
from topkd.registry import HOOKS


@HOOKS.register_module()
class CategoryCheckHook(Hook):
    """Check the json of the COCO data sets before the training, see :func:`topkd.datasets.coco_file.check_coco_file`.

    mmdet leaves out a class that the json does not list, so that every class behind it silently gets another label, and
    leaves out the boxes of a category or an image that the json does not list.

    Raises (before the training or the test):
        ValueError: Naming the file and what is missing in it.
    """

    def before_train(self, runner: Runner) -> None:
        """Check the training and the validation set."""
        check_categories(runner.train_dataloader.dataset)
        if runner.val_loop is not None:
            check_categories(runner.val_dataloader.dataset)

    def before_test(self, runner: Runner) -> None:
        """Check the test set."""
        check_categories(runner.test_dataloader.dataset)


def check_categories(dataset: Any) -> None:
    """Check one data set and those inside it; one that is no COCO set passes.

    Raises:
        ValueError: If a class has no category, or an annotation a category or an image that is not listed.
    """
    for inner in [getattr(dataset, 'dataset', None), *getattr(dataset, 'datasets', [])]:
        if inner is not None:
            check_categories(inner)
    path = getattr(dataset, 'ann_file', None)
    if hasattr(dataset, 'dataset') or hasattr(dataset, 'datasets') or not path or not hasattr(dataset, 'cat2label'):
        return
    check_coco_file(path, dataset.metainfo['classes'])
