"""The command line: one file for each command. Imports every other folder."""
