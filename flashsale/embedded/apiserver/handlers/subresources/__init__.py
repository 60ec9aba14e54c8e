"""What lies below an object: a pod's log, binding and eviction, a ReplicaSet's scale."""
