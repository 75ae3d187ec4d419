# The public names and where they live; `posekit/__init__.py` reads this file and loads each name at its first use.

__version__: str
__all__: list[str]
