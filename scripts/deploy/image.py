"""Builds the image's `prebuilt` target with buildah, runs it with podman as one should (a user that is not root,
a root that is read-only, no capability, no privilege to gain), and signs in through it.

    image.py PORTCULLIS DEV_IDP [--image NAME]

Registries are not asked: a base image of the same name is made here from what the program needs of this machine
(certificates, users, and its shared libraries where it has any). With --image, an image that is there is run.
Exit status 3: this machine lets no container run, which a container of nothing but `true` has shown.
"""

import argparse
import contextlib
import html
import http.client
import http.cookies
import http.server
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

BASE = "gcr.io/distroless/static-debian12:nonroot"
MOST_BYTES = 40_000_000
PATIENCE = 60
NOT_ALLOWED = 3
POOL = "us-east-1_DevPool01"
SECRET = "client-secret-of-a-check"


def run(*command, **options):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, **options)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout


# As one should run it.
CONFINED = ["--network", "host", "--read-only", "--read-only-tmpfs=false", "--cap-drop", "all"]
CONFINED += ["--security-opt", "no-new-privileges", "--no-hosts"]
# Within what a machine that is a container itself may give.
CONFINED += ["--ulimit", "nofile=4096:4096", "--ulimit", "nproc=1024:1024"]


class Engine:
    """buildah and podman with storage of their own, so that nothing of this machine's is touched."""

    def __init__(self, storage):
        self.options = ["--root", f"{storage}/root", "--runroot", f"{storage}/run", "--storage-driver", "vfs"]
        self.podman_options = ["--runtime", "runc", "--cgroup-manager", "cgroupfs", "--events-backend", "file"]

    def buildah(self, *words, **options):
        return run("buildah", *self.options, *words, **options)

    def podman(self, *words):
        return run("podman", *self.options, *self.podman_options, *words)

    def succeeds(self, *words):
        command = ["podman", *self.options, *self.podman_options, *words]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0


def copy_libraries(program, root):
    """The shared libraries that a program is linked with, under the names it asks for them by."""
    libraries = subprocess.run(["ldd", program], capture_output=True, text=True, check=False).stdout
    for library in re.findall(r"(/\S+)", libraries):
        # Names that lead into usr on this machine stay names there.
        target = root / library.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(library, target)


def commit(engine, folder, name, *config):
    """An image of nothing but a folder."""
    container = engine.buildah("from", "scratch").strip()
    engine.buildah("copy", container, folder, "/")
    if config:
        engine.buildah("config", *config, container)
    engine.buildah("commit", "--rm", container, name)


def refusal(engine):
    """What keeps this machine from running any container at all, or nothing."""
    name = "localhost/portcullis:probe"
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        true = shutil.which("true")
        shutil.copy(true, root / "true")
        copy_libraries(true, root)
        try:
            commit(engine, folder, name)
            engine.podman("run", "--rm", *CONFINED, name, "/true")
        except SystemExit as error:
            return str(error)
    return None


def make_base(engine, program):
    """What a distroless base has, and beside it the libraries that a program for development is linked with."""
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for below in ("etc/ssl/certs", "tmp", "home/nonroot"):
            (root / below).mkdir(parents=True)
        (root / "tmp").chmod(0o1777)
        shutil.copy("/etc/ssl/certs/ca-certificates.crt", root / "etc/ssl/certs/")
        (root / "etc/passwd").write_text("nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n")
        (root / "etc/group").write_text("nonroot:x:65532:\n")
        (root / "etc/nsswitch.conf").write_text("hosts: files dns\n")
        copy_libraries(program, root)
        commit(engine, folder, BASE, "--user", "65532")


def build(engine, program):
    staged = pathlib.Path("dist/container/portcullis")
    staged.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(program, staged)
    name = "localhost/portcullis:check"
    words = ["bud", "--isolation", "chroot", "--format", "docker", "--pull-never", "--target", "prebuilt"]
    engine.buildah(*words, "--build-arg", "REVISION=check", "-t", name, ".")
    return name


def inspect(engine, name):
    config = json.loads(engine.buildah("inspect", "--type", "image", name))["Docker"]["config"]
    assert config["User"] == "65532:65532", config["User"]
    assert config["Entrypoint"] == ["/usr/bin/portcullis"] and config["Cmd"] == ["run"], config
    assert config["StopSignal"] == "SIGTERM", config["StopSignal"]
    test = config["Healthcheck"]["Test"]
    assert test == ["CMD", "/usr/bin/portcullis", "healthcheck"], test
    labels = config["Labels"]
    for label in ("title", "description", "licenses", "version", "revision"):
        assert labels.get(f"org.opencontainers.image.{label}"), label
    return json.loads(engine.podman("image", "inspect", name))[0]["Size"]


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Origin(http.server.BaseHTTPRequestHandler):
    """Says who it is, and what it was asked with."""

    def do_GET(self):
        body = b"<h1>behind the gate</h1>"
        self.server.seen.append(dict(self.headers))
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def origin():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Origin)
    server.seen = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()


@contextlib.contextmanager
def provider(program, site):
    words = ["--listen=127.0.0.1:0", "--client-id=check", f"--client-secret={SECRET}", "--user=alice:Portcullis-1"]
    words += [f"--callback={site}/parseauth", f"--sign-out={site}/", "--json"]
    process = subprocess.Popen([program, *words], stdout=subprocess.PIPE, text=True)
    try:
        yield json.loads(process.stdout.readline())["url"].removeprefix("http://")
    finally:
        process.terminate()
        process.wait()


class Browser:
    """Keeps cookies by host and port, Secure ones too, as browsers do on loopback."""

    def __init__(self):
        self.jar = {}

    def ask(self, url, form=None):
        parts = urllib.parse.urlsplit(url)
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=PATIENCE)
        cookies = self.jar.setdefault(parts.netloc, {})
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())} if cookies else {}
        body = urllib.parse.urlencode(form) if form else None
        if form:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            headers["Origin"] = f"http://{parts.netloc}"
        target = urllib.parse.urlunsplit(("", "", parts.path or "/", parts.query, ""))
        connection.request("POST" if form else "GET", target, body, headers)
        response = connection.getresponse()
        for field in response.headers.get_all("Set-Cookie", []):
            name, _, value = field.split(";")[0].partition("=")
            cookies[name] = value
        text = response.read().decode()
        return response, text

    def follow(self, url):
        for _ in range(8):
            response, text = self.ask(url)
            if response.status not in (301, 302, 303, 307):
                return url, response.status, text
            url = urllib.parse.urljoin(url, response.headers["Location"])
        raise SystemExit(f"too many redirects, the last to {url}")


def sign_in(site):
    browser = Browser()
    url, status, page = browser.follow(f"{site}/secret.html")
    assert status == 200 and 'name="password"' in page, (url, status, page)
    action = html.unescape(re.search(r'action="([^"]+)"', page)[1])
    token = html.unescape(re.search(r'name="_csrf" value="([^"]+)"', page)[1])
    form = {"_csrf": token, "username": "alice", "password": "Portcullis-1"}
    response, page = browser.ask(urllib.parse.urljoin(url, action), form)
    assert response.status in (302, 303), (response.status, page)
    url, status, page = browser.follow(response.headers["Location"])
    assert (url, status) == (f"{site}/secret.html", 200), (url, status, page)
    return page


def until(what, truth):
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if truth():
            return
        time.sleep(0.2)
    raise SystemExit(f"not within {PATIENCE} s: {what}")


def answers(port, path):
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except OSError:
        return False


def start(engine, name, folder, variables):
    secret = folder / "client-secret"
    secret.write_text(f"{SECRET}\n")
    secret.chmod(0o444)
    folder.chmod(0o755)
    words = ["run", "--detach", *CONFINED, "--no-healthcheck", "--volume", f"{secret}:/run/secrets/client-secret:ro"]
    for variable, value in variables.items():
        words += ["--env", f"{variable}={value}"]
    return engine.podman(*words, name).strip()


def check_container(engine, name, dev_idp, folder):
    http_port, admin_port = free_port(), free_port()
    site = f"http://localhost:{http_port}"
    with origin() as server, provider(dev_idp, site) as domain:
        variables = {
            "PORTCULLIS_HOST": "localhost",
            "PORTCULLIS_USER_POOL_ARN": f"arn:aws:cognito-idp:us-east-1:123456789012:userpool/{POOL}",
            "PORTCULLIS_AUTH_DOMAIN": domain,
            "PORTCULLIS_CLIENT_ID": "check",
            "PORTCULLIS_CLIENT_SECRET_FILE": "/run/secrets/client-secret",
            "PORTCULLIS__LISTEN__HTTP": f"127.0.0.1:{http_port}",
            "PORTCULLIS__ADMIN__LISTEN": f"127.0.0.1:{admin_port}",
            "PORTCULLIS__SITES__0__AUTH__INSECURE_LOOPBACK_HTTP": "true",
            "PORTCULLIS__SITES__0__AUTH__JWKS_URI": f"http://{domain}/{POOL}/.well-known/jwks.json",
            "PORTCULLIS__SITES__0__ORIGIN__KIND": "custom",
            "PORTCULLIS__SITES__0__ORIGIN__URL": f"http://127.0.0.1:{server.server_address[1]}",
        }
        container = start(engine, name, folder, variables)
        try:
            until("ready", lambda: answers(admin_port, "/readyz"))
            page = sign_in(site)
            assert page == "<h1>behind the gate</h1>", page
            assert not any("CognitoIdentity" in headers.get("Cookie", "") for headers in server.seen), "cookies leak"
            pid = json.loads(engine.podman("inspect", container))[0]["State"]["Pid"]
            status = pathlib.Path(f"/proc/{pid}/status").read_text()
            fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
            assert fields["Uid"].split()[0] == "65532", fields["Uid"]
            assert int(fields["CapEff"], 16) == 0 and int(fields["CapBnd"], 16) == 0, fields["CapEff"]
            assert fields["NoNewPrivs"] == "1", fields["NoNewPrivs"]
            healthy = engine.succeeds("exec", container, "/usr/bin/portcullis", "healthcheck")
            assert healthy, "healthcheck fails on a healthy container"
            started = time.monotonic()
            engine.podman("stop", "--time", "30", container)
            seconds = time.monotonic() - started
            code = json.loads(engine.podman("inspect", container))[0]["State"]["ExitCode"]
            assert code == 0, f"ended with {code}"
            return fields["VmRSS"].strip(), seconds
        except BaseException:
            print(engine.succeeds("logs", container) and engine.podman("logs", container), file=sys.stderr)
            raise
        finally:
            engine.succeeds("rm", "--force", container)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("portcullis")
    parser.add_argument("dev_idp")
    parser.add_argument("--image", help="an image that is there, in --storage")
    parser.add_argument("--storage")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        engine = Engine(arguments.storage or scratch)
        if why := refusal(engine):
            print(why, file=sys.stderr)
            return NOT_ALLOWED
        name = arguments.image
        if not name:
            make_base(engine, arguments.portcullis)
            name = build(engine, arguments.portcullis)
        size = inspect(engine, name)
        if arguments.image and size > MOST_BYTES:
            raise SystemExit(f"{name} has {size} bytes, more than {MOST_BYTES}")
        folder = pathlib.Path(scratch) / "secrets"
        folder.mkdir()
        os.chmod(scratch, 0o711)
        memory, seconds = check_container(engine, name, arguments.dev_idp, folder)
        what = "the image" if arguments.image else "the image (with a program for development)"
        print(f"{what}: {size} bytes; signed in; {memory} resident; stopped in {seconds:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
