"""ImageNet-style folders: what is listed, and folders whose labels would be wrong in silence."""

import shutil

import pytest
from image_folders import write_imagenet

from topkd.datasets import ImageFolder

CLASSES = ['n02', 'n00', 'n01']


@pytest.fixture
def folder(tmp_path):
    return write_imagenet(tmp_path / 'imagenet', CLASSES)


def test_labels_are_alphabetical_in_both_splits(folder):
    train, val = ImageFolder(folder, 'train', pipeline=[]), ImageFolder(str(folder), 'val', pipeline=[])
    assert (len(train), len(val)) == (12, 6)
    for data in (train, val):
        assert data.metainfo['classes'] == ('n00', 'n01', 'n02')
        for number in range(len(data)):
            info = data.get_data_info(number)
            assert info['img_path'].split('/')[-2] == f'n0{info["gt_label"]}'
    assert len(ImageFolder(folder, indices=5, pipeline=[])) == 5


def test_number_of_classes(folder, monkeypatch):
    ImageFolder(folder, num_classes=3, pipeline=[])
    said = []
    monkeypatch.setattr('topkd.datasets.image_folder.print_log', lambda text, *args, **kwargs: said.append(text))
    ImageFolder(folder, num_classes=1000, pipeline=[])
    assert 'holds 3 class folders, the classifier has 1000 outputs' in said[0]
    with pytest.raises(ValueError, match="train' holds 3 class folders, the classifier has 2 outputs: set num_classes"):
        ImageFolder(folder, num_classes=2, pipeline=[])


def test_folders_whose_labels_would_be_wrong(folder):
    shutil.move(folder / 'val' / 'n00', folder / 'val' / 'n07')
    with pytest.raises(ValueError, match="class folders of 'train'; missing: n00; unknown: n07"):
        ImageFolder(folder, 'val', pipeline=[])
    shutil.move(folder / 'val' / 'n07', folder / 'val' / 'n00')
    for image in (folder / 'val' / 'n00').iterdir():
        image.unlink()
    data = ImageFolder(folder, 'val', pipeline=[])  # an empty folder keeps the numbers of the others
    assert [data.get_data_info(number)['gt_label'] for number in range(len(data))] == [1, 1, 2, 2]


def test_folders_without_classes_or_images(folder, tmp_path):
    with pytest.raises(FileNotFoundError, match="none/train' does not exist: set data_root"):
        ImageFolder(tmp_path / 'none')
    flat = folder / 'val'
    for path in list(flat.glob('*/*.JPEG')):
        shutil.move(path, flat / path.name)
    for path in list(flat.iterdir()):
        if path.is_dir():
            path.rmdir()
    with pytest.raises(ValueError, match='must hold one folder a class, got 6 entries that are no folders'):
        ImageFolder(folder, 'val')
    for path in folder.glob('train/*/*'):
        path.unlink()
    with pytest.raises(ValueError, match="train' holds no images: put them into its 3 class folders"):
        ImageFolder(folder)
