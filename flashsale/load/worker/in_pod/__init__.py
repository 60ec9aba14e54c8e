"""A worker in a pod of a cluster: the plan comes from a file, the counts go into the pod's log."""
