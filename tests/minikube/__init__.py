"""The whole, on real parts."""
