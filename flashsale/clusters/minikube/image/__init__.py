"""Getting the sale's image into the node: by its Docker daemon, or by `minikube image build`."""
