"""The command line: a module for each command, and what they share in `flags`, `paths` and `console`."""
