"""The published list of test pairs, row for row."""

from posekit.data.annotations import read_annotations, read_pairs
from posekit.data.pair_rule import PUBLISHED, all_pairs, draw_pairs, valid_names, write_pairs


def test_the_published_test_pairs_come_out_row_for_row(real, tmp_path):
    joints = read_annotations(real / "csv" / "fasion-annotation-test.csv", (256, 256))
    valid = valid_names(joints)
    assert (len(joints), len(valid)) == (4061, 3278)
    pairs = draw_pairs(all_pairs(valid))
    published = real / "csv" / "fasion-pairs-test.csv"
    assert len(pairs) == PUBLISHED["fashion"].test == 8670
    assert pairs == read_pairs(published)
    written = write_pairs(tmp_path / "pairs.csv", pairs)
    assert written.read_bytes() == published.read_bytes().replace(b"\r\n", b"\n")
