"""The `posekit` command, a module a command."""
