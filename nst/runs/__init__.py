"""What a run is: its events, its state, its schedule and its cost. Nothing here does any work."""
