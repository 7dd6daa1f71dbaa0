"""The installation of a person who is not root and has no compiler."""
