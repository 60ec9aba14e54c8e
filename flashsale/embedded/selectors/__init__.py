"""Label and field selectors, in Kubernetes' grammar and words. Pure."""
