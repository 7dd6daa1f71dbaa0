"""The workflows in .github: what they are held against, and the commands in them, run."""
