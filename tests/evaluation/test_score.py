"""A folder of results measured, written and shown."""

import csv
import json
import re

import numpy as np
import pytest
import torch
from PIL import Image

from posekit.data.result_files import match_results
from posekit.evaluation.score import score_results
from posekit.evaluation.score_files import write_score_csv, write_score_page
from posekit.evaluation.table import Evaluation
from posekit.metrics import pretrained
from posekit.metrics.interval import interval_over_people
from posekit.metrics.published import measure_published, prepare_published
from posekit.util.errors import InputError


@pytest.fixture
def folders(tmp_path):
    """Six photographs of three people, and predictions that get noisier from one to the next."""
    rng = np.random.default_rng(0)
    for folder in ("truth", "made"):
        (tmp_path / folder).mkdir()
    for n in range(6):
        true = rng.random((8, 8, 3)).repeat(8, 0).repeat(8, 1)
        made = true + 0.05 * n * rng.standard_normal(true.shape)
        for folder, picture in (("truth", true), ("made", made)):
            pixels = (255 * picture.clip(0, 1)).round().astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / folder / f"{n // 2}_{n}.png")
    return tmp_path / "truth", tmp_path / "made"


@pytest.fixture
def no_networks(monkeypatch, tmp_path):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    pretrained._load.cache_clear()
    yield
    pretrained._load.cache_clear()


def read(path):
    return torch.from_numpy(np.array(Image.open(path))).permute(2, 0, 1)[None].float() / 255


@pytest.mark.usefixtures("no_networks")
def test_every_number_is_the_mean_of_what_the_script_says_of_each_picture(folders):
    files = match_results(*folders, person="^([0-9])_")
    table = score_results(files, "gfla", label="mine", perceptual_pairs=2)
    expected = [
        measure_published(*prepare_published(read(f.prediction), read(f.truth), "gfla")[:2], "gfla")
        for f in files.files
    ]
    for number in ("gfla.ssim", "gfla.ssim_256", "gfla.l1", "gfla.mae"):
        sample = [one[number].item() for one in expected]
        row = table.row("mine", number)
        assert table.values["mine"][number] == pytest.approx(sample, rel=1e-6)
        assert row.mean == pytest.approx(np.mean(sample), rel=1e-6)
        low, high = interval_over_people(sample, table.people, table.protocol)
        assert (row.low, row.high) == pytest.approx((low, high), rel=1e-6)
        assert number in table.protocol.words()
    assert table.people == ["0", "0", "1", "1", "2", "2"]
    assert (table.protocol.published, table.protocol.pairs, table.protocol.size) == ("gfla", 6, (64, 64))
    looked_at = np.isfinite(table.values["mine"]["perceptual"])
    assert looked_at.tolist() == [True, False, False, True, False, False]
    assert "perceptual: of 2 of 6 pairs" in table.notes
    text = " ".join(str(table).split())
    assert "95% interval, bootstrap over 3 people]; protocol gfla; 64 x 64 RGB in [0, 1], no crop" in text


@pytest.mark.usefixtures("no_networks")
def test_what_is_missing_is_said_and_not_replaced(folders):
    table = score_results(match_results(*folders), "wang", perceptual_pairs=0)
    for metric in ("lpips", "inception_score", "fid", "perceptual"):
        assert table.row("predictions", metric).mean is None
    said = "\n".join(table.notes)
    for start in ("LPIPS is missing: its backbone is not here", "The Inception score is missing", "FID is missing"):
        assert start in said
    assert "perceptual: not asked for" in said


@pytest.mark.usefixtures("no_networks")
def test_a_pair_without_a_number_leaves_no_mean_of_the_others(folders):
    """The first prediction is equal to its truth: its PSNR is infinite, and so would be the script's mean."""
    truth, made = folders
    Image.new("RGB", (64, 64), (9, 9, 9)).save(made / "2_5.png")
    table = score_results(match_results(truth, made), "gfla", perceptual_pairs=0)
    assert table.row("predictions", "gfla.psnr").mean is None
    assert table.row("predictions", "gfla.ssim_256").mean is None
    assert table.row("predictions", "gfla.ssim").mean is not None
    said = "\n".join(table.notes)
    assert "gfla.psnr: no number for 1 of 6 pairs (equal to their truths)" in said
    assert "gfla.ssim_256: no number for 1 of 6 pairs (of one value" in said


@pytest.mark.usefixtures("no_networks")
def test_a_row_per_picture_and_a_table_that_is_read_again(folders, tmp_path):
    files = match_results(*folders)
    table = score_results(files, "plain", perceptual_pairs=2)
    rows = list(csv.DictReader(write_score_csv(tmp_path / "rows.csv", table, files).read_text().splitlines()))
    assert [row["target"] for row in rows] == [f"{n // 2}_{n}" for n in range(6)]
    assert [float(row["plain.ssim"]) for row in rows] == pytest.approx(
        table.values["predictions"]["plain.ssim"], rel=1e-5
    )
    assert [bool(row["perceptual"]) for row in rows] == [True, False, False, True, False, False]
    assert "lpips" not in rows[0]
    read_again = Evaluation.load(table.save(tmp_path / "rows.json"))
    assert read_again.protocol == table.protocol
    assert table.beside(read_again, "before").row("predictions (before)", "plain.ssim") is not None
    other = score_results(files, "wang", perceptual_pairs=2)
    with pytest.raises(InputError, match="measured differently .*published wang and plain"):
        other.beside(read_again)


@pytest.mark.usefixtures("no_networks")
def test_the_page_needs_nothing_else_and_trusts_no_name(folders, tmp_path):
    truth, made = folders
    evil = "<script>alert(1)<script>&"  # a name cannot hold a slash
    for folder in folders:
        (folder / "0_1.png").rename(folder / f"{evil}.png")
    files = match_results(truth, made)
    table = score_results(files, "plain", label=evil, perceptual_pairs=0)
    page = write_score_page(tmp_path / "page.html", table, files).read_text()
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;script&gt;&amp;" in page
    assert "default-src 'none'" in page
    assert not re.findall(r"(?:src|href)=\"(?!data:image/png;base64,)", page)
    assert page.count("<figure>") == 6
    assert page.index("Worst by plain.ssim") < page.index("2_5 (2_5.png)") < page.index("Best by plain.ssim")
    captions = re.findall(r"plain.ssim ([0-9.]+);", page)
    value = sorted(table.values[evil]["plain.ssim"])
    assert [float(x) for x in captions] == pytest.approx([*value[:3], *value[:2:-1]], abs=1e-4)  # the best one first
    by_l1 = write_score_page(tmp_path / "page.html", table, files, by="l1").read_text()
    values = [float(x) for x in re.findall(r"l1 ([0-9.]+);", by_l1)]
    assert values[:3] == sorted(values, reverse=True)[:3]
    with pytest.raises(InputError, match="Cases are sorted by one of plain.ssim, "):
        write_score_page(tmp_path / "page.html", table, files, by="beauty")


def test_what_the_protocol_does_not_know_is_said_with_the_name_of_the_file(folders):
    with pytest.raises(InputError, match=r"^0_0.png: The protocol patn is for pictures of 256 x 176"):
        score_results(match_results(*folders), "patn")
    with pytest.raises(InputError, match="cfld brings pictures to 256 x 176 itself"):
        score_results(match_results(*folders), "cfld", size=(64, 64))
    with pytest.raises(InputError, match="A strip has 1 or more pictures"):
        score_results(match_results(*folders), "plain", strip=0)


@pytest.mark.usefixtures("no_networks")
def test_a_size_is_part_of_the_protocol(folders, tmp_path):
    table = score_results(match_results(*folders), "patn", size=(256, 176), perceptual_pairs=0)
    assert table.protocol.more["size"] == "both brought to 256 x 176 first, by Pillow's bicubic filter"
    stored = json.loads(table.save(tmp_path / "t.json").read_text())
    assert stored["protocol"]["padding"] == [256, 256]
