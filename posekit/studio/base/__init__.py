"""Records, noise, colours, paint, meshes and the rasteriser: what all of the studio stands on."""
