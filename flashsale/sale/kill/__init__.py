"""Killing pods: ``victims`` chooses which, ``kill`` kills them and follows what replaces them."""
