"""docs/contradictions.md: its arithmetic, and that every claim it points to is judged."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "contradictions.md").read_text(encoding="utf-8")
ROWS = {int(n): line for n, line in re.findall(r"^\| (\d+) \| (.*) \|$", TEXT, re.MULTILINE)}


def test_rows_are_numbered_and_have_four_entries():
    assert list(ROWS) == list(range(1, 41))
    for number, line in ROWS.items():
        assert len(line.split(" | ")) == 4, number
        assert all(entry.strip() for entry in line.split(" | ")), number


def test_every_claim_stands_in_the_list():
    claims = {entry["claim"] for entry in yaml.safe_load((ROOT / "experiments" / "claims.yaml").read_text())["claims"]}
    named = re.findall(r'"([^"]+)"', " ".join(line.split(" | ")[3] for line in ROWS.values() if "run" in line))
    assert len(named) >= 9
    assert set(named) <= claims


def numbers(text):
    return [float(word.replace(",", "")) for word in re.findall(r"\d[\d,]*\.?\d*", text)]


def test_planes_of_two_poses():
    """Row 18: printed are the image and one pose; the sums at the end of the row are those of two."""
    printed = [4, 27, 21]
    assert [n for n in numbers(ROWS[18]) if n in printed] == printed
    sums = re.findall(r"(\d+) \+ (\d+) x (\d+)", ROWS[18])
    both = [int(a) + int(b) * int(c) for a, b, c in sums]
    assert [int(a) + int(c) for a, _, c in sums] == printed
    assert all(str(total) in ROWS[18].split(" | ")[1] for total in both)


def test_votes_that_do_not_add_up():
    first, second, total = (numbers(entry) for entry in (*ROWS[32].split(" | ")[:2], "108"))
    assert first[-1] + second[0] == pytest.approx(total[0])
    for a, b in re.findall(r"(\d+\.\d) and (\d+\.\d)", ROWS[32].split(" | ")[2]):
        assert float(a) + float(b) == pytest.approx(100)


def test_sources_of_the_face_pairs():
    pairs, targets, sources, each, videos = numbers(ROWS[16].split(" | ")[3])[:5]
    assert pairs == targets * sources
    assert sources / videos == pytest.approx(each, abs=0.05)


def test_sentences_against_their_tables():
    """What the rows say of larger and smaller holds of the numbers they print."""
    with_warping, without = (numbers(ROWS[17].split(" | ")[1])[n] for n in (2, 1))
    assert with_warping < without
    alone, _, added, _ = numbers(ROWS[19].split(" | ")[1])[-4:]
    assert alone > added
    assert numbers(ROWS[33].split(" | ")[1])[-3] < min(numbers(ROWS[33].split(" | ")[1])[-2:])
