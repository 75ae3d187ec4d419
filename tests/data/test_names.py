"""One photograph, many spellings: each converts into every other."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posekit.data.names import (
    CATEGORIES,
    SPELLINGS,
    DeepFashionName,
    MarketName,
    generated_name,
    is_generated,
    parse_deepfashion,
    parse_market,
    photograph_key,
)
from posekit.util.errors import InputError

SIDE = DeepFashionName("WOMEN", "Blouses_Shirts", 442, 1, 2, "side")


@pytest.mark.parametrize(
    "text",
    [
        "WOMEN/Blouses_Shirts/id_00000442/01_2_side.jpg",
        "img_highres/WOMEN/Blouses_Shirts/id_00000442/01_2_side.jpg",
        r"img\WOMEN\Blouses_Shirts\id_00000442\01_2_side.jpg",
        "WOMEN#Blouses_Shirts#id_00000442#01_2_side",
        "WOMEN-Blouses_Shirts-id_00000442-01_2_side.jpg",
        "maps/WOMEN#Blouses_Shirts#id_00000442#01_2_side_IUV.png",
        "fasionWOMENBlousesShirtsid0000044201_2side.jpg",
        "fashionWOMENBlouses_Shirtsid0000044201_2side.jpg",
        "test/fashionWOMENBlouses_Shirtsid0000044201_2side_iuv.png",
        "deepfashionWOMENBlouses_Shirtsid0000044201_2side.npy",
    ],
)
def test_all_spellings_say_the_same(text):
    assert parse_deepfashion(text) == SIDE


def test_one_key_for_every_spelling():
    """What a list and a folder are joined by: other names are their own key, the same view of others is another."""
    assert {photograph_key(SIDE.spell(s, suffix)) for s in SPELLINGS for suffix in (".jpg", ".npy", "")} == {
        "WOMEN/Blouses_Shirts/id_00000442/01_2_side"
    }
    assert photograph_key("query/0002_c1s1_000451_03.jpg") == photograph_key("0002_c1s1_000451_03")
    assert photograph_key("WOMEN/Dresses/id_00000442/01_2_side.jpg") != photograph_key(SIDE.spell())
    assert photograph_key("me.jpg") == "me.jpg"


def test_men_are_not_women():
    assert parse_deepfashion("fasionMENTeesTanksid0000347017_3back.jpg").gender == "MEN"
    assert parse_deepfashion("fasionWOMENTeesTanksid0000347017_3back.jpg").gender == "WOMEN"


names = st.builds(
    DeepFashionName,
    st.sampled_from(["MEN", "WOMEN"]),
    st.sampled_from(CATEGORIES),
    st.integers(0, 99_999_999),
    st.integers(0, 99),
    st.integers(1, 9),
    st.sampled_from(["front", "side", "back", "full", "additional", "flat"]),
)


@given(names, st.sampled_from(SPELLINGS), st.sampled_from([".jpg", ".png", ""]))
def test_round_trip_through_every_spelling(name, spelling, suffix):
    assert parse_deepfashion(name.spell(spelling, suffix)) == name


def test_identity_is_person_and_outfit():
    assert SIDE.identity == "WOMEN/Blouses_Shirts/id_00000442/01"
    other_view = parse_deepfashion("fasionWOMENBlousesShirtsid0000044201_7additional.jpg")
    other_outfit = parse_deepfashion("fasionWOMENBlousesShirtsid0000044202_2side.jpg")
    assert other_view.identity == SIDE.identity != other_outfit.identity


@pytest.mark.parametrize("text", ["photo.jpg", "WOMEN/Blouses_Shirts/442/01_2_side.jpg", "0002_c1s1_000451_03.jpg", ""])
def test_other_names_are_refused(text):
    with pytest.raises(InputError, match="is not a DeepFashion name; expected for example"):
        parse_deepfashion(text)


def test_unknown_categories_and_spellings():
    with pytest.raises(InputError, match="names the category 'Hats'"):
        parse_deepfashion("WOMEN/Hats/id_00000442/01_2_side.jpg")
    with pytest.raises(InputError, match="is spelled one of slash"):
        SIDE.spell("dots")


@given(
    st.builds(
        MarketName,
        st.integers(-1, 1501),
        st.integers(1, 6),
        st.integers(1, 6),
        st.integers(0, 999_999),
        st.integers(0, 99),
    )
)
def test_market_round_trip(name):
    assert parse_market("train/" + name.spell()) == name


def test_market_names():
    assert parse_market("0002_c1s1_000451_03.jpg") == MarketName(2, 1, 1, 451, 3)
    assert parse_market("0002_c1s1_000451_03.jpg.jpg").is_person
    assert not parse_market("0000_c1s1_000151_01.jpg").is_person
    assert not parse_market("-1_c1s1_000401_03.jpg").is_person
    with pytest.raises(InputError, match="is not a Market-1501 name"):
        parse_market("2_c1s1_451_3.jpg")


@given(
    st.sampled_from(["0002_c1s1_000451_03.jpg", "-1_c1s1_000401_03.jpg", "fasionWOMENDressesid0000271801_1front.jpg"]),
    st.integers(0, 250),
)
def test_a_generated_picture_says_what_its_photograph_says(name, number):
    made = generated_name(name, number)
    parse = parse_deepfashion if name.startswith("fasion") else parse_market
    assert parse(made) == parse(name)
    assert is_generated(made)
    assert not is_generated(name)
    assert made != generated_name(name, number + 1)


def test_the_fields_own_readers_understand_generated_names():
    """torchreid and fast-reid take identity and camera from the beginning of a name, with this expression."""
    made = generated_name("0002_c1s1_000451_03.jpg", 7)
    assert made == "0002_c1s1_000451_03.g07.jpg"
    assert re.search(r"([-\d]+)_c(\d)", made).groups() == ("0002", "1")
