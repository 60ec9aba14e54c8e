"""minikube's own node, for its docker driver, where its image cannot be pulled.

`image` makes the image, `engine` the Docker that runs it, `kubernetes` the images inside it.
"""
