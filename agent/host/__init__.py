"""The machine under the agent: processes, heat, disk, versions, restarts."""
