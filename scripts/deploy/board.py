"""Checks that the board and the alert rules speak of metrics that the program has, with labels that it gives them.

Usage: board.py RULES, where the board's expressions are written as recording rules, for promtool to parse.
"""

import json
import pathlib
import re
import sys

import yaml

BOARD = pathlib.Path("deploy/monitoring/grafana/boards/portcullis.json")
RULES = pathlib.Path("deploy/monitoring/alerts.yml")
# What Prometheus itself adds.
SCRAPED = {"instance", "job", "le"}
SUFFIXES = ("_bucket", "_sum", "_count")
problems = []


def registered():
    """Every metric's name with its labels, from the constants that register them."""
    found = {}
    for file in pathlib.Path("proxy/src").rglob("*.rs"):
        text = file.read_text().split("#[cfg(test)]")[0]
        for match in re.finditer(r'"(portcullis_[a-z_]+)"', text):
            # The labels are the next list of texts, unless another metric comes before.
            rest = text[match.end() : match.end() + 600]
            rest = re.split(r'"portcullis_[a-z_]+"', rest)[0]
            labels = re.search(r'&\[((?:\s*"[a-z_]+",?)+)\s*\]', rest)
            found[match[1]] = set(re.findall(r'"([a-z_]+)"', labels[1])) if labels else set()
    return found


def check(where, expression, metrics):
    names = set(re.findall(r"\bportcullis_[a-z_]+\b", expression))
    labels = SCRAPED.copy()
    for name in names:
        base = next((name[: -len(s)] for s in SUFFIXES if name.endswith(s) and name[: -len(s)] in metrics), name)
        if base not in metrics:
            problems.append(f"{where}: no such metric: {name}")
        labels |= metrics.get(base, set())
    used = re.findall(r"[{,]\s*([a-z_]+)\s*(?:=~|!~|!=|=)\s*\"", expression)
    for group in re.findall(r"\b(?:by|without|on|ignoring)\s*\(([^)]*)\)", expression):
        used += [label.strip() for label in group.split(",")]
    for label in set(used) - labels:
        problems.append(f"{where}: no such label: {label}")
    return names


def as_rules(panels):
    """Grafana's variables become what they may stand for."""
    rules = []
    for panel in panels:
        for target in panel["targets"]:
            expression = target["expr"].replace("$__rate_interval", "1m").replace("$site", ".*").replace("$job", "job")
            rules.append({"record": f"board:panel_{panel['id']}:{target['refId']}", "expr": expression})
    return {"groups": [{"name": "board", "rules": rules}]}


def main(written):
    metrics = registered()
    board = json.loads(BOARD.read_text())
    seen = set()
    panels = [panel for panel in board["panels"] if panel["type"] != "row"]
    ids = [panel["id"] for panel in board["panels"]]
    if len(ids) != len(set(ids)):
        problems.append("two panels have one id")
    for panel in panels:
        for target in panel["targets"]:
            seen |= check(panel["title"], target["expr"], metrics)
    pathlib.Path(written).write_text(yaml.safe_dump(as_rules(panels)))
    groups = yaml.safe_load(RULES.read_text())["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    for rule in rules:
        seen |= check(rule["alert"], rule["expr"], metrics)
        if not {"summary", "description"} <= rule["annotations"].keys() or "severity" not in rule["labels"]:
            problems.append(f"{rule['alert']}: has to say what is wrong, and how bad it is")
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"{len(metrics)} metrics; {len(panels)} panels and {len(rules)} rules speak of {len(seen)}")
    unseen = [name for name in metrics if not any(word.startswith(name) for word in seen)]
    if unseen:
        print(f"shown nowhere: {', '.join(sorted(unseen))}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
