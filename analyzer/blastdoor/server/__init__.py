"""The editor server: the analysis of open buffers over the Language Server Protocol (3.17, 3.18)."""
