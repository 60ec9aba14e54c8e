"""What happens to an object between a request and the store, as in Kubernetes' pkg/registry.

- ``registry``: the one way to the cluster's objects, for handlers, controllers and the kubelet
- ``incoming``: what a client sent, beside what is there; ``admission``,
  ``namespace_lifecycle``: what is given and forbidden
- ``service_allocator``: cluster addresses and node ports
- ``deletion``: marks, grace periods and finalizers
"""
