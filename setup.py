"""Package topkd; its configs and tools travel inside it, so that configs can be inherited as ``topkd::...``."""

from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
VERSION = {}
exec((HERE / 'topkd' / 'version.py').read_text(), VERSION)

setup(
    name='topkd',
    version=VERSION['__version__'],
    description='Knowledge distillation by topological characteristics, in the MMEngine style',
    long_description=(HERE / 'README.md').read_text(encoding='utf-8'),
    long_description_content_type='text/markdown',
    license='Apache-2.0',
    python_requires='>=3.10,<3.14',
    packages=find_packages(include=['topkd', 'topkd.*']),
    # topkd/.mim holds links to configs/ and tools/, where mmengine looks for them in an installed package
    package_data={
        'topkd': ['reproduction/paper.json', '.mim/model-index.yml', '.mim/configs/**/*.py', '.mim/tools/**/*']
    },
    install_requires=[
        'torch>=2.4',
        'torchvision',
        'onedl-mmengine>=0.10.12',
        'onedl-mmcv>=2.3.6',
        'onedl-mmdetection>=3.5.1',
        'onedl-mmpretrain>=1.3.6',
        'gudhi>=3.10',
        'numpy',
        'scipy',
        'pycocotools',
        # the embedded data sets and pictures
        'scikit-learn',
        'matplotlib',
    ],
    extras_require={'test': ['pytest', 'pytest-xdist', 'hypothesis'], 'analysis': ['umap-learn']},
)
