"""Whether the image answers as a full installation of the same release does, at every route."""
