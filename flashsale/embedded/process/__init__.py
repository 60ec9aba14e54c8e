"""The cluster as a process: its folder, its certificates, its start and its end."""
