"""The tables of all systems: what is written is what the comparison holds, and both pages hold what is kept."""

import pytest
from posekit_lab import headline
from posekit_lab.source import ROOT

from posekit.evaluation.compare import Comparison, compare
from posekit.systems.baselines import baseline
from posekit.util.errors import InputError
from tests.synthetic import SyntheticPairs


@pytest.fixture(scope="module")
def made():
    systems = {"texel_fill": baseline("nearest", 32), "copy_source": baseline("copy_source")}
    return compare(systems, SyntheticPairs(3, 40), trained={"texel_fill": (5, 2.4)}, perceptual_every=3)


def test_short_table(made):
    head, line, first, second = headline.short_table(made).splitlines()
    assert head.startswith("| system | is given | SSIM |")
    assert set(line) == {"|", "-"}
    assert first.startswith("| the source as it is | nothing | ")
    assert first.endswith(" | none |")
    ssim = made.table.row("texel_fill", "ssim").mean
    assert second.startswith(f"| nearest texel | maps | {ssim:.3f} |")
    assert second.endswith(" | 2 |")


def test_long_table(made):
    lines = headline.long_table(made).splitlines()
    row = made.table.row("copy_source", "l1")
    interval = "" if row.low is None else f" [{row.low:.3f}, {row.high:.3f}]"
    assert f"| l1 | {row.mean:.3f}{interval} | " in "\n".join(lines)
    assert any(line.startswith("| lpips | missing | missing |") for line in lines)
    assert any(line.startswith("| pairs seen | - | 5 |") for line in lines)
    assert len({line.count("|") for line in lines}) == 1


def test_system_without_a_title(made):
    other = Comparison(made.table, {**made.facts, "mine": {}})
    with pytest.raises(InputError, match="compares mine, which has no title"):
        headline.short_table(other)


def test_written_between_the_markers(made, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(headline, "FOLDER", tmp_path / "compare")
    made.save(tmp_path / "compare")
    for name in ("readme", "page"):
        (tmp_path / name).write_text(f"before\n{headline.BEGIN}\nold\n{headline.END}\nafter\n")
    assert headline.main(tmp_path / "readme", tmp_path / "page") == 0
    text = (tmp_path / "readme").read_text()
    assert headline.short_table(made) in text
    assert "old" not in text
    assert text.endswith("after\n")
    (tmp_path / "page").write_text("no markers")
    assert headline.main(tmp_path / "readme", tmp_path / "page") == 1
    assert "once each, in this order" in capsys.readouterr().err


def test_both_pages_show_what_is_kept():
    kept = Comparison.load(headline.FOLDER)
    assert headline.short_table(kept) in (ROOT / "README.md").read_text(encoding="utf-8")
    assert headline.long_table(kept) in (ROOT / "docs" / "measurements.md").read_text(encoding="utf-8")
