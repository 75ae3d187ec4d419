"""The operations, one a file: grids, warps, affine maps, surface charts, joints, filling, correlation."""
