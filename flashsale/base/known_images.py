"""What well-known images are made for, as far as their names say."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from flashsale.base.image_names import ImageName, InvalidImageNameError

# The last part of the names of well-known images whose programs are not Python's.
OTHERS: Mapping[str, str] = {
    "node": "Node.js", "bun": "Bun", "deno": "Deno", "openjdk": "Java", "eclipse-temurin": "Java",
    "amazoncorretto": "Java", "maven": "Java", "gradle": "Java", "tomcat": "Java", "jetty": "Java",
    "golang": "Go", "ruby": "Ruby", "rails": "Ruby", "php": "PHP", "wordpress": "PHP",
    "rust": "Rust", "aspnet": ".NET", "sdk": ".NET", "runtime": ".NET", "dotnet": ".NET",
    "elixir": "Elixir", "erlang": "Erlang", "perl": "Perl", "swift": "Swift", "julia": "Julia",
    "r-base": "R", "haskell": "Haskell", "gcc": "C", "clojure": "Clojure", "crystal": "Crystal",
    "nginx": "nginx", "httpd": "Apache", "caddy": "Caddy", "traefik": "Traefik",
    "redis": "Redis", "postgres": "PostgreSQL", "mysql": "MySQL", "mariadb": "MariaDB",
    "busybox": "BusyBox", "envoy": "Envoy", "fluentd": "Fluentd", "fluent-bit": "Fluent Bit",
    "oauth2-proxy": "OAuth2 Proxy", "cloud-sql-proxy": "the Cloud SQL Proxy",
    "mongo": "MongoDB", "rabbitmq": "RabbitMQ", "memcached": "memcached", "haproxy": "HAProxy",
}  # fmt: skip


@cache
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
