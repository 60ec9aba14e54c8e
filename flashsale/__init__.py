"""flashsale: a Kubernetes flash sale from end to end."""

__version__ = "0.1.0"
