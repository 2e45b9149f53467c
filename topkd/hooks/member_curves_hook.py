"""A hook that draws the curves of all members of a cohort in one picture."""

from typing import Any

from mmengine.dist import master_only
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.runner import Runner

from topkd.hooks.cohort_hook import cohort_of
from topkd.registry import HOOKS

FILE = 'curves.png'
LOSS = 'training loss'


@HOOKS.register_module()
class MemberCurvesHook(Hook):
    """Draw losses and validations of all members as ``curves.png`` of the work directory, at the end of a training.

    The curves are what MMEngine's files of the training hold, those of earlier starts of a resumed one included. The
    picture goes to the visualizer as well, and so to TensorBoard, where the members' scalars lie side by side in one
    run, as ``<member>/<key>``. ``tools/train.py`` adds this hook to every training; it leaves other models alone.
    """

    priority = 'LOWEST'  # after the last validation was written down

    def after_train(self, runner: Runner) -> None:
        """Draw the picture."""
        if cohort_of(runner) is not None:
            self._draw(runner)

    @master_only
    def _draw(self, runner: Runner) -> None:
        # a training of anything else does without matplotlib
        from topkd.analysis.run_history.members import member_panels
        from topkd.analysis.run_history.plot import runs_figure
        from topkd.analysis.style import as_pixels, save_figure

        cohort: Any = cohort_of(runner)
        monitor = runner.message_hub.runtime_info.get('results', {}).get('monitor')
        try:
            panels = member_panels(str(runner.work_dir), list(cohort.members), LOSS, monitor)
        except (FileNotFoundError, ValueError) as error:
            print_log(f'{FILE} is not drawn: {error}', 'current')
            return
        figure = runs_figure(panels, close=tuple(panels))
        save_figure(figure, f'{runner.work_dir}/{FILE}')
        runner.visualizer.add_image('curves', as_pixels(figure), step=runner.epoch)
