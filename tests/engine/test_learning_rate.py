import pytest

from nst.engine.training.learning_rate import warm_cosine


@pytest.mark.parametrize(
    ("steps", "progress", "share"),
    [
        (0, 0.0, 0.01),  # the first of 100 steps of warm-up
        (49, 0.0, 0.5),
        (99, 0.0, 1.0),
        (10**6, 0.5, 0.5025),  # 0.005 + 0.995 / 2
        (10**6, 1.0, 0.005),
    ],
)
def test_the_learning_rate_rises_in_a_line_and_falls_by_half_a_cosine(steps, progress, share):
    assert warm_cosine(steps, progress) == pytest.approx(share)
