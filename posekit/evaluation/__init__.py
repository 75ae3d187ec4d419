"""Systems in use: transfer a pose, measure photographs and textures."""
