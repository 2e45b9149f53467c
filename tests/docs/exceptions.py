"""Commands of the documents that are checked, not run: by page, a part of each such command and the reason."""

COCO = 'needs COCO, and weights from the network; tests/docs/test_tutorials.py runs pairs of both kinds'
SLURM = 'needs a Slurm cluster; tests/reproduction runs against one or a stand-in'
JOB = 'sets up an environment; tests/test_run.py and tests/tools run what it does'
CAMPAIGN = 'takes half an hour; tests/campaigns runs a short form'
GPU = 'needs a GPU'
NETWORK = 'downloads packages'
SERVICE = 'sets up a service of the machine'
STEPS = 'takes a hundred steps with a trained teacher'
STUDENTS = 'takes hours; tests/runners makes clouds of students, and tests/tools records their errors'
ESTIMATE = 'times steps of every kind; tests/reproduction has an estimate'
CHECKED = {
    'README.md': {'run.py': JOB, '_coco': COCO, '--cluster slurm': SLURM},
    'docs/detection.md': {'_coco': COCO},
    'docs/gpu.md': {
        'venv': NETWORK,
        'grep': NETWORK,
        'pack/bin/': NETWORK,
        'torch.cuda': GPU,
        'pytest': GPU,
        'benchmarks/': GPU,
        'tools/': f'{GPU}; README.md and docs/cohorts.md run the same tools',
    },
    'docs/losses.md': {'configs/study/ripsnets/': STUDENTS},
    'docs/methods.md': {'benchmarks/method_terms.py': STEPS},
    'docs/reliability.md': {'tests.campaigns': CAMPAIGN},
    'docs/reproduce.md': {
        '--estimate': ESTIMATE,
        '--cluster slurm': SLURM,
        **dict.fromkeys(
            'mkdir chown chmod runuser mariadb mariadbd-safe sleep cat slurmdbd slurmctld slurmd sacctmgr sinfo'.split(),
            SERVICE,
        ),
    },
}


def reason(page: str, words: list[str]) -> str | None:
    """Return why a command of a page is not run, or None if it is."""
    command = ' '.join(words)
    return next((why for part, why in CHECKED.get(page, {}).items() if part in command), None)


def report() -> list[str]:
    """Return a line for each page and reason."""
    lines = []
    for page, parts in CHECKED.items():
        for why in dict.fromkeys(parts.values()):
            lines.append(f'{page}: {why} ({", ".join(part for part, given in parts.items() if given == why)})')
    return lines
