"""What `flashsale doctor` looks at: the machine, the clusters it can reach, the open sale."""
