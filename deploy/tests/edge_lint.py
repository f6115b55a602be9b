"""What cfn-lint does not know: the limits of Lambda@Edge."""

RUNTIMES = ("nodejs", "python")
FORBIDDEN = {
    "Environment": "environment variables",
    "Layers": "layers",
    "VpcConfig": "a VPC",
    "TracingConfig": "X-Ray",
    "DeadLetterConfig": "a dead letter queue",
    "ImageConfig": "container images",
    "KmsKeyArn": "customer managed keys",
    "SnapStart": "SnapStart",
}
MAX_VIEWER_MEMORY_MB = 128
MAX_VIEWER_TIMEOUT_S = 5
EDGE_PRINCIPALS = {"lambda.amazonaws.com", "edgelambda.amazonaws.com"}


def references(value):
    """The logical ids that a value refers to."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "Ref":
                yield inner
            elif key == "Fn::GetAtt":
                yield inner[0] if isinstance(inner, list) else inner.split(".")[0]
            else:
                yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def edge_functions(template):
    """The functions that publish versions for CloudFront."""
    resources = template["Resources"]
    found = set()
    for resource in resources.values():
        if resource["Type"] == "Custom::LambdaCodeUpdate":
            found.update(references(resource["Properties"]["Packages"]))
    return sorted(name for name in found if resources.get(name, {}).get("Type") == "AWS::Lambda::Function")


def runtimes(template, value):
    """Every runtime that a function may get."""
    if isinstance(value, dict) and "Ref" in value:
        return template["Parameters"][value["Ref"]]["AllowedValues"]
    return [value]


def problems(template):
    """One sentence for each rule that a function at the edge breaks."""
    for name in edge_functions(template):
        properties = template["Resources"][name]["Properties"]
        for runtime in runtimes(template, properties.get("Runtime")):
            if not str(runtime).startswith(RUNTIMES):
                yield f"{name}: runtime {runtime}, and the edge takes Node.js and Python only"
        for key, what in FORBIDDEN.items():
            if key in properties:
                yield f"{name}: the edge has not {what}"
        if properties.get("Architectures", ["x86_64"]) != ["x86_64"]:
            yield f"{name}: the edge is x86_64"
        if properties.get("MemorySize", MAX_VIEWER_MEMORY_MB) > MAX_VIEWER_MEMORY_MB:
            yield f"{name}: more than {MAX_VIEWER_MEMORY_MB} MB"
        if properties.get("Timeout", 3) > MAX_VIEWER_TIMEOUT_S:
            yield f"{name}: more than {MAX_VIEWER_TIMEOUT_S} s"
        role = template["Resources"][next(references(properties["Role"]))]["Properties"]
        trusted = role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["Service"]
        if set(trusted) != EDGE_PRINCIPALS:
            yield f"{name}: its role trusts {trusted}"
    for behaviour in associations(template):
        if not any(name.startswith("EdgeFunctionVersions") for name in references(behaviour)):
            yield f"an association without a published version: {behaviour}"


def associations(value):
    """Every association of a distribution with a function."""
    if isinstance(value, dict):
        if "LambdaFunctionARN" in value:
            yield value["LambdaFunctionARN"]
        for inner in value.values():
            yield from associations(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from associations(inner)
