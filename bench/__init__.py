"""The measurements: what the project promises in figures, measured in one run on one machine.

Each measure is a module that returns figures; `bench.figures` says whether they reach what they should.
"""
