"""Tests of the server image and of what builds it."""
