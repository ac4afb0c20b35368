"""What a benchmark says of its own numbers."""

import json

from bench.report import Goal, result, show


def test_a_number_is_the_median_beside_the_median_of_the_other(capsys):
    found = result("push", [90, 100, 400], "ops/s", versus=("Kinto", [4, 5, 6]))

    show({"cores": 2}, [found], as_json=True)
    told = json.loads(capsys.readouterr().out)

    assert told["machine"] == {"cores": 2}
    [row] = told["results"]
    assert (row["value"], row["against"], row["ratio"]) == (100, 5, 20)
    assert (row["low"], row["high"]) == (90, 400)
    assert row["goal"] is row["met"] is None


def test_a_goal_is_met_at_its_very_number_and_missed_beside_it():
    least, most = Goal(least=0.5, is_ratio=True), Goal(most=80)

    assert [least.is_met(0, ratio) for ratio in (0.5, 0.49)] == [True, False]
    assert [most.is_met(value, None) for value in (80, 81)] == [True, False]


def test_a_ratio_is_neither_met_nor_missed_with_nothing_beside():
    assert result("push", [100], "ops/s", goal=Goal(least=20, is_ratio=True)).met is None
