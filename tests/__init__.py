"""Tests, from fast to whole: unit, the stand-ins' own, engine, end to end."""
