"""Tests of the program alone: no engine, no cloud, no cluster."""
