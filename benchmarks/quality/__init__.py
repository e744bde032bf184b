"""A judge of painted pictures: fixed pairs, measures that check each other, controls, and blind duels."""
