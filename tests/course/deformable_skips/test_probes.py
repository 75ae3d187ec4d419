"""Whom notebook 04 shows where a part was not found."""

from types import SimpleNamespace

import torch
from posekit_course.deformable_skips import probes


def test_the_next_person_of_the_split_is_taken_where_a_part_was_not_found(monkeypatch):
    lost, by_twin = {3}, {13}  # people of whom a part is dropped, or drawn with its twin

    def maps_of(person):
        first = torch.arange(10)[None] == 0
        return SimpleNamespace(defined=~first | (person not in lost), twin=first & (person in by_twin))

    monkeypatch.setattr(probes, "pair_of", lambda seed, person, views, size: person)
    monkeypatch.setattr(probes, "joint_maps", maps_of)
    assert probes.with_all_parts(0, 4, (0, 1), 32) == 4
    assert probes.with_all_parts(0, 3, (0, 1), 32) == 23
