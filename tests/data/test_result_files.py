"""Folders of results: matched by names, and what has no partner is said."""

import re

import pytest
from PIL import Image

from posekit.data.result_files import match_results
from posekit.data.result_pictures import check_pictures, read_result_pictures
from posekit.util.errors import InputError


@pytest.fixture
def folders(tmp_path):
    """folders(photographs, predictions) -> two folders with small pictures of these names."""

    def make(truths, predictions):
        for folder, names in (("truth", truths), ("made", predictions)):
            for name in names:
                path = tmp_path / folder / name
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.new("RGB", (20, 16), (len(name), 0, 0)).save(path)
        return tmp_path / "truth", tmp_path / "made"

    return make


def listed(tmp_path, *rows):
    path = tmp_path / "pairs.csv"
    path.write_text("from,to\n" + "".join(f"{a},{b}\n" for a, b in rows))
    return path


def test_names_in_two_spellings_are_matched(folders, tmp_path):
    truth, made = folders(
        ["WOMEN/Dresses/id_00002629/02_1_front.jpg", "WOMEN/Dresses/id_00002629/02_3_back.jpg", "sub/x.png"],
        [
            "fashionWOMENDressesid0000262902_1front_2_fashionWOMENDressesid0000262902_3back_vis.jpg",
            "fashionWOMENDressesid0000262902_3back_2_fashionWOMENDressesid0000262902_1front_vis.jpg",
        ],
    )
    results = match_results(truth, made)
    assert results.rule == "{source}_2_{target}_vis"
    one = next(file for file in results.files if file.target.endswith("3_back"))
    assert one.name == "WOMEN/Dresses/id_00002629/02_1_front -> WOMEN/Dresses/id_00002629/02_3_back"
    assert one.truth.name == "02_3_back.jpg"
    assert one.source_file.name == "02_1_front.jpg"
    assert {file.person for file in results.files} == {"WOMEN/Dresses/id_00002629/02"}
    assert results.notes == (
        "1 of 3 photographs are nobody's target, for example x; without a list of pairs (--pairs) nobody can say "
        "whether predictions are missing",
    )
    pairs = listed(tmp_path, ("fasionWOMENDressesid0000262902_1front.jpg", "fasionWOMENDressesid0000262902_3back.jpg"))
    results = match_results(truth, made, pairs=pairs)
    assert [file.target for file in results.files] == ["WOMEN/Dresses/id_00002629/02_3_back"]
    assert "1 predictions are of no pair of the list" in results.notes[0]


def test_equal_names_come_in_the_order_of_the_photographs(folders):
    truth, made = folders(["b.png", "a.jpg"], ["a.png", "b.jpg"])
    results = match_results(truth, made)
    assert [(f.name, f.prediction.name, f.truth.name) for f in results.files] == [
        ("a", "a.png", "a.jpg"),
        ("b", "b.jpg", "b.png"),
    ]
    assert results.rule == "{target}"
    assert "every photograph counts as somebody else" in results.notes[-1]


def test_targets_alone_stand_for_pairs_whose_targets_differ(folders, tmp_path):
    truth, made = folders(["a.png", "b.png", "c.png"], ["a.png", "b.png"])
    results = match_results(truth, made, pairs=listed(tmp_path, ("c", "a"), ("c", "b")))
    assert [file.name for file in results.files] == ["c -> a", "c -> b"]
    with pytest.raises(InputError, match="None of 2 pictures"):
        match_results(truth, made, pairs=listed(tmp_path, ("c", "a"), ("b", "a")))


def test_one_folder_with_both(folders):
    truth, _ = folders([f"{n}_{kind}.png" for n in (1, 2) for kind in ("source", "target")], [])
    results = match_results(
        truth, truth, name="{target}_source.png", truth_name="{target}_target.png", person="^([12])"
    )
    assert [(file.target, file.person) for file in results.files] == [("1", "1"), ("2", "2")]
    assert results.notes[:2] == (
        "2 photographs are not called {target}_target.png, for example 1_source.png: left out",
        "2 files are not called {target}_source.png, for example 1_target.png: left out",
    )


CASES = {
    "a photograph without prediction": (
        ["a.png", "b.png"],
        ["a.png"],
        {},
        "1 of 2 photographs have no prediction, for example b",
    ),
    "a prediction without photograph": (
        ["a.png"],
        ["a.png", "x.png"],
        {},
        "1 of 2 predictions have no photograph, for example x.png",
    ),
    "a pair without prediction": (
        ["a.png", "b.png"],
        ["a_2_b_vis.png"],
        {"pairs": [("a", "b"), ("b", "a")]},
        "1 of 2 pairs have no prediction, for example b -> a",
    ),
    "a pair without photograph": (
        ["b.png"],
        ["a_2_b_vis.png"],
        {"pairs": [("a", "b"), ("b", "c")]},
        "1 of 2 pairs of the list have no photograph of the target, for example b -> c",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_has_no_partner_is_refused_or_counted(case, folders, tmp_path):
    truths, predictions, settings, said = CASES[case]
    truth, made = folders(truths, predictions)
    if "pairs" in settings:
        settings = {"pairs": listed(tmp_path, *settings["pairs"])}
    with pytest.raises(InputError, match=re.escape(said) + ".*--allow-missing"):
        match_results(truth, made, **settings)
    results = match_results(truth, made, **settings, allow_missing=True)
    assert len(results.files) == 1
    assert f"{said}: left out" in results.notes


@pytest.mark.parametrize(
    ("truths", "predictions", "settings", "said"),
    [
        (
            ["a.png", "a.jpg"],
            ["a.png"],
            {},
            "1 photographs are there more than once, for example a: .*a.jpg and .*a.png",
        ),
        (["a.png"], ["a.png", "a.jpg"], {}, "1 pairs have more than one prediction, for example a: .*keep one"),
        (["a.png"], ["x.png", "y.png"], {}, "None of 2 pictures .* is called after .*x.png.*photographs such as a"),
        (["a.png"], ["a.txt"], {}, "There are no pictures in .*made"),
        (["a.png"], ["a.png"], {"name": "{source}"}, "A rule of names"),
        (["a.png"], ["a.png"], {"truth_name": "{target}_x"}, "None of 1 pictures in .*truth is called {target}_x"),
        (["a.png"], ["a.png"], {"name": "{target}_x"}, "None of 1 pictures"),
        (["a.png"], ["a.png"], {"person": "("}, "no regular expression|not a regular expression"),
    ],
)
def test_what_cannot_be_matched_is_one_sentence(truths, predictions, settings, said, folders, tmp_path):
    (tmp_path / "made").mkdir()
    texts = [name for name in predictions if name.endswith(".txt")]
    truth, made = folders(truths, [name for name in predictions if name not in texts])
    for name in texts:
        (made / name).write_text("no picture")
    with pytest.raises(InputError, match=said):
        match_results(truth, made, **settings)


def test_folders_that_are_none(tmp_path):
    with pytest.raises(InputError, match="nowhere is not a folder"):
        match_results(tmp_path / "nowhere", tmp_path)
    with pytest.raises(InputError, match="There are no pictures"):
        match_results(tmp_path, tmp_path)


def test_photographs_are_no_predictions_of_themselves(folders):
    truth, _ = folders(["a.png", "b.png"], [])
    with pytest.raises(InputError, match="2 of 2 predictions are the photographs themselves, for example .*a.png"):
        match_results(truth, truth)


def test_maps_and_hidden_files_are_no_pictures(folders):
    truth, made = folders(["a.png", "a_IUV.png", "b_iuv.png", ".c.png"], ["a.png", "a_INDS.png"])
    assert [file.target for file in match_results(truth, made).files] == ["a"]


def test_a_list_that_says_a_pair_twice(folders, tmp_path):
    truth, made = folders(["a.png", "b.png"], ["a_2_b_vis.png"])
    with pytest.raises(InputError, match="lists 1 of 2 pairs more than once"):
        match_results(truth, made, pairs=listed(tmp_path, ("a", "b"), ("a.jpg", "b.png")))
    with pytest.raises(InputError, match="lists no pairs"):
        match_results(truth, made, pairs=listed(tmp_path))


# ------------------------------------------------------------------------------------------------------- pictures


def save(path, mode="RGB", size=(20, 16), **settings):
    picture = Image.new("RGBA", size, (200, 30, 30, settings.pop("alpha", 255))).convert(mode)
    picture.save(path, **settings)


def test_grey_transparent_and_jpeg_pictures_are_counted(folders):
    truth, made = folders(["a.png", "b.png", "c.png"], ["c.png"])
    save(made / "a.jpg")
    save(made / "b.png", "RGBA", alpha=100)
    save(truth / "a.png", "L")
    save(truth / "c.png", "RGBA")  # with a channel that hides nothing
    files = match_results(truth, made).files
    assert check_pictures(files) == [
        "1 of 6 pictures, for example a.png, are grey: compared as three equal channels",
        "1 of 6 pictures, for example b.png, are transparent in parts: laid over white",
        "1 of 3 predictions, for example a.jpg, are JPEG: its losses are in the numbers",
    ]
    pictures = list(read_result_pictures(files))
    assert [file.target for file, _, _ in pictures] == ["a", "b", "c"]
    grey = pictures[0][2]
    assert (grey[0] == grey[1]).all()
    over_white = 1 - (1 - 200 / 255) * 100 / 255
    assert pictures[1][1][0, 0, 0].item() == pytest.approx(over_white, abs=1 / 255)


def test_files_that_are_no_picture_are_counted(folders):
    truth, made = folders(["a.png", "b.png"], ["a.png", "b.png"])
    whole = (made / "a.png").read_bytes()
    (made / "a.png").write_bytes(whole[: len(whole) // 2])
    (truth / "b.png").write_bytes(b"nothing")
    files = match_results(truth, made).files
    with pytest.raises(InputError, match=r"2 of 4 pictures cannot be used, for example: .*a.png could not be read"):
        check_pictures(files)


def test_pictures_of_sixteen_bits_are_counted(folders):
    truth, made = folders(["a.png"], ["a.png"])
    Image.new("I;16", (20, 16)).save(truth / "a.png")
    with pytest.raises(InputError, match="1 of 2 pictures have more than 8 bits a channel, for example .*a.png"):
        check_pictures(match_results(truth, made).files)


def test_sizes_that_differ_are_counted(folders):
    truth, made = folders(["a.png", "b.png"], ["a.png", "b.png"])
    save(made / "b.png", size=(10, 8))
    files = match_results(truth, made).files
    with pytest.raises(
        InputError, match="1 of 2 predictions have another size .* b.png with 8 x 10 pixels and its truth with 16 x 20"
    ):
        check_pictures(files)
    with pytest.raises(InputError, match="The predictions have 2 sizes, for example 16 x 20 and 8 x 10 pixels"):
        check_pictures(files, one=False)
    assert check_pictures(files, sized=True) == []
    sizes = {tuple(image.shape[1:]) for _, a, b in read_result_pictures(files, size=(12, 12)) for image in (a, b)}
    assert sizes == {(12, 12)}


def test_of_a_strip_the_last_picture_is_the_prediction(folders):
    truth, made = folders(["a.png"], ["a.png"])
    strip = Image.new("RGB", (100, 16))
    strip.paste((255, 0, 0), (80, 0, 100, 16))
    strip.save(made / "a.png")
    files = match_results(truth, made).files
    with pytest.raises(InputError, match="no strips of 3 pictures, for example a.png, 100 pixels wide"):
        check_pictures(files, strip=3)
    assert check_pictures(files, strip=5) == []
    _, image, _ = next(read_result_pictures(files, strip=5))
    assert tuple(image.shape) == (3, 16, 20)
    assert (image[0] == 1).all()
