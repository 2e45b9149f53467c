"""A detection set must list every class that the detector learns."""

import json
from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner

from topkd.registry import HOOKS


@HOOKS.register_module()
class CategoryCheckHook(Hook):
    """Compare the classes of the COCO data sets with the categories of their json, before the training.

    mmdet leaves out a class that the json does not list, so that every class behind it silently gets another label, and
    leaves out the boxes of a category that the json does not list.

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
        ValueError: If a class has no category, or an annotation a category that is not listed.
    """
    for inner in [getattr(dataset, 'dataset', None), *getattr(dataset, 'datasets', [])]:
        if inner is not None:
            check_categories(inner)
    path = getattr(dataset, 'ann_file', None)
    if hasattr(dataset, 'dataset') or hasattr(dataset, 'datasets') or not path or not hasattr(dataset, 'cat2label'):
        return
    with open(path) as file:
        content: dict[str, list[dict[str, Any]]] = json.load(file)
    listed = {category['name']: category['id'] for category in content['categories']}
    missing = [name for name in dataset.metainfo['classes'] if name not in listed]
    if missing:
        raise ValueError(
            f"'{path}' must list every class of the data set, it lacks {', '.join(missing)}: correct the json, "
            'or metainfo.classes of the data set'
        )
    unknown = {annotation['category_id'] for annotation in content['annotations']} - set(listed.values())
    if unknown:
        raise ValueError(
            f"'{path}' annotates boxes of the categories {sorted(unknown)}, which it does not list under "
            "'categories': add them there, or remove those boxes"
        )
