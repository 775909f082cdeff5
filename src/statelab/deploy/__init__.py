"""The engines: start and stop the same deployments and stores, as containers or as local processes.

In: deployments. Out: addresses of running servers. Nothing is left running at the end. Imports `plan`.
"""
