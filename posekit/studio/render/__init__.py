"""From a posed figure to a photograph and its exact maps: camera, light, shading, joints."""
