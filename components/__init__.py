"""Components of the tracking stack; they take plain arguments and know neither settings nor `local/`."""
