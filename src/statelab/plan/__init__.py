"""What is to be measured: the app and its catalogue, the deployments, the profiles, and the cells that follow.

In: env files, the app's catalogue, the user's choices. Out: a list of cells. Imports `core`.
"""
