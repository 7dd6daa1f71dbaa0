"""Serves the pack to the engine, which runs this folder as a program."""

import io
import os
import sys
from pathlib import Path

# Run like that, Python looks for modules in this folder, where they would hide others such as `google`.
sys.path[0] = str(Path(__file__).resolve().parent.parent)
# The SDK tells the engine its port and does not flush: kept back, both would wait for each other for ever.
sys.stdout = io.TextIOWrapper(os.fdopen(sys.stdout.fileno(), "wb", buffering=0), write_through=True)

from pulumi_policy import EnforcementLevel, PolicyPack

from policy.pack import POLICIES

PolicyPack("mlflow", list(POLICIES), enforcement_level=EnforcementLevel.MANDATORY)
