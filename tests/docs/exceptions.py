"""Pages whose commands are checked, not run: for each the reason, and how many commands that are at most."""

HOURS = 'data sets that are not at hand, and hours to days of training'
CHECKED = {
    'README.md': (HOURS, 30),
    'docs/cohorts.md': (HOURS, 3),
    'docs/detection.md': (HOURS, 3),
    'docs/experiments.md': (HOURS, 4),
    'docs/gpu.md': ('a GPU, and a network to pack what it needs', 17),
    'docs/methods.md': (f'{HOURS}; tests/test_method_configs.py steps every config', 3),
    'docs/reliability.md': ('half an hour; tests/campaigns has a short form', 3),
    'docs/transformers.md': (f'{HOURS}; tests/test_transformer_configs.py steps every recipe', 4),
    'docs/reproduce.md': (f'{HOURS}, and a cluster; tests/reproduction runs plans', 24),
}


def report() -> list[str]:
    """Return a line for each page."""
    return [f'{page}: at most {count} commands ({reason})' for page, (reason, count) in CHECKED.items()]
