"""Slides: every text is read, every figure is there once, and the file holds what the text says."""

import pytest
from posekit_lab import slides
from posekit_lab.slides import TEXTS, picture_from, read_deck, write_deck

from posekit.util.errors import InputError

DECKS = sorted(TEXTS.glob("*.md"))


def test_a_deck_for_each_of_eight_weeks():
    assert [path.stem for path in DECKS] == [f"week_{n}" for n in range(1, 9)]


@pytest.mark.parametrize("path", DECKS, ids=lambda path: path.stem)
def test_every_figure_is_there_once(path):
    deck = read_deck(path)
    assert len(deck.slides) >= 8
    for slide in deck.slides:
        assert len(slide.points) <= 5
        assert slide.points or slide.figure, slide.title
        if slide.figure:
            picture, words = picture_from(*slide.figure)
            assert picture.startswith(b"\x89PNG")
            assert words.startswith(slide.figure[0])
        if slide.title.startswith("Predict"):
            assert slide.figure is None, "the picture would give the answer away"


def test_the_file_holds_the_text(tmp_path):
    pptx = pytest.importorskip("pptx", reason="the package python-pptx is not installed")
    deck = read_deck(TEXTS / "week_1.md")
    write_deck(deck, tmp_path / "week_1.pptx")
    pages = list(pptx.Presentation(str(tmp_path / "week_1.pptx")).slides)
    assert len(pages) == 1 + len(deck.slides)
    assert pages[0].shapes.title.text == deck.title
    for page, slide in zip(pages[1:], deck.slides, strict=True):
        assert page.shapes.title.text == slide.title
        texts = [shape.text_frame.text for shape in page.shapes if shape.has_text_frame]
        assert all(any(point in text for text in texts) for point in slide.points)
        pictures = [shape for shape in page.shapes if shape.shape_type == 13]
        assert len(pictures) == (slide.figure is not None)
        for picture in pictures:
            assert picture._element.nvPicPr.cNvPr.get("descr").startswith(slide.figure[0])
            assert picture.top + picture.height <= 7.5 * 914_400
        if slide.notes:
            assert page.notes_slide.notes_text_frame.text == "\n".join(slide.notes)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "has no title, or no slide"),
        ("# A\n- point", "expected a title, a point, one figure or a note, got '- point'"),
        ("# A\n## B\n![x](00_start_here.ipynb)\n![y](00_start_here.ipynb)", "line 4: expected"),
        ("# A\n## B\nwords", "line 3: expected"),
    ],
)
def test_texts_that_are_no_slides(tmp_path, text, words):
    (tmp_path / "a.md").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=words):
        read_deck(tmp_path / "a.md")


def test_figures_that_are_not_there(tmp_path, capsys):
    with pytest.raises(InputError, match="There is no notebook 99_none.ipynb"):
        picture_from("A person", "99_none")
    with pytest.raises(InputError, match="0 pictures of 00_start_here have words that begin with 'No such'"):
        picture_from("No such", "00_start_here")
    (tmp_path / "a.md").write_text("# A\n## B\n![No such](00_start_here.ipynb)\n", encoding="utf-8")
    pytest.importorskip("pptx", reason="the package python-pptx is not installed")
    assert slides.main(["--texts", str(tmp_path), "-o", str(tmp_path / "out")]) == 1
    assert "0 pictures" in capsys.readouterr().err
    assert not list((tmp_path / "out").glob("*"))
