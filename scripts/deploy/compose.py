"""Checks the compose file: against the Compose specification, that what it names is there, that every service is
held tight, and that the proxy itself takes its environment. Usage: compose.py PORTCULLIS"""

import os
import pathlib
import subprocess
import sys

import compose_spec
import yaml

FOLDER = pathlib.Path("deploy/compose")
problems = []


def expect(truth, message):
    if not truth:
        problems.append(message)


def check_service(name, service, services, secrets):
    expect(service.get("read_only") is True, f"{name}: may write to its root")
    expect(service.get("cap_drop") == ["ALL"], f"{name}: has capabilities")
    expect("no-new-privileges:true" in service.get("security_opt", []), f"{name}: may gain privileges")
    limits = service.get("deploy", {}).get("resources", {}).get("limits", {})
    expect({"cpus", "memory"} <= limits.keys(), f"{name}: has no limits")
    for dependency, how in service.get("depends_on", {}).items():
        expect(dependency in services, f"{name}: depends on {dependency}, which is not there")
        checked = how["condition"] != "service_healthy" or "healthcheck" in services.get(dependency, {})
        expect(checked, f"{name}: waits for the health of {dependency}, which has no check")
    mode = service.get("network_mode", "")
    expect(not mode.startswith("service:") or mode[len("service:") :] in services, f"{name}: no such network: {mode}")
    for secret in service.get("secrets", []):
        expect(secret in secrets, f"{name}: no such secret: {secret}")
    for volume in service.get("volumes", []):
        source, _, rest = volume.partition(":")
        expect((FOLDER / source).exists(), f"{name}: {source} is not there")
        expect(rest.endswith(":ro"), f"{name}: may write to {source}")
    for port in service.get("ports", []):
        expect(port.startswith("127.0.0.1:"), f"{name}: {port} is open to the network")
    if "build" in service:
        target, dockerfile = service["build"]["target"], pathlib.Path("Dockerfile").read_text()
        expect(f" AS {target}\n" in dockerfile, f"{name}: the Dockerfile has no {target}")
        expect((FOLDER / service["build"]["context"] / "Dockerfile").is_file(), f"{name}: no Dockerfile there")
    else:
        image, _, tag = service["image"].rpartition(":")
        expect(image and tag not in ("", "latest"), f"{name}: the image has no version")


def check_environment(program, service, secrets):
    """The proxy's own word on its variables; the secrets' files stand for what is mounted."""
    variables = {"PATH": os.environ["PATH"]}
    for name, value in service["environment"].items():
        for secret in service["secrets"]:
            value = value.replace(f"/run/secrets/{secret}", str(FOLDER / secrets[secret]["file"]))
        variables[name] = value
    checked = subprocess.run([program, "check"], env=variables, capture_output=True, text=True, check=False)
    expect(checked.returncode == 0, f"portcullis check: {checked.stderr}")
    expect("not-a-secret" not in checked.stdout, "portcullis check shows a secret")


def main(program):
    document = yaml.safe_load((FOLDER / "compose.yaml").read_text())
    try:
        # Merged first: the parser does not know YAML's `<<`.
        compose_spec.PyCompose.from_yaml(yaml.safe_dump(document)).to_spec()
    except ValueError as error:
        problems.append(f"compose.yaml: {error}")
    services, secrets = document["services"], document["secrets"]
    for name, service in services.items():
        check_service(name, service, services, secrets)
    for secret in secrets.values():
        expect((FOLDER / secret["file"]).is_file(), f"{secret['file']} is not there")
    check_environment(program, services["portcullis"], secrets)
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"compose.yaml: {len(services)} services")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
