"""What numpy raises for a damaged ``.npy`` or ``.npz`` file: its own words, or whatever it stumbled over."""

import tokenize
import zipfile
import zlib

DAMAGED = (
    *(OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, OverflowError, MemoryError, RecursionError),
    *(SyntaxError, tokenize.TokenError, NotImplementedError, zipfile.BadZipFile, zlib.error),
    FloatingPointError,  # a shape whose product overflows, under np.errstate(over="raise")
)
