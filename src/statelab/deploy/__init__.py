"""The engines: the same deployments and stores as containers or as local processes, started, reached and stopped.

In: deployments. Out: addresses of running servers, and nothing left behind at the end. Imports `plan`.
"""
