"""The pure parts of the measurements: verdicts, ratios and the table."""

from bench.figures import Figure, at_least, at_most, ratio, table


def test_a_figure_at_its_limit_is_reached() -> None:
    assert at_most(1.6).reached_by(1.6)
    assert at_least(0.9).reached_by(0.9)


def test_a_figure_beyond_its_limit_is_not_reached() -> None:
    assert not at_most(1.6).reached_by(1.61)
    assert not at_least(0.9).reached_by(0.89)


def test_a_ratio_is_the_median_of_pairs_so_that_a_slow_moment_counts_once() -> None:
    figure = ratio("speed", [1.0, 90.0, 3.0], [2.0, 30.0, 2.0], at_least(1), "calls/s")

    assert figure.value == 1.5
    assert figure.row()[1] == "1.50 (3.00 over 2.00 calls/s, 3 pairs)"


def test_a_row_says_what_was_wanted_and_whether_it_came() -> None:
    figure = Figure(measure="start", value=61.2, unit="s", reach=at_most(60), details="two starts")

    assert figure.row() == ("start", "61.2 s (two starts)", "at most 60 s", "**no**")


def test_a_figure_without_a_reach_is_only_told() -> None:
    assert Figure(measure="start", value=2).row() == ("start", "2.00", "", "")


def test_the_table_names_what_was_missed() -> None:
    small, large = (Figure(measure=name, value=2, reach=at_most(limit)) for name, limit in (("a", 1), ("b", 3)))

    assert table([small, large]).splitlines() == [
        "| measure | figure | reach | reached |",
        "| --- | --- | --- | --- |",
        "| a | 2.00 | at most 1.00 | **no** |",
        "| b | 2.00 | at most 3.00 | yes |",
        "",
        "Missed: a.",
    ]


def test_the_table_says_when_nothing_was_missed() -> None:
    assert table([Figure(measure="a", value=2, reach=at_most(2))]).endswith("\n\nEvery figure reaches what it should.")
