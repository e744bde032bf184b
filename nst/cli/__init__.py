"""The command line: one module a command; `flags` holds what they share."""
