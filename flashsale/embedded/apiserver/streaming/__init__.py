"""How streams travel between a client and a pod: channels in a WebSocket, SPDY; without I/O."""
