import numpy as np

from nst.pictures.heat_map import MAP_SIDE, heat_map, matrix_heat_map, plane_heat_map


def test_higher_values_are_lighter() -> None:
    colors = heat_map(np.linspace(0, 1, 50, dtype=np.float32)[None])
    assert colors.shape == (1, 50, 3)
    assert np.all(np.diff(colors.sum(axis=-1)[0]) > 0)
    assert colors.min() >= 0
    assert colors.max() <= 1


def test_a_large_matrix_is_reduced_and_a_small_one_keeps_its_cells() -> None:
    assert matrix_heat_map(np.ones((512, 512), np.float32), np.ones(1)).shape == (MAP_SIDE, MAP_SIDE, 3)
    small = matrix_heat_map(np.diag([1.0, 0.1, -1.0]).astype(np.float32), np.ones(1))
    assert small.shape == (3, 3, 3)
    assert np.allclose(small[0, 0], small[2, 2])  # the sign does not count
    assert small[0, 0].sum() > small[1, 1].sum() > small[0, 1].sum()


def test_a_plane_is_drawn_at_the_size_of_the_picture() -> None:
    plane = np.zeros((6, 8), np.float32)
    plane[0, 0] = 1.0
    colors = plane_heat_map(plane, 48, 64)
    assert colors.shape == (48, 64, 3)
    assert colors[2, 2].sum() > colors[40, 40].sum()
    assert plane_heat_map(np.zeros((6, 8), np.float32), 6, 8).max() < 0.1
