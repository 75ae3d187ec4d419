"""`python -m posekit`: the command line."""

from posekit.cli.app import main

if __name__ == "__main__":
    main()
