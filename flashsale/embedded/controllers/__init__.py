"""What makes the cluster be as its objects say: one controller a subject, its plan pure."""

MANAGER = "kube-controller-manager"  # in managedFields: the real controllers are one program
