"""What makes the cluster be as its objects say: one controller a subject, its plan pure.

``run`` of each works until it is cancelled.
"""

MANAGER = "kube-controller-manager"  # in managedFields: the real controllers are one program
