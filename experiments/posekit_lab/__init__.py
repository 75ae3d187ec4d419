"""The lab: builds and checks the notebooks, keeps, draws and judges the results of experiments.

notebooks, student, experiments     programs: `python -m posekit_lab.notebooks build`
record(name=value)                  leave a number in a notebook for the reader and for sweeps (`posekit_lab.record`)
claims, differences, results        what the papers say, and what the kept tables say of it
"""
