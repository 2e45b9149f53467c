"""Point clouds from files: what is read, and what is said of files that hold none."""

import numpy as np
import pytest

from topkd.datasets.point_file import read_points

POINTS = np.array([[0.0, 1.5], [2, 3], [-4, 5e-3]])


def test_every_format_gives_the_same_points(tmp_path):
    np.save(tmp_path / 'a.npy', POINTS)
    np.savez(tmp_path / 'a.npz', POINTS)
    np.savez(tmp_path / 'two.npz', first=POINTS, second=POINTS + 1)
    np.savetxt(tmp_path / 'a.csv', POINTS, delimiter=',')
    np.savetxt(tmp_path / 'a.txt', POINTS)
    np.savetxt(tmp_path / 'b.csv', POINTS, delimiter=',', header='x,y', comments='')
    for name in ('a.npy', 'a.npz', 'a.csv', 'a.txt', 'b.csv'):
        np.testing.assert_array_equal(read_points(tmp_path / name), POINTS)
    np.testing.assert_array_equal(read_points(tmp_path / 'two.npz', key='second'), POINTS + 1)


def test_several_clouds_and_whole_numbers(tmp_path):
    np.save(tmp_path / 'a.npy', np.stack([POINTS, POINTS * 2]))
    np.testing.assert_array_equal(read_points(tmp_path / 'a.npy', index=1), POINTS * 2)
    np.save(tmp_path / 'one.npy', POINTS[None].astype(np.int32))
    found = read_points(tmp_path / 'one.npy')
    assert found.dtype == np.float64 and found.shape == (3, 2)


@pytest.mark.parametrize(
    'array, options, message',
    [
        (np.stack([POINTS] * 4), {}, 'holds 4 clouds of 3 points: choose one by --index 0 to 3'),
        (np.stack([POINTS] * 4), dict(index=4), 'holds 4 clouds, --index must be 0 to 3, got 4'),
        (POINTS, dict(index=0), r'holds one cloud of shape \(3, 2\): leave out --index'),
        (POINTS[0], {}, r'got an array of shape \(2,\): reshape it'),
        (POINTS[:1], {}, r'with n >= 2, got an array of shape \(1, 2\)'),
        (np.array([[0, 1.0], [np.nan, 0], [np.inf, 1]]), {}, 'point 1 of .* is not finite .*; 2 such of 3'),
        (POINTS > 0, {}, 'must hold real numbers, got an array of bool'),
        (POINTS * 1j, {}, 'must hold real numbers, got an array of complex128'),
    ],
)
def test_arrays_that_are_no_cloud(tmp_path, array, options, message):
    np.save(tmp_path / 'a.npy', array)
    with pytest.raises(ValueError, match=message):
        read_points(tmp_path / 'a.npy', **options)


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(FileNotFoundError, match='does not exist: name a file .npy, .npz, .csv, .txt, or a config .py'):
        read_points(tmp_path / 'none.npy')
    (tmp_path / 'a.json').write_text('[]')
    with pytest.raises(ValueError, match='is no file of points: expected one of .npy'):
        read_points(tmp_path / 'a.json')
    np.save(tmp_path / 'objects.npy', np.array([dict()], dtype=object), allow_pickle=True)
    np.save(tmp_path / 'whole.npy', POINTS)
    (tmp_path / 'half.npy').write_bytes((tmp_path / 'whole.npy').read_bytes()[:-9])
    np.savez(tmp_path / 'whole.npz', POINTS)
    (tmp_path / 'half.npz').write_bytes((tmp_path / 'whole.npz').read_bytes()[:100])
    (tmp_path / 'empty.npy').write_bytes(b'')
    for name in ('objects.npy', 'half.npy', 'half.npz', 'empty.npy'):
        with pytest.raises(
            ValueError, match='cannot be read as a numpy file .*: it is damaged or holds Python objects'
        ):
            read_points(tmp_path / name)


@pytest.mark.parametrize(
    'text, message',
    [
        ('0,1\n2\n', 'must hold one point a row, numbers separated by commas, all rows of one length'),
        ('0,1,2\n2,3\n4,5\n', 'all rows of one length'),
        ('0,one\n2,3\n4,5\n', 'numbers separated by commas'),
        ('x,y\na,b\n1,2\n', 'must hold one point a row'),
        ('', 'got an array of shape'),
    ],
)
def test_rows_that_are_no_points(tmp_path, text, message):
    (tmp_path / 'a.csv').write_text(text)
    with pytest.raises(ValueError, match=message):
        read_points(tmp_path / 'a.csv')


def test_an_archive_of_several_arrays_needs_a_key(tmp_path):
    np.savez(tmp_path / 'two.npz', first=POINTS, second=POINTS)
    with pytest.raises(
        ValueError, match='holds the arrays first, second, one has to be chosen: name one of them by --key'
    ):
        read_points(tmp_path / 'two.npz')
    with pytest.raises(ValueError, match="none is named 'third'"):
        read_points(tmp_path / 'two.npz', key='third')


def test_a_file_of_a_windows_editor(tmp_path):
    (tmp_path / 'a.csv').write_bytes(b'\xef\xbb\xbf1,2\r\n3,4\r\n')
    assert read_points(tmp_path / 'a.csv').tolist() == [[1.0, 2.0], [3.0, 4.0]]


def test_a_key_for_an_array_without_a_name(tmp_path):
    np.save(tmp_path / 'a.npy', np.ones((3, 2)))
    with pytest.raises(ValueError, match='holds one array, which has no name, got --key x: leave it out'):
        read_points(tmp_path / 'a.npy', key='x')
