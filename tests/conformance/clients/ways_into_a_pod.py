"""The official client goes into a pod by exec and by portforward: `KUBECONFIG NAMESPACE POD`."""

from __future__ import annotations

import sys

from kubernetes import config, stream
from kubernetes.client import ApiClient, CoreV1Api

REQUEST = b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


def run_a_command(client: ApiClient, namespace: str, pod: str) -> None:
    """Outputs come apart, and the exit code at the end."""
    talk = stream.stream(
        CoreV1Api(client).connect_get_namespaced_pod_exec,
        pod,
        namespace,
        command=["sh", "-c", "read line; echo got $line; echo err >&2; exit 4"],
        stdin=True,
        stdout=True,
        stderr=True,
        _preload_content=False,
    )
    talk.write_stdin("it\n")
    talk.run_forever(timeout=30)
    assert (talk.read_stdout(), talk.read_stderr()) == ("got it\n", "err\n")
    assert talk.returncode == 4


def ask_a_port(client: ApiClient, namespace: str, pod: str) -> None:
    """A connection that is made at once, in channels of a WebSocket."""
    forward = stream.portforward(
        CoreV1Api(client).connect_get_namespaced_pod_portforward, pod, namespace, ports="5000"
    )
    connection = forward.socket(5000)
    connection.setblocking(True)
    connection.sendall(REQUEST)
    answer = b""
    while more := connection.recv(4096):
        answer += more
    assert pod.encode() in answer, answer
    assert forward.error(5000) is None


if __name__ == "__main__":
    with config.new_client_from_config(sys.argv[1]) as client:
        namespace, pod = sys.argv[2:]
        run_a_command(client, namespace, pod)
        ask_a_port(client, namespace, pod)
    print("well")
