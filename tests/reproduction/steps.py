"""Jobs of a fraction of a second that behave as the tests of the execution need; light to import in each process."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

# what a step's tool does, by the last line of its config
TOOL = """
import os, signal, sys, time
from pathlib import Path
folder, behavior = Path(sys.argv[1]).parent, Path(sys.argv[1]).read_text().strip()
def mark(name):
    with open(folder / name, 'a') as file:
        file.write('x')
mark('calls')
if behavior == 'fails':
    print('error: no such luck'); sys.exit(1)
if behavior == 'raises':
    raise KeyError('a mistake of ours')
if behavior == 'always killed' or behavior == 'killed once' and not (folder / 'killed').exists():
    mark('killed'); os.kill(os.getpid(), signal.SIGKILL)
if behavior == 'waits':
    while not (folder / 'go').exists():
        time.sleep(0.02)
if behavior != 'nothing':
    mark('made')
print('threads', os.environ.get('OMP_NUM_THREADS'), 'GPUs', os.environ.get('CUDA_VISIBLE_DEVICES'))
"""


@dataclass
class Step:
    """A job with the interface of :class:`topkd.reproduction.jobs.Job`."""

    name: str
    folder: Path
    needs: tuple[str, ...] = ()
    behavior: str = ''
    tool: str = 'step.py'
    arguments: tuple[str, ...] = ()
    batch_size: int | None = None
    others: tuple[Path, ...] = ()

    @property
    def config_path(self) -> Path:
        return self.folder / 'config.txt'

    @property
    def folders(self) -> tuple[Path, ...]:
        return (self.folder, *self.others)

    def prepare(self) -> None:
        self.config_path.write_text(self.behavior)

    def has_run(self) -> bool:
        return (self.folder / 'made').is_file()

    def finish(self) -> None:
        if self.has_run():
            (self.folder / 'done').write_text('')

    def problem(self) -> str | None:
        return None

    def is_done(self) -> bool:
        return (self.folder / 'done').is_file()

    def calls(self) -> int:
        """Count how often the tool was called."""
        path = self.folder / 'calls'
        return len(path.read_text()) if path.is_file() else 0


@dataclass
class Steps:
    """A plan of steps."""

    jobs: dict[str, Step] = field(default_factory=dict)

    def missing(self) -> list[Step]:
        return [job for job in self.jobs.values() if not job.is_done()]
