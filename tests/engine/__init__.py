"""The program under the real engine."""
