"""What the process of a job does: wait for the folders, run the tool by runpy, and file what it made."""

from __future__ import annotations

import os
import runpy
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from submitit.helpers import Checkpointable

from topkd.reproduction.locks import hold

if TYPE_CHECKING:
    from topkd.reproduction.jobs import Job

# exit codes by which a tool reports a mistake: its own sentence, and argparse's
MISTAKES = (1, 2)


class Call(Checkpointable):
    """Run a job's tool in this process, by runpy; submitit pickles it, and starts it again after a preemption.

    The process that a queue has started holds the job's folders and runs the tool itself (or torchrun, on several
    GPUs), so whatever ends it ends the training and frees the folders. A training goes on from its last checkpoint.

    Args:
        job (Job): What to run.
        tools (Path): Folder of this package's tools.
        variables (dict): Environment variables to set.
        gpus (int): GPUs of a training. More than one share its batch, by torchrun and MMEngine's launcher.
    """

    def __init__(self, job: Job, tools: Path, variables: dict[str, str], gpus: int = 1) -> None:
        self.job, self.tools, self.variables, self.gpus = job, tools, variables, gpus

    def __call__(self) -> None:
        """Run the job, unless another process has done it meanwhile.

        Raises:
            RuntimeError: If the tool fails or ends without its result.
        """
        os.environ.update(self.variables)
        with hold(self.job.folders, _say):
            if self.job.is_done():
                _say(f'{self.job.name} was done by another process')
                return
            if not self.job.has_run():
                self.job.prepare()
                self._run_tool()
            if self.job.has_run():
                self.job.finish()
        if not self.job.is_done():
            problem = self.job.problem()
            if problem is not None:
                _say(f'error: {problem}')  # the line of the log that is told at the end
            raise RuntimeError(problem or 'the tool ended without its result')

    def words(self) -> list[str]:
        """Return the call as a user would write it, behind ``python``."""
        tool = [str(self.tools / self.job.tool), str(self.job.config_path), *self.job.arguments]
        batch = self.job.batch_size
        if batch is None or self.gpus == 1:
            return tool
        launcher = ['-m', 'torch.distributed.run', '--standalone', '--nproc-per-node', str(self.gpus)]
        share = f'train_dataloader.batch_size={batch // self.gpus}'
        return [*launcher, *tool, '--launcher', 'pytorch', '--cfg-options', share]

    def _run_tool(self) -> None:
        """Run the script, or torchrun's module, in this process."""
        words = self.words()
        _say(f'$ {shlex.join(["python", *words])}')
        try:
            if words[0] == '-m':
                sys.argv = words[1:]
                runpy.run_module(words[1], run_name='__main__', alter_sys=True)
            else:
                sys.argv, sys.path[0] = words, str(Path(words[0]).parent)
                runpy.run_path(words[0], run_name='__main__')
        except SystemExit as end:
            if end.code in MISTAKES:
                raise RuntimeError(f'the tool ended with code {end.code}') from end
            if end.code:  # submitit's, which has asked for another start of this job
                raise


def _say(text: str) -> None:
    print(text, flush=True)
