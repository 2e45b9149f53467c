"""What stands around the code: citation, model index, workflows, templates, pre-commit."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
GITHUB = ROOT / '.github'


def read(path: Path) -> dict:
    return yaml.safe_load(path.read_text(encoding='utf-8'))


def test_citation_has_what_the_format_needs():
    citation = read(ROOT / 'CITATION.cff')
    assert citation['cff-version'] == '1.2.0'
    assert {'message', 'title', 'authors'} <= set(citation) and citation['type'] in ('software', 'dataset')
    preferred = citation['preferred-citation']
    assert {'type', 'title', 'authors'} <= set(preferred)
    for author in citation['authors'] + preferred['authors']:
        assert 'name' in author or {'family-names', 'given-names'} <= set(author)


@pytest.mark.parametrize('index', ['model-index.yml', 'topkd/.mim/model-index.yml'])
def test_model_index_names_files_that_are_there(index):
    for name in read(ROOT / index)['Import']:
        assert ((ROOT / index).parent / name).is_file()


def test_models_have_configs_and_figures_of_the_documents():
    index, page = read(ROOT / 'configs' / 'metafile.yml'), (ROOT / 'docs' / 'model_zoo.md').read_text(encoding='utf-8')
    experiments = (ROOT / 'docs' / 'experiments.md').read_text(encoding='utf-8')
    names = [model['Name'] for model in index['Models']]
    assert names and len(set(names)) == len(names)
    assert {model['In Collection'] for model in index['Models']} <= {one['Name'] for one in index['Collections']}
    for model in index['Models']:
        assert (ROOT / model['Config']).is_file() and 'Weights' not in model
        for result in model['Results']:
            figure = f'{result["Metrics"]["Top 1 Accuracy"]:.2f}'
            assert re.search(rf'`{re.escape(model["Config"])}` \| {figure}\b', page), model['Name']
            assert figure in experiments


def test_figures_of_the_model_zoo_stand_in_the_other_documents():
    page = (ROOT / 'docs' / 'model_zoo.md').read_text(encoding='utf-8')
    others = ''.join((ROOT / 'docs' / name).read_text(encoding='utf-8') for name in ('experiments.md', 'study.md'))
    figures = re.findall(r'\b\d\d\.\d\d\b', page)
    assert len(figures) > 8 and not [figure for figure in figures if figure not in others]


def test_workflows_run_what_run_py_knows():
    matrix = read(GITHUB / 'workflows' / 'ci.yml')['jobs']['test']['strategy']['matrix']['include']
    assert {row['hosts'] for row in matrix} == {'onedl', 'openmmlab'}
    contributing = (ROOT / 'CONTRIBUTING.md').read_text(encoding='utf-8')
    for row in matrix:
        (torch,) = re.findall(r'^torch==(\S+?)(?:;.*>=.*)?$', (ROOT / row['requirements']).read_text(), re.MULTILINE)
        assert f'| {row["python"]} | {torch} |' in contributing
    steps = [step.get('run', '') for step in read(GITHUB / 'workflows' / 'docs.yml')['jobs']['docs']['steps']]
    assert 'python run.py docs' in steps


def test_templates_are_forms():
    forms = [path for path in (GITHUB / 'ISSUE_TEMPLATE').glob('*.yml') if path.stem != 'config']
    assert {path.stem for path in forms} == {'bug', 'feature', 'method'}
    for path in forms:
        form = read(path)
        assert form['name'] and form['description'] and form['body']
        identities = [part['id'] for part in form['body']]
        assert len(set(identities)) == len(identities)
        assert {part['type'] for part in form['body']} <= {'textarea', 'input', 'checkboxes', 'dropdown', 'markdown'}


def test_pre_commit_runs_the_tested_ruff():
    hooks = {repo['repo'].split('/')[-1]: repo for repo in read(ROOT / '.pre-commit-config.yaml')['repos']}
    (version,) = re.findall(r'^ruff==(\S+)$', (ROOT / 'requirements' / 'tested.txt').read_text(), re.MULTILINE)
    assert hooks['ruff-pre-commit']['rev'] == f'v{version}'
    assert [hook['entry'] for hook in hooks['local']['hooks']] == ['mypy']
