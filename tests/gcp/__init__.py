"""Tests of the Google Cloud stand-in, each against the real program."""
