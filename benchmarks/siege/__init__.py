"""A siege of a studio of our own, on this machine only: hostile files, floods, kills, a full disk, a stranger."""
