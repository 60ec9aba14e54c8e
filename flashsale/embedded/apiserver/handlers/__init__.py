"""What answers a request for objects: reads, writes, watches and ``subresources``; how bodies and
answers look."""
