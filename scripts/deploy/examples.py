"""Every parameter and output of deploy/template.yaml that an example or a document names must be there.

Usage: examples.py FOLDER, the folder that the CDK example was synthesised into.
"""

import re
import sys
from pathlib import Path

import hcl2
from cfnlint.decode import decode

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "deploy/examples"
DOCUMENTS = [ROOT / "docs/deploy-aws.md", ROOT / "docs/migrate.md", EXAMPLES / "README.md"]
NESTED = ("AWS::Serverless::Application", "AWS::CloudFormation::Stack")
# Words in code that are written like a parameter and are none of ours.
FOREIGN = {"AllowedOAuthScopes", "CookieStorage", "Connection", "Domain", "HttpOnly", "Lax", "Location", "None", "Path",
           "SameSite", "Secure", "SessionTimeout", "Strict", "UserPoolDomain", "Via"}

problems = []


def load(path):
    template, findings = decode(str(path))
    for finding in findings:
        problems.append(f"{path}: {finding}")
    return template or {}


TEMPLATE = load(ROOT / "deploy/template.yaml")
PARAMETERS, OUTPUTS, RESOURCES = (TEMPLATE[part] for part in ("Parameters", "Outputs", "Resources"))


def parameter(where, name, value=None):
    """A parameter, and a value where it is known."""
    definition = PARAMETERS.get(name)
    if definition is None:
        problems.append(f"{where}: no parameter {name}")
    elif isinstance(value, str):
        allowed, pattern = definition.get("AllowedValues"), definition.get("AllowedPattern")
        if allowed and value not in allowed or pattern and not re.fullmatch(pattern, value):
            problems.append(f"{where}: {name} may not be {value!r}")


def output(where, name):
    if name not in OUTPUTS:
        problems.append(f"{where}: no output {name}")


def references(node):
    """Every (nested stack, output) and (None, export) that a template refers to."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "Fn::GetAtt":
                resource, attribute = value if isinstance(value, list) else value.split(".", 1)
                if attribute.startswith("Outputs."):
                    yield resource, attribute.removeprefix("Outputs.")
            elif key == "Fn::ImportValue":
                yield None, value["Fn::Sub"].rsplit("-", 1)[1]
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def check_template(path):
    template = load(path)
    found = 0
    for name, resource in template["Resources"].items():
        where = f"{path.parent.name}/{path.name}: {name}"
        properties = resource.get("Properties", {})
        if resource["Type"] in NESTED:
            for key, value in properties["Parameters"].items():
                parameter(where, key, value)
                found += 1
        elif resource["Type"] == "Custom::UserPoolClientUpdate":
            known = RESOURCES["UserPoolClientUpdate"]["Properties"]
            for key in set(properties) - set(known):
                problems.append(f"{where}: unknown property {key}")
    for _, name in references(template["Resources"]):
        output(f"{path.parent.name}/{path.name}", name)
        found += 1
    if not found:
        problems.append(f"{path}: uses nothing of the template")


def check_terraform(path):
    """Its syntax, and the names in it."""
    text = path.read_text()
    where = f"terraform/{path.relative_to(EXAMPLES / 'terraform')}"
    try:
        hcl2.loads(text)
    except Exception as error:  # Whatever its parser throws.
        problems.append(f"{where}: {error}")
    for block in re.findall(r"^ *parameters += .*?\{(.*?)^ *\}", text, re.M | re.S):
        for name, value in re.findall(r'^ *([A-Za-z]\w*) += (?:"([^"$]*)"$)?', block, re.M):
            parameter(where, name, value or None)
    for name in re.findall(r'outputs\["(\w+)"\]', text):
        output(where, name)


def check_document(path):
    """Names in code, and links to files."""
    where = str(path.relative_to(ROOT))
    text = path.read_text()
    known = {*PARAMETERS, *OUTPUTS, *RESOURCES, *FOREIGN}
    fences = re.findall(r"^( *```.*?^ *```|(?: {4}.*\n)+)", text, re.M | re.S)
    for fence in fences:
        for name, value in re.findall(r"(?<![\w.-])([A-Z]\w+)=([^\s'\"<]*)", fence):
            if not name.isupper() and name not in FOREIGN:
                parameter(where, name, value if re.fullmatch(r"\w+", value) and not value.isupper() else None)
    for code in re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.S)):
        named = re.fullmatch(r"([A-Z][a-z]\w+|[A-Z]+[a-z]\w*)(?:=(\S+))?", code)
        if not named:
            continue
        name, value = named.groups()
        if value is not None and name not in FOREIGN:
            parameter(where, name, value)
        elif name not in known:
            problems.append(f"{where}: {name} is neither a parameter nor an output nor a resource")
    for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
        if not (path.parent / link).exists():
            problems.append(f"{where}: no such file: {link}")
    for named in re.findall(r"(?<![\w/.-])((?:scripts|deploy|docs)/[\w./-]*\w)", text):
        if not (ROOT / named).exists():
            problems.append(f"{where}: no such file: {named}")


def main(synthesised):
    templates = sorted(EXAMPLES.glob("*/template.yaml"))
    templates += sorted(Path(synthesised).glob("*.template.json"))
    terraform = sorted((EXAMPLES / "terraform").rglob("*.tf"))
    for path in templates:
        check_template(path)
    for path in terraform:
        check_terraform(path)
    for path in DOCUMENTS:
        check_document(path)
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"{len(templates)} templates, {len(terraform)} Terraform files, {len(DOCUMENTS)} documents: {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
