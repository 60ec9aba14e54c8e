"""Whether the sale is as it should be, and why not.

``conditions`` are what may be waited for, ``readiness`` waits for ready pods and explains failures
by ``diagnosis`` and ``log_patterns``; ``endpoint_check`` and ``endpoint_diagnosis`` do the same for
the address; ``explanation`` says what Kubernetes did meanwhile.
"""
