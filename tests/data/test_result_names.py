"""Names of generated pictures, as public code writes them."""

import pytest

from posekit.data.result_names import RULES, check_rule, name_key, read_by_rule, shown_person
from posekit.util.errors import InputError

SOURCE, TARGET = "WOMEN/Dresses/id_00002629/02_1_front", "WOMEN/Dresses/id_00002629/02_3_back"


@pytest.mark.parametrize(
    ("rule", "name"),
    [
        (RULES[0], "fashionWOMENDressesid0000262902_1front_2_fashionWOMENDressesid0000262902_3back_vis.jpg"),
        (RULES[0], "fasionWOMENDressesid0000262902_1front_2_fasionWOMENDressesid0000262902_3back_vis.png"),
        (RULES[1], "fasionWOMENDressesid0000262902_1front.jpg___fasionWOMENDressesid0000262902_3back.jpg_vis.png"),
        (RULES[3], "fasionWOMENDressesid0000262902_1front.jpg_fasionWOMENDressesid0000262902_3back.jpg.jpg"),
        ("{target}_from_{source}", "WOMEN#Dresses#id_00002629#02_3_back_from_WOMEN#Dresses#id_00002629#02_1_front.png"),
        (
            "x{source}_to_{target}.png",
            "xfashionWOMENDressesid0000262902_1front_to_fashionWOMENDressesid0000262902_3back",
        ),
    ],
)
def test_published_names_are_read(rule, name):
    check_rule(rule)
    assert (SOURCE, TARGET) in list(read_by_rule(rule, name))


def test_names_of_market_are_read():
    name = "0002_c1s1_000451_03.jpg___0002_c2s1_000301_01.jpg_vis.png"
    assert list(read_by_rule(RULES[1], name)) == [("0002_c1s1_000451_03", "0002_c2s1_000301_01")]


def test_a_name_that_holds_the_separator_is_read_in_every_way():
    """Names between slashes or hashes hold `_2_` themselves; which way is meant, the photographs decide."""
    name = "WOMEN#Dresses#id_00002629#02_2_side_2_WOMEN#Dresses#id_00002629#02_2_side_vis.png"
    ways = list(read_by_rule(RULES[0], name))
    assert len(ways) == 3
    assert ("WOMEN/Dresses/id_00002629/02_2_side", "WOMEN/Dresses/id_00002629/02_2_side") in ways


@pytest.mark.parametrize("name", ["_2_b_vis.png", "a_2__vis.png", "a_2_b.png", "_2__vis.png", "_vis", ""])
def test_what_a_rule_does_not_fit(name):
    assert list(read_by_rule(RULES[0], name)) == []


@pytest.mark.parametrize(
    "rule", ["", "a", "{source}", "{target}{source}", "{target}_{target}", "{target}_{other}", "{}"]
)
def test_rules_by_which_nothing_can_be_read(rule):
    with pytest.raises(InputError, match="A rule of names holds {target} once"):
        check_rule(rule)


def test_keys_drop_folders_and_suffixes_but_no_other_dots():
    assert name_key("some/folder/a.b.PNG") == "a.b"
    assert name_key("a.b") == "a.b"
    assert name_key(r"C:\pictures\a.webp") == "a"
    assert name_key("query/0002_c1s1_000451_03.jpg") == "0002_c1s1_000451_03"


def test_who_is_shown():
    assert shown_person(SOURCE, "any.png") == "WOMEN/Dresses/id_00002629/02"
    assert shown_person("0002_c1s1_000451_03", "any.png") == "2"
    assert shown_person("holiday", "holiday.png") == "holiday"
    assert shown_person("17_b", "17_b.png", r"^([0-9]+)_") == "17"
    with pytest.raises(InputError, match="does not fit the name holiday.png"):
        shown_person("holiday", "holiday.png", r"^([0-9]+)_")
    for pattern in ("(", "no group", "^$"):
        with pytest.raises(InputError, match=r"no group|regular expression|does not fit"):
            shown_person("no group", "no group.png", pattern)
