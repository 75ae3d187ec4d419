"""What every checker of exercises must do.

A file of tests imports these three and lists its checkers:

    CASES = {"lsgan": (check_lsgan, SOURCE, MUTANTS)}       name -> checker, source of a right solution, its mutants
    MUTANTS = [("a piece of the source", "what stands there instead", "words of the sentence that must come")]

None in place of the words says that this other solution is right, too.
"""

import re

import pytest
from posekit_course.checks import CheckFailed


def test_accepts_the_solution(checker, function, capsys):
    name, check, source = checker
    check(function(source))
    assert capsys.readouterr().out.startswith(f"\N{CHECK MARK} {name}")


def test_names_the_mistake(checker, mutant, function):
    _, check, source = checker
    old, new, words = mutant
    wrong = function(source, old, new)
    if words is None:
        check(wrong)
        return
    with pytest.raises(CheckFailed) as failed:
        check(wrong)
    assert re.search(words, str(failed.value)), failed.value
    assert "\n" not in str(failed.value)


def test_stub_passes_through(checker):
    def stub(*_):
        raise NotImplementedError

    with pytest.raises(NotImplementedError):
        checker[1](stub)
