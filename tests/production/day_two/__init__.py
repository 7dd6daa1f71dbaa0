"""A team at work, while the stack is changed, upgraded, backed up, taken down and restored."""
