"""One look at the test split, after the last epoch."""

from mmengine.dist import master_only
from mmengine.hooks import Hook
from mmengine.runner import Runner

from topkd.hooks.cohort_hook import cohort_of
from topkd.hooks.result_hook import by_member
from topkd.registry import HOOKS
from topkd.utils.files import write_json

FILE = 'test.json'


@HOOKS.register_module()
class FinalTestHook(Hook):
    """Test the weights of the last epoch and write ``test.json``, for trainings that validate on something else.

    The file holds the metrics of the test evaluator, of a cohort by member. A training that was killed after its last
    epoch is tested when it is resumed.

    Raises (before the training):
        ValueError: If the config has no test split.
    """

    priority = 'LOWEST'

    def before_train(self, runner: Runner) -> None:
        """Refuse a config without test split, now and not after the last epoch."""
        if runner.test_loop is None:
            raise ValueError(
                'FinalTestHook needs a test split: set test_dataloader, test_evaluator and test_cfg, or leave it out'
            )

    def after_train(self, runner: Runner) -> None:
        """Run the test loop."""
        metrics = {key: float(value) for key, value in runner.test_loop.run().items()}
        cohort = cohort_of(runner)
        self._save(runner, metrics if cohort is None else by_member(metrics, cohort.active))

    @master_only
    def _save(self, runner: Runner, metrics: dict) -> None:
        write_json(metrics, f'{runner.work_dir}/{FILE}')
