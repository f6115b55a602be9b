"""Renders the Helm chart with Helm's own engine for every file in its ci/, and checks what comes out.

Lint and values.schema.json by Helm, the manifests against Kubernetes' published schemas, and by hand what no
schema says: the restricted Pod Security Standard, selectors that find their pods, probes on the admin port. The
configuration that a pod would have is shown to the program itself. Usage: chart.py PORTCULLIS
"""

import os
import pathlib
import subprocess
import sys
import tempfile

import helm_python as helm
import kubernetes_validate
import yaml

CHART = pathlib.Path("deploy/kubernetes/portcullis")
# The oldest that has what is rendered without a cluster to ask (preStop's sleep), and the newest with schemas.
VERSIONS = ("1.30", "1.37")
INFO = 1
# Resources of operators have no schema here.
FOREIGN = {"ServiceMonitor", "PrometheusRule"}
problems = []


def expect(truth, message):
    if not truth:
        problems.append(message)


def render(values):
    with helm.Chart.load(CHART) as chart:
        chart.validate_schema(values)
        rendered = chart.render(values, name="docs", namespace="web")
    documents = []
    for name, text in rendered.items():
        if name.endswith((".yaml", ".yml")):
            documents += [document for document in yaml.safe_load_all(text) if document]
    return documents


def check_pod(case, documents):
    by_kind = {}
    for document in documents:
        by_kind.setdefault(document["kind"], []).append(document)
    (deployment,) = by_kind["Deployment"]
    template = deployment["spec"]["template"]
    pod = template["spec"]
    (container,) = pod["containers"]
    pod_context, context = pod["securityContext"], container["securityContext"]
    expect(pod_context["runAsNonRoot"] is True and pod_context["runAsUser"] > 0, f"{case}: runs as root")
    expect(pod_context["seccompProfile"]["type"] == "RuntimeDefault", f"{case}: no seccomp profile")
    expect(context["allowPrivilegeEscalation"] is False, f"{case}: may gain privileges")
    expect(context["readOnlyRootFilesystem"] is True, f"{case}: may write to its root")
    expect(context["capabilities"] == {"drop": ["ALL"]}, f"{case}: has capabilities")
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        expect(container[probe]["httpGet"]["port"] == "admin", f"{case}: {probe} is not on the admin port")
    labels = template["metadata"]["labels"]
    selectors = [deployment["spec"]["selector"]["matchLabels"]]
    selectors += [service["spec"]["selector"] for service in by_kind["Service"]]
    selectors += [budget["spec"]["selector"]["matchLabels"] for budget in by_kind["PodDisruptionBudget"]]
    selectors += [policy["spec"]["podSelector"]["matchLabels"] for policy in by_kind["NetworkPolicy"]]
    for selector in selectors:
        expect(selector.items() <= labels.items(), f"{case}: {selector} does not select the pods")
    mounted = {mount["name"] for mount in container["volumeMounts"]}
    expect(mounted == {volume["name"] for volume in pod["volumes"]}, f"{case}: volumes and mounts differ")
    for monitor in by_kind.get("ServiceMonitor", []):
        wanted = monitor["spec"]["selector"]["matchLabels"].items()
        found = [service for service in by_kind["Service"] if wanted <= service["metadata"]["labels"].items()]
        expect(len(found) == 1, f"{case}: the monitor finds {len(found)} services")
    grace = pod["terminationGracePeriodSeconds"]
    drain = next(v["value"] for v in container["env"] if v["name"] == "PORTCULLIS__SHUTDOWN__DRAIN")
    sleep = container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
    expect(int(drain.removesuffix("s")) + sleep < grace, f"{case}: killed before it has drained")


def check_configuration(case, documents, program):
    """Mounts become folders here, and variables the environment."""
    container = next(d for d in documents if d["kind"] == "Deployment")["spec"]["template"]["spec"]["containers"][0]
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        for secret in ("client-secret", "nonce-signing-secret"):
            (folder / secret).write_text("secret-of-a-check-with-32-letters")

        def here(text):
            return text.replace("/run/secrets/portcullis", str(folder)).replace("/etc/portcullis", str(folder))

        for document in documents:
            if document["kind"] == "ConfigMap":
                for name, text in document["data"].items():
                    (folder / name).write_text(here(text))
        variables = {v["name"]: here(v["value"]) for v in container["env"]}
        variables["PATH"] = os.environ["PATH"]
        checked = subprocess.run([program, "check"], env=variables, capture_output=True, text=True, check=False)
        expect(checked.returncode == 0, f"{case}: portcullis check: {checked.stderr}")
        expect("secret-of-a-check" not in checked.stdout, f"{case}: portcullis check shows a secret")


def check_refusals():
    """Values that cannot work do not render."""
    site = yaml.safe_load((CHART / "ci/site-values.yaml").read_text())
    wrong = {
        "nothing at all": {},
        "no secret": {**site, "existingSecret": ""},
        "no bucket": {**site, "site": {**site["site"], "bucket": ""}},
        "site and config": {**site, "config": {"sites": []}},
        "an unknown value": {**site, "replicas": 3},
        "a url for a domain": {**site, "site": {**site["site"], "authDomain": "https://a.example"}},
        "a port below 1024": {**site, "service": {"targetPort": 80}},
    }
    for case, values in wrong.items():
        try:
            render(values)
        except helm.HelmError:
            continue
        problems.append(f"{case}: rendered all the same")


def main(program):
    cases = sorted((CHART / "ci").glob("*-values.yaml"))
    expect(len(cases) >= 2, "the chart has no cases")
    for case in cases:
        values = yaml.safe_load(case.read_text())
        report = helm.lint(CHART, values, strict=True)
        findings = report["errors"] + [found for found in report["messages"] if found["severity"] > INFO]
        expect(not findings, f"{case.name}: lint: {findings}")
        documents = render(values)
        for document in documents:
            if document["kind"] in FOREIGN:
                continue
            for version in VERSIONS:
                try:
                    kubernetes_validate.validate(document, version, strict=True)
                except kubernetes_validate.ValidationError as error:
                    where = ".".join(map(str, error.path))
                    problems.append(f"{case.name}: {document['kind']} {version}: {where}: {error.message}")
        check_pod(case.name, documents)
        check_configuration(case.name, documents, program)
        print(f"{case.name}: {len(documents)} resources")
    check_refusals()
    # Helm takes no file from outside of a chart.
    rules = (CHART / "alerts.yml").read_bytes()
    expect(rules == pathlib.Path("deploy/monitoring/alerts.yml").read_bytes(), "the chart has other alert rules")
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
