"""The lab: builds and checks the notebooks, keeps, draws and judges the results of experiments.

notebooks, student, experiments     programs: `python -m posekit_lab.notebooks build`
claims, differences, results        what the papers say, and what the kept tables say of it
"""
