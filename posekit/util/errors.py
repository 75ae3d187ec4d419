"""The one exception that users see: a sentence that says what was expected, what came, and how to mend it."""


class InputError(ValueError):
    """Input that cannot be used.

    The command line prints its message as one line and ends with exit code 1, so the message is a
    full sentence for a user: what was expected, what came, and what to do about it.
    """
