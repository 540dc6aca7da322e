"""The table of scores: who is better, what is unknown, and names that are no markup."""

import re

from visual_foresight.gui.page.tabs.score_table import score_table
from visual_foresight.gui.session.questions.compare import Compared, Comparison
from visual_foresight.gui.session.questions.scores import Scores


def comparison(first, second, still, is_of_run=True, name="flow"):
    return Comparison(
        models=(Compared("rigid", (), (first,)), Compared(name, (), (second,))),
        still=(still,),
        first_step=3,
        is_of_run=is_of_run,
        unit="px",
    )


def cells(table, row):
    return re.findall(r"<td>(.*?)</td>", re.findall(r"<tr.*?</tr>", table)[2 + row])


def test_the_better_model_is_marked_and_what_has_not_happened_is_unknown():
    table = score_table(
        comparison(
            Scores((3.0, 2.0), (0.5,), (0.01,)),
            Scores((4.0, 1.0), (0.25,), (0.01,)),
            Scores((5.0, 5.0), (9.0,), (0.2,)),
        ),
        step=3,
        ahead=2,
    )
    assert cells(table, 0) == [
        *("<b>3.0</b>", "4.0", "5.0"),
        *("0.500", "<b>0.250</b>", "9.0"),
        *("0.010", "0.010", "0.200"),
    ]
    assert cells(table, 1) == ["2.0", "<b>1.0</b>", "5.0", *["–"] * 6]
    assert table.count('class="shown"') == 1
    assert table.index('class="shown"') > table.index('scope="row">1<')


def test_of_a_plan_there_are_distances_alone_and_only_at_its_step():
    known = Scores((3.0,))
    plan = comparison(known, known, known, is_of_run=False)
    table = score_table(plan, step=3, ahead=0)
    assert "to the goal (px)" in table and "error" not in table and "shown" not in table
    assert score_table(plan, step=2, ahead=0) == ""
    nothing = comparison(Scores(()), Scores(()), Scores(()), is_of_run=False)
    assert score_table(nothing, step=3, ahead=0) == ""


def test_a_name_is_no_markup():
    known = Scores((3.0,))
    table = score_table(comparison(known, known, known, name="<b>&"), step=3, ahead=1)
    assert "&lt;b&gt;&amp;" in table
