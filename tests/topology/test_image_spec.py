import json

import pytest
import torch

from topkd.topology import PersistenceImager, rips_diagrams


def make_points(count=12, n=20, width=3):
    return torch.randn(count, n, width, generator=torch.Generator().manual_seed(0))


def test_spec_survives_json_and_state_dict(tmp_path):
    diagrams = rips_diagrams(make_points(), (0, 1))
    imager = PersistenceImager((5, 8)).fit(diagrams)
    spec = json.loads(json.dumps(imager.spec()))
    assert set(spec) == {'resolution', 'bandwidth', 'im_range', 'scale'}
    assert torch.equal(PersistenceImager.from_spec(spec)(diagrams), imager(diagrams))
    torch.save(imager.state_dict(), tmp_path / 'state.pth')
    other = PersistenceImager((5, 8))
    other.load_state_dict(torch.load(tmp_path / 'state.pth', weights_only=True), strict=True)
    assert torch.equal(other(diagrams), imager(diagrams)) and other.spec() == imager.spec()
    with pytest.raises(ValueError, match=r'resolution \(5, 8\), this PersistenceImager has \(8, 5\): build it with'):
        PersistenceImager((8, 5)).load_state_dict(imager.state_dict())


def test_an_unfitted_state_dict_leaves_it_unfitted():
    imager = PersistenceImager().fit(rips_diagrams(make_points()))
    imager.load_state_dict(PersistenceImager().state_dict())
    with pytest.raises(RuntimeError, match='PersistenceImager was not fitted'):
        imager(torch.zeros(1, 2, 2))


@pytest.mark.parametrize(
    'change, message',
    [
        (dict(bandwidth=0.0), 'bandwidth must be positive and finite, got 0.0'),
        (dict(bandwidth=float('nan')), 'bandwidth must be positive'),
        (dict(scale=-1.0), 'scale must be positive'),
        (dict(im_range=[0, 0, 2, 1]), r'im_range must be \(lowest birth, .*got \[0.0, 0.0, 2.0, 1.0\]'),
        (dict(im_range=[0, 1]), 'im_range must be'),
        (dict(im_range=[0, 0, 1, float('inf')]), 'im_range must be'),
        (dict(im_range=3), 'im_range must be'),
        (dict(im_range=[0, 'low', 1, 2]), r'im_range must be .*got \[0.0, nan, 1.0, 2.0\]'),
        (dict(bandwidth='wide'), 'bandwidth must be positive and finite, got wide'),
        (dict(scale=True), 'scale must be positive and finite, got True'),
        (dict(resolution=5), 'for resolution 5, needed is'),
        (dict(resolution=[5, 5]), r'for resolution \(5, 5\), needed is \(20, 20\)'),
    ],
)
def test_a_senseless_spec_is_an_error(change, message):
    spec = dict(bandwidth=1.0, im_range=[0.0, 0.0, 1.0, 2.0], scale=1.0)
    with pytest.raises(ValueError, match=message):
        PersistenceImager().load_spec({**spec, **change})
    with pytest.raises(ValueError, match="the images' spec must be a dict, got 3: take one from PersistenceImager"):
        PersistenceImager().load_spec(3)
    with pytest.raises(ValueError, match='spec lacks scale'):
        PersistenceImager().load_spec(dict(bandwidth=1.0, im_range=[0, 0, 1, 2]))
