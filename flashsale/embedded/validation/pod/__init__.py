"""Rules for pods and their templates, one module a part of the spec."""
