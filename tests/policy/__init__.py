"""The policy pack: each rule by itself, and all of them in the engine."""
