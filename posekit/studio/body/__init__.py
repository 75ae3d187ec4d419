"""The body: blend shapes, skeleton, poses, its atlas, and the fields that clothes are cut along."""
