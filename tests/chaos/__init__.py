"""What a box meets in a cupboard, done to it on purpose: `python -m tests.chaos`, `make chaos`."""
