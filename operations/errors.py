"""The one error that people are meant to read."""


class UserError(Exception):
    """Something that the person at the keyboard can mend; the message says what, the value found and the remedy."""
