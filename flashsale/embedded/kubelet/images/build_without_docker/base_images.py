"""What a base image brings, as far as its name says: Python, or something else."""

from __future__ import annotations

import re
import sys

from flashsale.base.image_names import ImageName, InvalidImageNameError

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"
# The last part of the names of well-known images whose programs are not Python's.
OTHERS = {
    "node": "Node.js", "bun": "Bun", "deno": "Deno", "openjdk": "Java", "eclipse-temurin": "Java",
    "amazoncorretto": "Java", "maven": "Java", "gradle": "Java", "tomcat": "Java", "jetty": "Java",
    "golang": "Go", "ruby": "Ruby", "rails": "Ruby", "php": "PHP", "wordpress": "PHP",
    "rust": "Rust", "aspnet": ".NET", "sdk": ".NET", "runtime": ".NET", "dotnet": ".NET",
    "elixir": "Elixir", "erlang": "Erlang", "perl": "Perl", "swift": "Swift", "julia": "Julia",
    "r-base": "R", "haskell": "Haskell", "gcc": "C", "clojure": "Clojure", "crystal": "Crystal",
    "nginx": "nginx", "httpd": "Apache", "caddy": "Caddy", "traefik": "Traefik",
    "redis": "Redis", "postgres": "PostgreSQL", "mysql": "MySQL", "mariadb": "MariaDB",
    "mongo": "MongoDB", "rabbitmq": "RabbitMQ", "memcached": "memcached", "haproxy": "HAProxy",
}  # fmt: skip


def foreign_language(base: str) -> str:
    """Return what a base image is made for, if that is not Python; empty if it may be Python."""
    try:
        name = ImageName.parse(base)
    except InvalidImageNameError:
        return ""
    last = name.repository.rpartition("/")[2]
    if last in ("sdk", "runtime", "aspnet") and "dotnet" not in name.repository:
        return ""
    return "" if "python" in f"{name.repository}:{name.tag}" else OTHERS.get(last, "")


def base_entrypoint(base: str) -> tuple[str, ...]:
    """Return the ENTRYPOINT of a base image whose command is for Python's arguments alone."""
    try:
        name = ImageName.parse(base).repository
    except InvalidImageNameError:
        return ()
    distroless = "distroless/python" in name or name.endswith("chainguard/python")
    return ("python3",) if distroless else ()


def newer_python(base: str) -> str:
    """Return the version of a Python image, if apps made for it may need more than is here."""
    try:
        name = ImageName.parse(base)
    except InvalidImageNameError:
        return ""
    version = re.match(r"3\.(\d+)", name.tag or "")
    if not version or name.repository.rpartition("/")[2] != "python":
        return ""
    return version[0] if int(version[1]) > sys.version_info.minor else ""
