"""Pages that are run as written, command by command, as a reader would."""

import pytest
from pages import ROOT, blocks, pages
from walk import forked, run_command, walk

# entries that shorten what takes longer than a test may, by config
DIGITS = {
    'topkd::baselines/resnet20_digits.py': [],
    'topkd::topkd/resnet20-resnet8_digits_exact.py': ['model.teacher.floor=None'],
    'topkd::kd/resnet20-resnet8_digits.py': ['model.teacher.floor=None'],
}
SHORTER = {'docs/start.md': DIGITS, 'docs/deploy.md': DIGITS}
FEW = ['train_dataloader.dataset.indices=64', 'val_dataloader.dataset.indices=64']
# pages that go on with the first blocks of another one: its images, data.py and teacher.py
EARLIER = {'docs/tutorials/vit_pair.md': blocks('docs/tutorials/cnn_pair.md')[:4]}
FOLDERS = ('docs/extending/', 'docs/tutorials/')
RUN = ['docs/start.md', 'docs/deploy.md', *(page for page in pages() if page.startswith(FOLDERS))]


@pytest.mark.parametrize('page', RUN)
def test_page_runs_as_written(page, tmp_path, monkeypatch):
    def do(words: list[str]) -> None:
        options = SHORTER.get(page, {}).get(words[2]) if words[:2] == ['topkd', 'train'] else None
        run_command(words if options is None else [*words, '--cfg-options', *FEW, *options])

    (tmp_path / 'here').mkdir()
    (tmp_path / 'here' / 'requirements').symlink_to(ROOT / 'requirements')
    monkeypatch.chdir(tmp_path / 'here')
    code = forked(lambda: walk([*EARLIER.get(page, []), *blocks(page)], do), tmp_path / 'log')
    assert code == 0, (tmp_path / 'log').read_text()[-6000:]
