"""What makes the cluster be as its objects say: one controller a subject, its plan pure."""
