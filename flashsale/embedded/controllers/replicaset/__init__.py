"""The ReplicaSet controller (pkg/controller/replicaset): its plan is pure."""
