"""What day two does to Google Cloud, against the stand-in; what it does to a whole stack is in tests/production."""
