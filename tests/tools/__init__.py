"""The helpers that everything local shares."""
