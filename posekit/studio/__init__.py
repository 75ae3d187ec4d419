"""The studio: photographs of computer-made people, with the exact place on the body behind every pixel.

A body (`body`) is bent into a pose (`pose`, `skinning`), dressed and textured, and photographed (`camera`).
Everything is numpy; lengths are decimetres, axes are y up, z forward, x towards the person's left hand.
"""
