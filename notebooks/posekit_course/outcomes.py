"""What a short training in front of the reader shows: said, and not asserted.

Identities (the derivation equals the library, a gradient is zero) hold on every machine and are asserted.  What a
training gives depends on the processor, the number of threads and the seed; where no margin held on all of those that
were tried, the notebook says what came out:

    expect("both tasks together look nearest", both.off < 0.9 * copied.off)
        as expected: both tasks together look nearest
        not in this run: both tasks together look nearest
"""

from __future__ import annotations

EXPLANATION = "(A short training ends differently on another processor, with other threads or another seed.)"


def expect(claim: str, holds: bool) -> bool:
    """Print whether ``claim`` came out in this run, and return it; never raises.

    claim: a sentence without its full stop, true of most runs.  holds: a truth value, or an array of one.
    """
    came_out = bool(holds)
    print(f"as expected: {claim}" if came_out else f"not in this run: {claim} {EXPLANATION}")
    return came_out
