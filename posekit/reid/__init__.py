"""Person re-identification: augment a training folder, rank a gallery."""
