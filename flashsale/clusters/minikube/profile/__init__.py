"""What is known of a profile, and whether a sale can run on it.

- ``profile``: how it was made and what state it is in; ``profile_nodes``: its machines
- ``condition``: its state in words, and what to type about it
- ``other_processes``: whether another minikube is at work on it just now
- ``usability``: whether minikube can carry a sale on this machine
"""
