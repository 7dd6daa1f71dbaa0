"""What day two does to Google Cloud, against the stand-in; tests/production/day_two has whole stacks."""
