"""How-to guides, and the two parts of the documentation that are generated so that they cannot grow old."""
