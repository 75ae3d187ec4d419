"""Hair: caps, curtains, tails, and the styles made of them."""
