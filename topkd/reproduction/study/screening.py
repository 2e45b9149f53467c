"""The written rule by which terms pass the screening."""

from topkd.reproduction.study.protocol import Study


def finalists(study: Study, differences: dict[str, float]) -> list[str]:
    """Name the terms that pass, in the study's order.

    Those that pass in any case; and of each other kind the best, as many as the study takes, as far as they do not lose
    more than its margin.

    Args:
        study (Study): Knows the rule.
        differences (dict[str, float]): Mean paired difference to the base, in points, by term.
    """
    rule = study.screening
    passed = set(rule.always)
    for kind, count in (('topology', rule.topology), ('reference', rule.references)):
        others = [
            name
            for name, term in study.terms.items()
            if term.kind == kind and name not in rule.always and differences[name] >= rule.margin
        ]
        passed.update(_best(others, differences, count))
    return [name for name in study.terms if name in passed]


def for_other_bases(study: Study, differences: dict[str, float]) -> list[str]:
    """Name the topology terms that also run on the other bases: the best of those that passed.

    Args:
        study (Study): Knows the rule.
        differences (dict[str, float]): See :func:`finalists`.
    """
    passed = [name for name in finalists(study, differences) if study.terms[name].kind == 'topology']
    best = _best(passed, differences, study.screening.other_bases)
    return [name for name in passed if name in best]


def _best(names: list[str], differences: dict[str, float], count: int) -> list[str]:
    return sorted(names, key=lambda name: -differences[name])[:count]
