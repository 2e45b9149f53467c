"""What figures of images show: the very pixels, curves and words they were given."""

import numpy as np
import pytest
import torch
from matplotlib.image import imread

from topkd.analysis.images.comparison import image_figure, plot_image_comparison
from topkd.analysis.images.network_figure import network_figure
from topkd.analysis.images.network_images import NetworkImages
from topkd.analysis.style import as_pixels, new_figure

RANGE = [0.0, 2.0, 1.0, 5.0]


def images(count: int = 2, seed: int = 0) -> torch.Tensor:
    return torch.rand(count, 12, generator=torch.Generator().manual_seed(seed))


def panels(figure) -> list:
    """Return the axes that are no color bar, row by row."""
    return [axis for axis in figure.axes if axis.get_label() != '<colorbar>']


def test_pixels_and_curves_are_the_images():
    exact, approximated = images(seed=0), images(seed=1)
    figure = image_figure(dict(exact=exact, RipsNet=approximated), ['one', 'two'], RANGE, (3, 4), 'title')
    axes = np.array(panels(figure)).reshape(3, 2)
    for column in range(2):
        for row, group in enumerate((exact, approximated)):
            shown = axes[row, column].images[0]
            assert np.array_equal(shown.get_array(), group[column].reshape(4, 3).numpy())
            # pixels are 1 wide and 4/3 high, and the ends of the range are centers
            assert shown.get_extent() == pytest.approx([-0.5, 2.5, 1 - 2 / 3, 5 + 2 / 3]) and shown.origin == 'lower'
            assert list(axes[row, column].get_xticks()) == [0, 2]
            assert shown.get_clim() == pytest.approx((0, max(exact.max(), approximated.max()).item()))
            line = axes[2, column].lines[row]
            assert line.get_xdata() == pytest.approx(group[column].reshape(4, 3).mean(1).numpy())
            assert line.get_ydata() == pytest.approx([1, 7 / 3, 11 / 3, 5])
            assert axes[2, column].get_ylim() == pytest.approx((1 - 2 / 3, 5 + 2 / 3))  # level with the pixels
    assert [axis.get_title() for axis in axes[0]] == ['one', 'two'] and figure._suptitle.get_text() == 'title'
    assert [axis.get_ylabel() for axis in axes[:, 0]] == [
        'exact\npersistence',
        'RipsNet\npersistence',
        'both\npersistence',
    ]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ['exact', 'RipsNet']
    dashes = {line.get_linestyle() for line in axes[2, 0].lines}
    assert len(dashes) == 2  # told apart in gray


def test_first_curve_is_repeated_as_the_reference():
    exact = images()
    figure = image_figure(dict(exact=exact), ['teacher\nnote', 'student'], RANGE, (3, 4), reference=True)
    axes = np.array(panels(figure)).reshape(2, 2)
    assert len(axes[1, 0].lines) == 1
    reference = axes[1, 1].lines[0]
    assert reference.get_label() == 'teacher, exact' and reference.get_linestyle() == ':'
    assert reference.get_xdata() == pytest.approx(exact[0].reshape(4, 3).mean(1).numpy())


def test_births_without_width_and_an_unknown_range():
    flat = panels(image_figure(dict(exact=images(1)), ['x'], [0.0, 0.0, 1.0, 5.0], (3, 4)))
    assert flat[0].get_xlabel() == 'birth (all 0)' and not len(flat[0].get_xticks())
    unknown = panels(image_figure(dict(RipsNet=images(1)), ['x'], None, (3, 4)))
    assert flat[0].images[0].get_extent()[:2] == [-1.5, 1.5]
    assert unknown[0].images[0].get_extent() == [-0.5, 2.5, -0.5, 3.5]
    assert unknown[1].lines[0].get_ydata() == pytest.approx([0, 1, 2, 3])
    assert unknown[0].get_ylabel() == 'RipsNet\nrow of the image' and unknown[0].get_xlabel() == 'column of the image'


def test_shapes_that_do_not_fit():
    with pytest.raises(
        ValueError, match=r'expected 2 images of 3 x 4 pixels of every kind, got \(2, 12\) and \(1, 12\)'
    ):
        image_figure(dict(exact=images(2), RipsNet=images(1)), ['a', 'b'], RANGE, (3, 4))
    with pytest.raises(ValueError, match='expected 2 images of 20 x 20 pixels'):
        image_figure(dict(exact=images(2)), ['a', 'b'], RANGE)


def test_comparison_is_written_as_a_file(tmp_path):
    plot_image_comparison(images(), images(seed=1), ['a', 'b'], str(tmp_path / 'x.png'), RANGE, (3, 4), 'title')
    height, width = imread(tmp_path / 'x.png').shape[:2]
    assert (width, height) == (round(200 * (2.3 * 2 + 1.6)), 200 * 7.2)
    black = plot_image_comparison(images() * 0, images() * 0, ['a', 'b'], str(tmp_path / 'x.png'), RANGE, (3, 4))
    assert black is None  # images of nothing are drawn, too


def test_networks_of_one_cloud_with_their_errors():
    exact, approximated = images(2), images(2, seed=1)
    shown = dict(
        teacher=NetworkImages(exact, approximated, torch.tensor([0.0, 0.25])),
        plain=NetworkImages(exact + 1, approximated, torch.tensor([0.0, 1.0])),
    )
    figure = network_figure(shown, 1, RANGE, (3, 4), 'cloud 2')
    axes = np.array(panels(figure)).reshape(3, 2)
    assert np.array_equal(axes[0, 1].images[0].get_array(), (exact[1] + 1).reshape(4, 3).numpy())
    error = (exact[1] - approximated[1]).square().mean().item()
    assert axes[0, 0].get_title() == f'teacher\nRipsNet MSE {error:.2g}\n25% out of range'
    assert axes[0, 1].get_title().endswith('100% out of range')
    alone = network_figure(dict(teacher=NetworkImages(None, approximated, None)), 0, None, (3, 4))
    assert panels(alone)[0].get_title() == 'teacher'


def test_figures_become_pixels():
    figure, axis = new_figure(2.0, 1.5)
    axis.set_facecolor('#0072B2')
    pixels = as_pixels(figure, 80)
    assert pixels.shape == (120, 160, 3) and pixels.dtype == np.uint8
    assert (pixels.reshape(-1, 3) == [0, 0x72, 0xB2]).all(1).mean() > 0.4
