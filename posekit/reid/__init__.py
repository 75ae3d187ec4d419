"""Person re-identification: augment a training folder, train a small network, rank a gallery."""
