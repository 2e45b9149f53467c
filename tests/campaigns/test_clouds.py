"""The short form of the campaign of clouds."""

from . import clouds
from .report import Limit, Report


def test_clouds_of_every_kind(tmp_path, monkeypatch):
    report = Report()
    clouds.campaign(11, Limit(0, 150), report, tmp_path)
    assert report.problems == [] and report.counts['clouds'] == 150 and report.counts['clouds with cycles'] > 50


def test_wrong_deaths_are_found(tmp_path, monkeypatch):
    monkeypatch.setattr(clouds, 'rips_h0', lambda points: 1.01 * wrong(points))
    wrong = clouds.rips_diagrams.__globals__['rips_h0']
    report = Report()
    clouds.campaign(11, Limit(0, 10), report, tmp_path)
    assert any('deaths differ from gudhi' in problem for problem in report.problems)
