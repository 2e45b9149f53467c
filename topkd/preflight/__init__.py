"""What a run needs, looked for before anything is downloaded or built; all that is missing is said at once."""

from topkd.preflight.run import Task, check_run

__all__ = ['Task', 'check_run']
