import pytest

from nst.runs import memory_budget


def test_the_budget_is_what_was_given_or_a_share_of_what_is_free(monkeypatch, tmp_path):
    assert memory_budget.budget(2.5) == 2_500_000_000
    free = memory_budget.budget()
    assert free > 0
    limit, used = tmp_path / "limit", tmp_path / "used"
    used.write_text("1000000\n")
    monkeypatch.setattr(memory_budget, "CONTAINERS", ((str(limit), str(used)),))
    for text in ("max\n", "9223372036854771712\n"):  # no limit, in the words of two kinds of container
        limit.write_text(text)
        assert memory_budget.budget() == pytest.approx(free, rel=0.2)
    limit.write_text("1000000\n")
    assert memory_budget.budget() < free / 2


def test_pages_of_files_count_as_free(monkeypatch, tmp_path):
    for name, text in (("memory.max", "3000000000"), ("memory.current", "2900000000")):
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(
        memory_budget, "CONTAINERS", ((str(tmp_path / "memory.max"), str(tmp_path / "memory.current")),)
    )
    full = memory_budget.budget()
    (tmp_path / "memory.stat").write_text("anon 5\ninactive_file 1000000000\n")
    assert memory_budget.budget() - full == pytest.approx(0.7e9, rel=0.2)


def test_what_is_spare_is_the_budget_without_what_the_process_has():
    assert 0 < memory_budget.budget(100.0) - memory_budget.spare(100.0) < 100e9
