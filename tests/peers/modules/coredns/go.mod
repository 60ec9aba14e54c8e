// What stands where kubeadm and minikube want an image that no sale needs: CoreDNS, the provisioner.
module flashsale/tests/peers/coredns

go 1.26.0
