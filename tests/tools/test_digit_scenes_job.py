"""The embedded detection job, at its smallest."""

import json
import os
import re
import subprocess
import sys

import cv2
import pytest


@pytest.mark.parametrize(
    'detector, png', [('faster-rcnn', 'detections.png'), ('retinanet', 'detections_retinanet.png')]
)
def test_quick_job_ends_with_a_table_and_a_picture(detector, png, request, tmp_path):
    root = request.config.rootpath
    environment = dict(
        os.environ, OMP_NUM_THREADS='1', PYTHONPATH=f'{root}{os.pathsep}{os.environ.get("PYTHONPATH", "")}'
    )
    done = subprocess.run(
        [
            sys.executable,
            str(root / 'tools' / 'digit_scenes.py'),
            '--quick',
            '--work-dir',
            'job',
            '--detector',
            detector,
        ],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    out = done.stdout
    assert '16 scenes to train on and 8 of other writers to measure' in out
    pair = f'{detector}_r18w32-r18w16_digit-scenes_exact'
    folders = {
        'teacher': f'teachers/{detector}_r18w32_digit-scenes_1epochs',
        'plain student': f'plain/{detector}_r18w16_digit-scenes_exact/seed0_1epochs',
        'KD student': f'{pair}/KD/seed0_1epochs',
        'TopKD student': f'{pair}/TopKD/seed0_1epochs',
    }
    for name, folder in folders.items():
        assert re.search(rf'\[ +\d+ s\] {name}: AP 0\.\d{{3}}', out)
        # a RetinaNet of two steps finds no box: AP is 0, and nothing is known of the other figures
        others = r' +0\.\d{3} +0\.\d{3}' if detector == 'faster-rcnn' else r' +(0\.\d{3}|-) +(0\.\d{3}|-)'
        assert re.search(rf'^{name} +0\.\d{{3}}{others}', out, re.MULTILINE)
        results = json.loads((tmp_path / 'job' / folder / 'results.json').read_text())
        assert results['last']['iter'] == 2
    for name in ('KD student', 'TopKD student'):
        assert (tmp_path / 'job' / folders[name] / 'student_epoch_1.pth').is_file()
    # five rows of five scenes at twice their size, below titles
    assert cv2.imread(str(tmp_path / 'job' / png)).shape == (5 * (28 + 262), 5 * 262, 3)
