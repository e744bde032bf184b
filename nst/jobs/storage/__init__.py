"""What the studio keeps: runs, their events and files, uploads and grids of variations, in SQLite and in folders."""
