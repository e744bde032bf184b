"""What a run is: its events, its state, its schedule and its cost. No picture is painted here."""
